"""What shows that a service is not down, though it is meant to be. Pure.

Down is what its host says: no unit active, no process of the pid file, no socket on its port. That we cannot connect
proves nothing by itself, since a wrong name or a firewall looks the same from here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from opsverify.errors import ProbeError

if TYPE_CHECKING:
    from opsverify.config.environment import Release, Service
    from opsverify.probes.host.system.service_listens import Listening
    from opsverify.probes.host.system.services import ServiceStatus
    from opsverify.probes.host.system.stopped import NodeProcess
    from opsverify.probes.tcp.port import PortState

DOWN = ("inactive", "failed")
"""systemd's words for a unit of which nothing runs (org.freedesktop.systemd1(5), ActiveState)."""


@dataclass(frozen=True)
class Sign:
    """One thing looked at: whether it is gone, and what was seen."""

    gone: bool
    observed: str
    expected: str


def signs_of_life(signs: Mapping[str, Any]) -> list[Sign]:
    """Judge the `status`, `port` and `connection` of a service; raises ProbeError where there is no such unit."""
    return [_service(signs["status"]), _port(signs["port"]), _connection(signs["connection"])]


def _service(status: ServiceStatus) -> Sign:
    if status.main is not None:
        if not status.exists:
            raise ProbeError(f"whether {status.name} is stopped could not be determined: there is no such unit")
        units = [unit for unit in (status.main, *status.instances) if unit.load_state != "not-found"]
        seen = ", ".join(f"{unit.unit} {unit.active_state}" for unit in units)
        return Sign(all(unit.active_state in DOWN for unit in units), seen, "inactive")
    process = status.process
    if process is None:
        return Sign(True, f"no pid file {status.name}", "no process")
    state = "a stale pid file" if process.stale else "alive" if process.alive else "gone"
    return Sign(not status.running, f"process {process.pid} of {status.name} {state}", "no process")


def _port(port: Listening) -> Sign:
    if not port.listening:
        return Sign(True, f"port {port.port} closed on the host", "closed")
    holder = f"{port.owner_name} (process {port.owner_pid})" if port.owner_pid else "a process that may not be seen"
    return Sign(False, f"port {port.port} open on the host ({', '.join(port.addresses)}), held by {holder}", "closed")


def _connection(connection: PortState) -> Sign:
    suffix = ", which proves nothing" if connection.state == "unknown" else ""
    return Sign(connection.state != "open", f"from here {connection.reason}{suffix}", "no connection")


def leftovers(
    processes: Iterable[NodeProcess], service: Service, releases: Iterable[Release]
) -> tuple[list[NodeProcess], list[NodeProcess]]:
    """Node.js processes that belong to the service though it may not know them: (surely, perhaps).

    Surely: they work in a checkout of its host and slot, or run a file of it, and not in the other role's folder.
    Perhaps: their folder may not be seen, and nothing else tells whose they are.
    """
    here = [release for release in releases if release.host == service.host]
    own = [release.path for release in here if release.slot in (None, service.slot)]
    surely, perhaps = [], []
    # A front end's pnpm looks like any Node.js; only a next-server is known to be no backend.
    for process in processes:
        if service.role == "backend" and process.folder is None and process.name.startswith("next-server"):
            continue
        if any(_belongs(process, path, service.role) for path in own):
            surely.append(process)
        elif process.folder is None and not any(process.within(release.path) for release in here):
            perhaps.append(process)
    return surely, perhaps


def _belongs(process: NodeProcess, checkout: str, role: str) -> bool:
    other = {"backend": "frontend", "frontend": "backend"}[role]
    if process.within(f"{checkout}/{role}"):
        return True
    return process.within(checkout) and not process.within(f"{checkout}/{other}")
