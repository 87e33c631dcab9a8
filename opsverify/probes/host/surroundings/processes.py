"""What listens and runs, and where it belongs to."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar

from opsverify.probes.host.question import MIB, Answer, Block, Question
from opsverify.probes.host.shell import LISTENERS, MAIN_PIDS
from opsverify.probes.host.shell_file import ShellFile
from opsverify.probes.host.surroundings.hidden import ended, hidden
from opsverify.probes.host.surroundings.units import MENTIONED
from opsverify.probes.host.system.sockets import Socket, listening_sockets

_CONTAINER = re.compile(r"(?:docker|libpod|crio|containerd)[-/:][^/]*?([0-9a-f]{12,64})|/(?:docker|lxc)/([^/]+)")


@dataclass(frozen=True)
class Process:
    """A process that listens, or is of a kind that matters. `unit`: the service that it runs in, "" for none."""

    pid: int
    parent: int
    user: str
    name: str
    unit: str = ""
    container: str = ""
    folder: str = ""
    words: tuple[str, ...] = ()


@dataclass(frozen=True)
class ProcessesSeen:
    """`hidden`: what could not be read. To an account that is not root, sockets of others have no owner."""

    sockets: tuple[Socket, ...]
    processes: tuple[Process, ...]
    hidden: tuple[str, ...] = ()
    root: bool = False
    """Whether this account is root, who sees whose each socket is."""
    pid_files: tuple[tuple[int, str], ...] = ()

    def ports_of(self, unit: str) -> tuple[int, ...]:
        """The TCP ports that the processes of a unit listen on, ascending."""
        pids = {process.pid for process in self.processes if process.unit == unit}
        return tuple(sorted({one.port for one in self.sockets if pids & set(one.owner_pids)}))


@dataclass(frozen=True)
class Processes(Question):
    """Every listening TCP socket, and the processes that have one or are Node.js, nginx or PostgreSQL.

    Privileges: none for the sockets and for which unit a process is of; whose a socket is and where a process runs need
    the same user or root. Source: proc(5), /proc/net/tcp, systemd-cgls(1).
    """

    shell = ShellFile(__package__, "processes.sh")
    helpers = (LISTENERS, MAIN_PIDS, MENTIONED)
    max_bytes: ClassVar[int] = MIB

    def parse(self, answer: Answer) -> ProcessesSeen:
        ended(answer, "the processes")
        processes = (_process(block) for block in answer.blocks() if block.name == "process")
        found = tuple(one for one in processes if one is not None)
        parts = [block.rest.partition(" ") for block in answer.blocks() if block.name == "pidfile"]
        files = tuple((int(pid), path) for pid, _, path in parts if re.fullmatch("[0-9]{1,10}", pid))
        is_root = answer.block("root") is not None
        return ProcessesSeen(listening_sockets(answer), found, hidden(answer), is_root, files)


def _process(block: Block) -> Process | None:
    match = re.fullmatch(r"(\d{1,10}) (\d{1,10}) (\S+) (.*)", block.rest, re.ASCII)
    if match is None:
        return None
    unit = container = folder = ""
    words = []
    for line in block.lines:
        key, _, rest = line.partition(" ")
        if key == "cgroup":
            services = re.findall(r"/([^/]+[.]service)(?=/|$)", rest)
            # A user's manager is a service, too; what it starts belongs to no unit of the system.
            if services and "/user.slice/" not in rest:
                unit = unit or services[-1]
            inside = _CONTAINER.search(rest)
            container = container or (inside[1] or inside[2] if inside else "")
        elif key == "cwd":
            folder = rest
        elif key == "word":
            words.append(rest)
    return Process(int(match[1]), int(match[2]), match[3], match[4], unit, container, folder, tuple(words))


__all__ = ["Process", "Processes", "ProcessesSeen"]
