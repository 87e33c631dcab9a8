"""How long a probe may take."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from opsverify.errors import Unreachable


class Deadline:
    """A moment after which a probe must have ended. Made where the probe runs: monotonic clocks do not travel."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._end = time.monotonic() + seconds

    def __reduce__(self) -> tuple[type[Deadline], tuple[float]]:
        return Deadline, (self.seconds,)

    @property
    def left(self) -> float:
        """Seconds left; none or less when it has passed."""
        return self._end - time.monotonic()

    def remaining(self, at_most: float | None = None) -> float:
        """Seconds left, > 0 and never more than `at_most`; raises Unreachable when there are none."""
        left = self.left
        if left <= 0:
            raise Unreachable(f"no answer within {self.seconds:g} s")
        return left if at_most is None else min(left, at_most)

    @contextmanager
    def paused(self, at_most: float) -> Iterator[None]:
        """Leave out time, at most so many seconds, for which its target is not to blame: its turn has not come."""
        began = time.monotonic()
        try:
            yield
        finally:
            self._end += min(time.monotonic() - began, at_most)
