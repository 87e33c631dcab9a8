"""The server's clock beside ours."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from opsverify.probes.postgres.question import Server, Statement, Steps, time_of


@dataclass(frozen=True)
class Clock:
    """Answer: `ClockFacts`. Any role."""

    weight: ClassVar[int] = 0  # first in line: what it waits for others would widen its uncertainty

    def steps(self, server: Server) -> Steps:
        """One query."""
        result = yield Statement("SELECT clock_timestamp() AS now")
        return ClockFacts(time_of(result.rows[0]["now"]), result.sent_at, result.seconds)


@dataclass(frozen=True)
class ClockFacts:
    """The server's clock_timestamp() beside our clock when the query was sent."""

    remote: datetime
    local: datetime
    round_trip_seconds: float

    @property
    def offset_seconds(self) -> float:
        """Their clock minus ours, best estimate; positive: theirs is ahead."""
        return (self.remote - self.local - timedelta(seconds=self.round_trip_seconds / 2)).total_seconds()

    @property
    def uncertainty_seconds(self) -> float:
        """The truth lies within this of `offset_seconds`."""
        return self.round_trip_seconds / 2
