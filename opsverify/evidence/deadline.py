"""How long a probe may take."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from opsverify.errors import Unreachable

GRACE = 2.0
"""Seconds that a probe may overrun its own deadline before it is given up."""


class Deadline:
    """A moment after which a probe must have ended. Made where the probe runs: monotonic clocks do not travel."""

    def __init__(self, seconds: float, longest: float = math.inf) -> None:
        """`longest`: seconds from now that it may move to; three times its own are never exceeded."""
        now = time.monotonic()
        self.seconds = seconds
        self.phase = ""
        """What its probe does now, for whoever waits: "restoring"."""
        self._end, self._last = now + seconds, now + max(seconds, min(longest, 3 * seconds))
        self._lock = threading.Lock()
        self._pauses, self._paused_at = 0, now

    def __reduce__(self) -> tuple[type[Deadline], tuple[float]]:
        return Deadline, (self.seconds,)

    @property
    def left(self) -> float:
        """Seconds left; none or less when it has passed."""
        now = time.monotonic()
        with self._lock:
            # A pause counts while it lasts, or it would end nothing: whoever looks meanwhile gives up.
            end = self._end + now - self._paused_at if self._pauses else self._end
            return min(end, self._last) - now

    def remaining(self, at_most: float | None = None) -> float:
        """Seconds left, > 0 and never more than `at_most`; raises Unreachable when there are none."""
        left = self.left
        if left <= 0:
            raise Unreachable(f"no answer within {self.seconds:g} s")
        return left if at_most is None else min(left, at_most)

    def move(self, seconds: float) -> None:
        """Leave out time for which the target is not to blame."""
        with self._lock:
            self._end = min(self._end + seconds, self._last)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Leave out the time that is spent here, in a queue of ours; once where several wait at the same time."""
        with self._lock:
            if not self._pauses:
                self._paused_at = time.monotonic()
            self._pauses += 1
        try:
            yield
        finally:
            with self._lock:
                self._pauses -= 1
                spent = 0.0 if self._pauses else time.monotonic() - self._paused_at
            self.move(spent)
