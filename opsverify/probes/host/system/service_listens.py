"""Whether a service itself listens on its port."""

from __future__ import annotations

from dataclasses import dataclass

from opsverify.probes.host.question import Answer, integer
from opsverify.probes.host.service import ServiceQuestion
from opsverify.probes.host.shell import ENGINE, FAMILY, LISTENERS, MAIN_PIDS
from opsverify.probes.host.shell_file import ShellFile
from opsverify.probes.host.system.sockets import listening_sockets


@dataclass(frozen=True)
class Listening:
    """Whether a service's port is open, and whether the service itself holds it."""

    port: int
    listening: bool
    addresses: tuple[str, ...]
    owner_pid: int | None
    owner_name: str | None
    is_service_process: bool | None
    """None: this account may not see whose socket it is, or nothing listens."""
    service_pids: tuple[int, ...]
    """The service's main process and its descendants; empty when it does not run."""


@dataclass(frozen=True)
class ServiceListens(ServiceQuestion):
    """Whether the service itself (its main process or a descendant) listens on `port`.

    Privileges: none for whether anybody listens; whose socket it is needs the same user or root, and is None without.
    The service's own network namespace is looked at where it may be. Source: proc_net(5), proc_pid_fd(5).
    """

    port: int = 0

    shell = ShellFile(__package__, "service_listens.sh")
    helpers = (FAMILY, ENGINE, MAIN_PIDS, LISTENERS)

    @property
    def title(self) -> str:
        return f"port {self.port} of {self.service}"

    @property
    def arguments(self) -> tuple[str, ...]:
        return f"{self.port:04X}", *self.service_arguments

    def parse(self, answer: Answer) -> Listening:
        family, names = answer.block("family"), answer.block("names")
        if answer.status != 0 or family is None or names is None:
            raise answer.failure(self.title, "the host's sockets were not read")
        rows = sorted((line.split(" ")[:3] for line in family.lines if line), key=lambda row: row[2:])
        pids = tuple(integer(row[0], "a process id") for row in rows)
        sockets = listening_sockets(answer)
        owners = [pid for socket in sockets for pid in socket.owner_pids]
        own = [pid for pid in owners if pid in pids]
        owner = own[0] if own else owners[0] if owners else None
        called = dict(line.partition(" ")[::2] for line in names.lines)
        return Listening(
            port=self.port,
            listening=bool(sockets),
            addresses=tuple(dict.fromkeys(socket.address for socket in sockets)),
            owner_pid=owner,
            owner_name=called.get(str(owner)) if owner is not None else None,
            is_service_process=bool(own) if owners else None,
            service_pids=pids,
        )


__all__ = ["Listening", "ServiceListens"]
