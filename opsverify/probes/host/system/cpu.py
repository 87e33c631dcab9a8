"""CPU load."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar

from opsverify.errors import ProbeError
from opsverify.probes.host.question import Answer, Question, decimal, integer
from opsverify.probes.host.shell import LIMITS
from opsverify.probes.host.shell_file import ShellFile
from opsverify.probes.host.system.limits import cores_used, limits

SETTLE_SECONDS = 0.3


@dataclass(frozen=True)
class CpuUsage:
    """The share of all cores that was busy in the interval, and the load averages of 1, 5 and 15 minutes.

    In a container that has a limit, the share of `limit_cores`.
    """

    busy_percent: float
    cores: int
    load_1: float
    load_5: float
    load_15: float
    iowait_percent: float
    limit_cores: float | None = None
    """Processors' worth of time that a container may use; None where it may use them all."""

    @property
    def of_what(self) -> str:
        """What it is a share of: `8 cores`, or `0.5 cores, its limit`."""
        return f"{self.cores} cores" if self.limit_cores is None else f"{self.limit_cores:g} cores, its limit"


@dataclass(frozen=True)
class Cpu(Question):
    """How busy the CPUs are, from two samples `interval` seconds apart (not since boot).

    Waiting for disks is not busy; guests' time is part of user time and counted once. The sample begins a moment
    late, so that the rest of this script does not measure itself. Privileges: none. Source: proc_stat(5),
    proc_loadavg(5); the kernel's cgroup-v2 and scheduler/sched-bwc for limits.
    """

    interval: float = 1.0

    shell = ShellFile(__package__, "cpu.sh")
    helpers = (LIMITS,)
    slow: ClassVar[bool] = True
    seconds: ClassVar[float] = 60.0

    @property
    def arguments(self) -> tuple[str, ...]:
        return f"{SETTLE_SECONDS:g}", f"{self.interval:g}", str(max(1, round(self.interval)))

    def parse(self, answer: Answer) -> CpuUsage:
        first, second, load = (answer.block(name) for name in ("first", "second", "load"))
        if not (first and first.lines and second and second.lines and load and load.lines):
            raise answer.failure("CPU usage", "/proc/stat was not read twice")
        before, after = _times(first.lines[0]), _times(second.lines[0])
        # iowait may run backwards, says proc_stat(5).
        spent = [max(0, b - a) for a, b in zip(before, after, strict=True)]
        total = sum(spent)
        if total == 0:
            raise ProbeError("CPU usage could not be determined: no time passed between the two samples")
        averages = load.lines[0].split()
        if len(averages) < 3:
            raise ProbeError("the load averages could not be determined: /proc/loadavg has too few fields")
        cores = sum(1 for line in second.lines if re.match(r"cpu\d+ ", line)) or 1
        busy, limit = 100.0 * (total - spent[3] - spent[4]) / total, limits(answer).cores
        if limit is not None and limit < cores:
            busy = 100.0 * cores_used(answer) / limit
        else:
            limit = None
        return CpuUsage(
            busy_percent=busy,
            cores=cores,
            load_1=decimal(averages[0], "load average"),
            load_5=decimal(averages[1], "load average"),
            load_15=decimal(averages[2], "load average"),
            iowait_percent=100.0 * spent[4] / total,
            limit_cores=limit,
        )


def _times(line: str) -> list[int]:
    """user nice system idle iowait irq softirq steal; guest and guest_nice, which follow, are inside the first two."""
    fields = line.split()
    if len(fields) < 5 or fields[0] != "cpu":
        raise ProbeError("CPU usage could not be determined: /proc/stat does not start with the line of all CPUs")
    values = [integer(field, "CPU time") for field in fields[1:9]]
    return values + [0] * (8 - len(values))
