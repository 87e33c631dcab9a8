"""One month of one promise: how often it was verified against its schedule, and what became of it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import Enum
from zoneinfo import ZoneInfo

from opsverify.history.availability import Finding, Shares, State
from opsverify.reporting.results import Outcome

WEEKS = ((1, 7), (8, 14), (15, 21), (22, 31))
"""The weeks of a month, by its days: what is weekly is due four times a month."""


class Status(str, Enum):
    """What is said of a promise in a month, in one word."""

    KEPT = "kept"
    WAIVED = "waived"
    BROKEN = "not kept"
    UNVERIFIED = "not verified"
    NOT_DUE = "not due"
    EXCUSED = "not applicable"


@dataclass(frozen=True, order=True)
class Month:
    """A month of a calendar; `name` is 2026-11."""

    year: int
    number: int

    @property
    def name(self) -> str:
        return f"{self.year:04}-{self.number:02}"

    @property
    def following(self) -> Month:
        return Month(self.year + self.number // 12, self.number % 12 + 1)

    @property
    def days(self) -> int:
        """How many days it has."""
        return (date(self.following.year, self.following.number, 1) - date(self.year, self.number, 1)).days

    def start(self, zone: ZoneInfo, day: int = 1) -> datetime:
        """When a day of it begins by that zone's clocks, in UTC; the day behind its last is the next month's first."""
        local = datetime.combine(date(self.year, self.number, 1) + timedelta(days=day - 1), time.min, zone)
        return local.astimezone(UTC)  # times of one zone are subtracted by its clocks, as if none was ever changed


@dataclass(frozen=True)
class Verified:
    """In how many of the periods in which a promise was due it was judged; `unit` is "" without a calendar."""

    asked: int
    """Runs that asked, whether or not they found out."""
    times: int
    """Runs that judged it."""
    done: int
    due: int
    unit: str


def months(first: datetime, now: datetime, zone: ZoneInfo) -> list[Month]:
    """Every month from that of `first` to the last that has begun before `now`, newest first."""
    begin = first.astimezone(zone)
    listed = [Month(begin.year, begin.month)]
    while listed[-1].following.start(zone) < now:
        listed.append(listed[-1].following)
    return listed[::-1]


def verified(
    found: Iterable[Finding], schedule: Sequence[str], month: Month, zone: ZoneInfo, now: datetime
) -> Verified:
    """How often a promise was verified, by the findings of all its targets.

    It is due once in each period of its most frequent schedule: every day, every week (days 1–7, 8–14, 15–21 and the
    rest), or once a month. A period that is not over is due when it was verified.
    """
    start, end = month.start(zone), month.following.start(zone)
    within = [one for one in found if start <= one.when < end and one.outcome is not Outcome.NOT_APPLICABLE]
    judged = {one.when for one in within if one.outcome.judged}
    days = {when.astimezone(zone).day for when in judged}
    unit = next((unit for unit in ("daily", "weekly", "monthly") if unit in schedule), "")
    periods = {
        "daily": [(day, day) for day in range(1, month.days + 1)],
        "weekly": list(WEEKS),
        "monthly": [(1, month.days)],
    }.get(unit, [])
    done = [any(first <= day <= last for day in days) for first, last in periods]
    over = [month.start(zone, min(last, month.days) + 1) <= now for _, last in periods]
    due = sum(one or two for one, two in zip(done, over, strict=True))
    return Verified(len({one.when for one in within}), len(judged), sum(done), due, unit)


def status(of: Shares, checked: Verified) -> Status:
    """The month in one word. What was broken at any time was not kept, whatever else."""
    if of[State.BROKEN]:
        return Status.BROKEN
    if of[State.WAIVED]:
        return Status.WAIVED
    if checked.times:
        return Status.KEPT
    if of[State.EXCUSED]:
        return Status.EXCUSED
    return Status.UNVERIFIED if checked.due or checked.asked else Status.NOT_DUE
