"""How many probes run at once, so that a run never turns red because it is itself too busy."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

AT_LEAST, EACH_PROCESSOR, AT_MOST = 16, 16, 64
"""Probes at once: most of a probe's time is waiting. Twice as many gain nothing on two processors (measured over ssh:
16 at once are as fast as 64), and let answers wait for us."""
FILES_EACH = 8
"""Open files that a probe may need: its connection, pipes to what it starts, what it reads."""
STALLED_SECONDS = 2.0
"""A probe that has run longer waits for its target and costs next to nothing: another may start beside it."""
MOST_STALLED = 512
BUSY = 0.9
"""Of all processors' time: above it, answers wait for this machine."""
LOOK_SECONDS = 0.5


@dataclass
class Concurrency:
    """The turns of one collection. `most` probes that have just started, and `in_all` with those that only wait."""

    most: int
    in_all: int
    _seen: tuple[float, float] | None = field(default=None, init=False)
    _began: tuple[float, float] | None = field(default=None, init=False)
    _looked: float = field(default=0.0, init=False)
    _busy_now: float = field(default=0.0, init=False)
    busy: float | None = field(default=None, init=False)
    """How much of this machine's processors was in use while evidence was collected, 0 to 1; None: not known."""

    @classmethod
    def of_this_machine(cls, most: int | None = None) -> Concurrency:
        """What its processors and the limit of open files allow, or `most` probes that work at the same time."""
        files = _open_files() // FILES_EACH
        fitting = min(AT_MOST, max(AT_LEAST, EACH_PROCESSOR * _processors()))
        count = max(1, min(most or fitting, files))
        return cls(count, max(count, min(MOST_STALLED, files)))

    def look(self, now: float) -> bool:
        """Whether this machine is busy now: nobody knows then who waits for whom. Called a few times a second."""
        if now - self._looked > LOOK_SECONDS:
            seen = _processor_seconds()
            self._busy_now = _share(self._seen, seen) or 0.0
            self._looked, self._seen = now, seen
        return self._busy_now >= BUSY

    def free(self, started: Sequence[float], now: float) -> bool:
        """Whether another probe may start, where those that run have `started` at these moments."""
        if self.look(now):
            return len(started) < max(1, self.most // 2)
        if len(started) < self.most:
            return True
        return len(started) < self.in_all and sum(now - moment < STALLED_SECONDS for moment in started) < self.most

    @contextmanager
    def measured(self) -> Iterator[None]:
        """While evidence is collected."""
        self._began = self._seen = _processor_seconds()
        self._looked = time.monotonic()
        try:
            yield
        finally:
            self.busy = _share(self._began, _processor_seconds())


def _share(before: tuple[float, float] | None, after: tuple[float, float] | None) -> float | None:
    if before is None or after is None or after[1] <= before[1]:
        return None
    return (after[0] - before[0]) / (after[1] - before[1])


def _processor_seconds() -> tuple[float, float] | None:
    """(in use, in all) of all processors, in ticks since the system started; None where the system does not say.

    Source: proc(5), /proc/stat: user nice system idle iowait irq softirq steal.
    """
    with suppress(OSError, ValueError, IndexError):
        ticks = [float(text) for text in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
        return sum(ticks) - ticks[3] - ticks[4], sum(ticks)
    return None


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _open_files() -> int:
    import resource

    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return 65536 if soft == resource.RLIM_INFINITY else soft
