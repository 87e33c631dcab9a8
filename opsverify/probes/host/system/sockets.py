"""Listening TCP sockets, and whose they are."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass

from opsverify.errors import ProbeError
from opsverify.probes.host.question import Answer, Question, integer
from opsverify.probes.host.shell import FAMILY, LISTENERS, MAIN_PIDS, main_pids


@dataclass(frozen=True)
class Socket:
    """A listening TCP socket. `owner_pids` is empty where this account may not see whose it is."""

    address: str
    port: int
    inode: int
    owner_pids: tuple[int, ...] = ()

    @property
    def public(self) -> bool:
        """Whether it accepts connections from other machines (it may still be behind a firewall)."""
        return not ipaddress.ip_address(self.address).is_loopback


@dataclass(frozen=True)
class ListeningSockets(Question):
    """Every listening TCP socket of the host's own network namespace.

    Privileges: none for the sockets; whose they are needs the same user or root. Source: proc_net(5), /proc/net/tcp.
    """

    helpers = (LISTENERS,)

    def script(self) -> str:
        return (
            "[ -r /proc/net/tcp ] || { cat /proc/net/tcp; exit 1; }\ns=$(listeners)\n"
            "echo '== sockets'; printf '%s\\n' \"$s\"\n"
            "echo '== owners'; owners $(printf '%s\\n' \"$s\" | awk '{print $2}')"
        )

    def parse(self, answer: Answer) -> tuple[Socket, ...]:
        if answer.block("sockets") is None:
            raise answer.failure("the listening sockets")
        return _sockets(answer)


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
class ServiceListens(Question):
    """Whether the service itself (its main process or a descendant) listens on `port`.

    Privileges: none for whether anybody listens; whose socket it is needs the same user or root, and is None without.
    The service's own network namespace is looked at where it may be. Source: proc_net(5), proc_pid_fd(5).
    """

    unit: str | None = None
    pid_file: str | None = None
    port: int = 0

    helpers = (FAMILY, MAIN_PIDS, LISTENERS)

    @property
    def title(self) -> str:
        return f"port {self.port} of {self.unit or self.pid_file}"

    def script(self) -> str:
        # A service that does not run has no processes, but its port may be somebody else's.
        find = main_pids(self.unit, self.pid_file)
        return f"""main=$({find}) || {"exit 3" if self.unit else ":"}
main=${{main#== main }}; case $main in ==*) main=;; esac
echo '== family'; [ -z "$main" ] || family $main
s=$(listeners ${{main%% *}} | awk -v want={self.port:04X} '{{ split($1, a, ":"); if (a[2] == want) print }}')
echo '== sockets'; [ -z "$s" ] || printf '%s\\n' "$s"
echo '== owners'; o=$(owners $(printf '%s\\n' "$s" | awk '{{print $2}}')); [ -z "$o" ] || printf '%s\\n' "$o"
echo '== names'; printf '%s\\n' "$o" |
while read -r p i; do [ -n "$p" ] && printf '%s %s\\n' "$p" "$(cat /proc/$p/comm)"; done
exit 0
"""

    def parse(self, answer: Answer) -> Listening:
        family, names = answer.block("family"), answer.block("names")
        if answer.status != 0 or family is None or names is None:
            raise answer.failure(self.title, "the host's sockets were not read")
        rows = sorted((line.split(" ")[:3] for line in family.lines if line), key=lambda row: row[2:])
        pids = tuple(integer(row[0], "a process id") for row in rows)
        sockets = _sockets(answer)
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


def _sockets(answer: Answer) -> tuple[Socket, ...]:
    sockets, owners = answer.block("sockets"), answer.block("owners")
    if sockets is None or owners is None or answer.truncated:
        raise answer.failure("the listening sockets", "the list was not read to its end")
    holders: dict[str, list[int]] = {}
    for line in filter(None, owners.lines):
        pid, _, inode = line.partition(" ")
        holders.setdefault(inode, []).append(integer(pid, "a process id"))
    return tuple(sorted(_parsed(filter(None, sockets.lines), holders), key=lambda s: (s.port, s.address, s.inode)))


def _parsed(lines: Iterable[str], holders: dict[str, list[int]]) -> Iterable[Socket]:
    for line in lines:
        match = re.fullmatch(r"([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4}) (\d+) (\d+)", line)
        if not match:
            raise ProbeError(f"the listening sockets could not be determined: {line[:60]!r} is none")
        # The kernel prints each 32-bit word of the address in the host's byte order: little-endian wherever we run.
        words = bytes.fromhex(match[1])
        address = ipaddress.ip_address(b"".join(words[i : i + 4][::-1] for i in range(0, len(words), 4)))
        mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
        inode = integer(match[3], "a socket's inode")
        yield Socket(str(mapped or address), int(match[2], 16), inode, tuple(sorted(holders.get(match[3], []))))
