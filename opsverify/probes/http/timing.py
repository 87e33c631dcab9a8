"""How long requests took, and what a server's clock said. All times are seconds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median


@dataclass(frozen=True)
class Timing:
    """Where the time of one request went, measured inside our own connection class.

    `dns`: resolving the name · `connect`: TCP, to the address that answered · `tls`: handshake and verification ·
    `first_byte`: from the request's first byte until the answer's headers had arrived · `body`: until its end ·
    `total`: all of it as a client sees it. Redirects followed are added up; a reused connection has 0 for the first
    three.
    """

    dns: float
    connect: float
    tls: float
    first_byte: float
    body: float
    total: float

    def __str__(self) -> str:
        phases = (
            f"{name} {getattr(self, name) * 1000:.0f}" for name in ("dns", "connect", "tls", "first_byte", "body")
        )
        return f"{self.total * 1000:.0f} ms ({', '.join(phases)})".replace("first_byte", "first byte")


@dataclass(frozen=True)
class Timed:
    """Facts with one `Timing` per sample, in order. Each sample used a fresh connection."""

    timings: tuple[Timing, ...]

    @property
    def timing(self) -> Timing:
        """The first sample."""
        return self.timings[0]

    @property
    def median_seconds(self) -> float:
        """Median of the samples' totals."""
        return median(timing.total for timing in self.timings)

    @property
    def worst(self) -> Timing:
        """The slowest sample with its phases."""
        return max(self.timings, key=lambda timing: timing.total)

    @property
    def worst_seconds(self) -> float:
        """Total of the slowest sample."""
        return self.worst.total


@dataclass(frozen=True)
class ClockReading:
    """A foreign clock beside ours. The Date header (RFC 9110, 6.6.1) is cut to whole seconds; nginx sets its own."""

    remote: datetime
    local: datetime
    half_round_trip: float
    resolution: float = 1.0

    @property
    def offset_seconds(self) -> float:
        """Their clock minus ours, best estimate; positive: theirs is ahead."""
        remote = self.remote + timedelta(seconds=self.resolution / 2)
        return (remote - self.local).total_seconds() + self.half_round_trip

    @property
    def uncertainty_seconds(self) -> float:
        """The truth lies within this of `offset_seconds`."""
        return self.half_round_trip + self.resolution / 2
