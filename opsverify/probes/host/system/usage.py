"""What programs take of a host's processors and memory."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from opsverify.errors import ProbeError
from opsverify.probes.host.question import KIB, MIB, Answer, Block, Question, integer, one_line, percent
from opsverify.probes.host.shell import LIMITS
from opsverify.probes.host.shell_file import ShellFile
from opsverify.probes.host.system.cpu import SETTLE_SECONDS
from opsverify.probes.host.system.limits import limits


@dataclass(frozen=True)
class ProgramUsage:
    """All processes of one program together, as shares of the whole host, or of what its container may use."""

    name: str
    processes: int
    cpu_percent: float
    """Of all cores, over the interval."""
    memory_bytes: int
    memory_percent: float


@dataclass(frozen=True)
class ProcessResources(Question):
    """What the programs of these names use together; those that do not run are left out.

    A process counts by its own title (`comm`) up to a blank: "next-server (v15)" is next-server, postgres's children
    are postgres. CPU: user and system time between two looks `interval` seconds apart, over the time of all cores; a
    process that came or went meanwhile is not counted. Memory: each process's private pages, and the largest of the
    pages that they share (summing up RSS would count PostgreSQL's shared buffers once per connection).
    Privileges: none, unless /proc is mounted with hidepid. Source: proc_pid_stat(5), proc_pid_status(5) (Linux 4.5).
    """

    names: tuple[str, ...]
    interval: float = 1.0

    shell = ShellFile(__package__, "usage.sh")
    helpers = (LIMITS,)
    slow: ClassVar[bool] = True
    seconds: ClassVar[float] = 60.0
    max_bytes: ClassVar[int] = MIB

    @property
    def arguments(self) -> tuple[str, ...]:
        whole = max(1, round(self.interval))
        return f"{SETTLE_SECONDS:g}", f"{self.interval:g}", str(whole), *self.names

    def parse(self, answer: Answer) -> tuple[ProgramUsage, ...]:
        first, second, memory = (answer.block(name) for name in ("first", "second", "memory"))
        if not (first and first.lines and second and second.lines and memory and memory.lines):
            raise answer.failure("what programs use", "/proc was not read twice")
        passed = _all_cores(second.lines[0]) - _all_cores(first.lines[0])
        total = re.fullmatch(r"MemTotal:\s+(\d+) kB", memory.lines[0])
        if total is None:
            raise ProbeError("what programs use could not be determined: /proc/meminfo has no MemTotal")
        allowed = limits(answer)
        count = answer.block("cores")
        cores = max(1, integer(count.rest if count else "1", "the number of cores"))
        part = min(1.0, (allowed.cores or cores) / cores)
        memory_bytes = min(KIB * int(total[1]), allowed.memory_bytes or sys.maxsize)
        before = {process.key: process for process in _processes(first)}
        together: dict[str, list[tuple[int, _Process]]] = {}
        for process in _processes(second):
            if process.key in before and process.resident:
                spent = max(0, process.ticks - before[process.key].ticks)
                together.setdefault(process.title, []).append((spent, process))
        programs = []
        for name in self.names:
            members = [one for title, ones in together.items() if _is(title, name) for one in ones]
            if not members:
                continue
            pages = [process.resident for _, process in members]
            used = KIB * (sum(p["Anon"] for p in pages) + max(p["File"] + p["Shmem"] for p in pages))
            programs.append(
                ProgramUsage(
                    name=name,
                    processes=len(members),
                    cpu_percent=percent(sum(spent for spent, _ in members), passed * part, f"the CPU share of {name}"),
                    memory_bytes=used,
                    memory_percent=percent(used, memory_bytes, f"the memory share of {name}"),
                )
            )
        return tuple(programs)


@dataclass(frozen=True)
class _Process:
    title: str
    key: tuple[int, int]
    """Its id, and when it started: ids are used again."""
    ticks: int
    resident: dict[str, int]
    """Resident KiB by kind; empty for a zombie, and where they were not asked for."""


def _is(title: str, name: str) -> bool:
    return title == name or title.startswith(f"{name} ")


def _processes(block: Block) -> Iterator[_Process]:
    lines = iter([*block.lines[1:], "name "])
    title, stat, resident = "", "", dict[str, int]()
    for line in lines:
        word, _, rest = line.partition(" ")
        if word == "name":
            if stat:
                yield _process(title, stat, resident)
            title, stat, resident = rest, "", {}
        elif word == "stat":
            stat = rest
        elif kind := re.fullmatch(r"Rss(Anon|File|Shmem):\s+(\d+) kB", line):
            resident[kind[1]] = int(kind[2])


def _process(title: str, stat: str, resident: dict[str, int]) -> _Process:
    shown = one_line(title, 30)
    # The title in parentheses may itself hold blanks and parentheses: the fields count from the last one.
    pid, fields = stat.partition(" ")[0], stat.rpartition(") ")[2].split()
    if len(fields) < 20:
        raise ProbeError(f"what {shown} uses could not be determined: /proc/PID/stat has too few fields")
    ticks = sum(integer(fields[place], f"the CPU time of {shown}") for place in (11, 12))
    if resident and len(resident) < 3:
        raise ProbeError(f"the memory of {shown} could not be determined: the kernel does not tell its kinds apart")
    return _Process(title, (integer(pid, "a process id"), integer(fields[19], "a start time")), ticks, resident)


def _all_cores(line: str) -> int:
    """Ticks of all cores together, idle ones too; guests' time is inside the first two fields."""
    fields = line.split()
    if len(fields) < 5 or fields[0] != "cpu":
        raise ProbeError("CPU usage could not be determined: /proc/stat does not start with the line of all CPUs")
    return sum(integer(field, "CPU time") for field in fields[1:9])
