"""How quickly the system answers, and when its disks and certificates run out, by what runs measured. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from opsverify.history.records import Figure
from opsverify.judgements.forecast import FAR, trend
from opsverify.site.about import About

RESPONSE_ITEMS = ("api-response-time", "cats-response-time")
DISK_ITEM = "disk-usage"
FORECAST_ITEM = "disk-forecast"
CERTIFICATE_ITEM = "certificate-expiry"
MEASURED = (*RESPONSE_ITEMS, DISK_ITEM, CERTIFICATE_ITEM)
"""The items whose figures are needed."""

Points = Sequence[tuple[datetime, float]]


@dataclass(frozen=True)
class Responses:
    """Response times of one target, in ms. `windows` are (p50, p95, how many), by their days; None without figures."""

    runbook: str
    name: str
    points: Points
    windows: dict[int, tuple[float, float, int] | None]


@dataclass(frozen=True)
class Disk:
    """One file system. Times are those at which it passes `limit` (percent); without a trend they are None."""

    name: str
    points: Points
    limit: float
    used: float
    measured: datetime
    per_day: float | None = None
    expected: datetime | None = None
    """None with a `per_day`: not within a year."""
    earliest: datetime | None = None
    """With a confidence of 95 %, not before; None with a `per_day`: not within a year."""
    latest: datetime | None = None


@dataclass(frozen=True)
class Certificate:
    """One certificate. It ends when it says itself, so its forecast is certain until it is renewed."""

    name: str
    measured: datetime
    expires: datetime
    alert: datetime
    """From then on, `certificate-expiry` is an alert."""
    days: float
    """From now to `expires`."""


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest of the values that is not exceeded by `share` of them (nearest rank); ValueError without any."""
    if not values:
        raise ValueError("no values")
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def responses(figures: Iterable[Figure], now: datetime, windows: Sequence[int]) -> list[Responses]:
    """The response times of each target, in the order of their names."""
    told = []
    for (runbook, name), points in sorted(_series(one for one in figures if one.runbook in RESPONSE_ITEMS).items()):
        within = {days: [v for when, v in points if now - timedelta(days=days) <= when <= now] for days in windows}
        spans = {d: (percentile(v, 0.5), percentile(v, 0.95), len(v)) if v else None for d, v in within.items()}
        told.append(Responses(runbook, name, points, spans))
    return told


def disks(figures: Iterable[Figure], now: datetime, about: About) -> list[Disk]:
    """The file systems that were measured lately, the one that fills up first at the top."""
    days, least = about.setting(FORECAST_ITEM, "history_days"), about.setting(FORECAST_ITEM, "minimum_days")
    limit = about.limit(DISK_ITEM) or 100.0
    since = now - timedelta(days=days)
    lately = (one for one in figures if one.runbook == DISK_ITEM and since <= one.started_at <= now)
    told = [_disk(name, points, limit, least) for (_, name), points in _series(lately).items()]
    return sorted(told, key=lambda disk: (disk.expected is None, disk.expected or now, -disk.used, disk.name))


def _disk(name: str, points: Points, limit: float, least: float) -> Disk:
    measured, used = points[-1]
    line = trend(points, least)
    if line is None:
        return Disk(name, points, limit, used, measured)
    first, last = line.span_until(limit, used)

    def moment(days: float) -> datetime | None:
        return None if days >= FAR else measured + timedelta(days=days)

    expected = moment(line.days_until(limit, used))
    return Disk(name, points, limit, used, measured, line.per_day, expected, moment(first), moment(last))


def certificates(figures: Iterable[Figure], now: datetime, about: About) -> list[Certificate]:
    """The certificates of the last month's runs, the one that ends first at the top."""
    since = now - timedelta(days=31)
    lately = (one for one in figures if one.runbook == CERTIFICATE_ITEM and since <= one.started_at <= now)
    told = []
    for (_, name), points in _series(lately).items():
        measured, days = points[-1]
        expires = measured + timedelta(days=days)
        alert = expires - timedelta(days=about.limit(CERTIFICATE_ITEM) or 0)
        told.append(Certificate(name, measured, expires, alert, (expires - now) / timedelta(days=1)))
    return sorted(told, key=lambda one: (one.expires, one.name))


def _series(figures: Iterable[Figure]) -> dict[tuple[str, str], list[tuple[datetime, float]]]:
    series: dict[tuple[str, str], list[tuple[datetime, float]]] = {}
    for one in figures:
        name = " ".join(part for part in (one.target, one.about) if part)
        series.setdefault((one.runbook, name), []).append((one.started_at, one.value))
    return series
