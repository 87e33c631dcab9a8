"""When a figure that grows will reach its limit, from what was measured of it. Pure.

The slope is Theil and Sen's: the median of the slopes between all pairs of days. Least squares would follow a single
night's backup or clean-up; this one ignores up to 29 % of such days.
"""

from __future__ import annotations

import math
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
    slowest: float
    fastest: float
    """Between these two, `per_day` lies with a confidence of 95 %; infinite where the days are too few to say."""

    def days_until(self, limit: float, now: float) -> float:
        """Days until the figure, `now`, passes `limit`: 0 where it has, `FAR` where it will not in that time."""
        return _days(self.per_day, limit, now)

    def span_until(self, limit: float, now: float) -> tuple[float, float]:
        """The earliest and the latest of `days_until` with a confidence of 95 %."""
        return _days(self.fastest, limit, now), _days(self.slowest, limit, now)


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
    slopes = sorted((v2 - v1) / (t2 - t1) for (t1, v1), (t2, v2) in combinations(points, 2) if t1 != t2)
    return Trend(median(slopes), span, *_confidence(slopes, len(points)))


def _confidence(slopes: Sequence[float], n: int) -> tuple[float, float]:
    """Between which of the sorted slopes of `n` points the median lies with 95 %.

    Source: P. K. Sen, Estimates of the Regression Coefficient Based on Kendall's Tau, 1968: the ranks that are
    1.96 standard deviations of Kendall's S apart, n (n − 1) (2 n + 5) / 18 being its variance.
    """
    width = 1.96 * math.sqrt(n * (n - 1) * (2 * n + 5) / 18)
    low, high = math.floor((len(slopes) - width) / 2), math.ceil((len(slopes) + width) / 2)
    return (slopes[low - 1] if low >= 1 else -math.inf), (slopes[high] if high < len(slopes) else math.inf)


def _days(per_day: float, limit: float, now: float) -> float:
    if now >= limit:
        return 0.0
    return FAR if per_day * FAR <= limit - now else (limit - now) / per_day
