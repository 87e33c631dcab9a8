"""When a figure that grows will reach its limit, from what was measured of it. Pure.

The slope is Theil and Sen's: the median of the slopes between all pairs of days. Least squares would follow a single
night's backup or clean-up; this one ignores up to 29 % of such days.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import combinations
from statistics import median

FAR = 365.0
"""Days: what is farther off, or never, is no use telling apart."""
FEWEST_DAYS = 4
"""Days with figures: the median of fewer slopes is any one of them."""

Series = Sequence[tuple[datetime, float]]


@dataclass(frozen=True)
class Trend:
    """How a figure moves. `per_day` in its unit; `days` is the time between the first figure and the last."""

    per_day: float
    days: float

    def days_until(self, limit: float, now: float) -> float:
        """Days until the figure, `now`, passes `limit`: 0 where it has, `FAR` where it will not in that time."""
        if now >= limit:
            return 0.0
        return FAR if self.per_day * FAR <= limit - now else (limit - now) / self.per_day


def trend(series: Series, minimum_days: float) -> Trend | None:
    """The trend of a series of (aware time, figure); None where it is too short to tell."""
    by_day: dict[object, list[tuple[float, float]]] = {}
    for when, value in series:
        # One point a day, its median: many runs on one day must not outweigh the others.
        by_day.setdefault(when.date(), []).append((when.timestamp() / 86400, value))
    points = [(median(t for t, _ in day), median(v for _, v in day)) for day in by_day.values()]
    span = max((t for t, _ in points), default=0.0) - min((t for t, _ in points), default=0.0)
    if len(points) < FEWEST_DAYS or span < minimum_days:
        return None
    slopes = [(v2 - v1) / (t2 - t1) for (t1, v1), (t2, v2) in combinations(points, 2) if t1 != t2]
    return Trend(median(slopes), span)
