"""A run that has ended, as the reports that options ask for are written from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from opsverify.reporting.digest import Heading
from opsverify.reporting.results import Result


@dataclass(frozen=True)
class FinishedRun:
    """What is known when everything is: every result and the exit code."""

    heading: Heading
    results: Sequence[Result]
    """One per check and target, worst first."""
    exit_code: int
    seconds: float
    """How long it took, whatever happened to the clock meanwhile."""
    stopped: str = ""
    """Why it did not get to its end, as a sentence; empty when it did."""

    @property
    def partial(self) -> bool:
        """Whether checks that were asked for are missing."""
        return bool(self.stopped)

    @property
    def started(self) -> datetime:
        """UTC."""
        return (self.heading.started or datetime.now(UTC) - timedelta(seconds=self.seconds)).astimezone(UTC)

    @property
    def ended(self) -> datetime:
        """UTC."""
        return self.started + timedelta(seconds=self.seconds)
