"""What one channel knows of one finding, and what it must be told now. Pure.

A run is looked at in three steps: `observed` notes what it found, `due` says whether that is to be told now, `told` is
what remains when the channel has taken it. What could not be delivered is so still due in the next run.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum

from opsverify.history.records import Notice
from opsverify.reporting.results import Outcome, Result

URGENT = "P1"
"""Told at once, also at night."""
_SLACK = timedelta(minutes=30)


class Kind(str, Enum):
    """Why a channel is told, in the order in which a message says it."""

    NEW = "new"
    WORSE = "worse"
    REMINDER = "still failing"
    RECOVERED = "recovered"
    PASSED = "failed and recovered meanwhile"
    EXCUSED = "no longer counted"

    @property
    def failing(self) -> bool:
        """Whether a person must still act."""
        return self in (Kind.NEW, Kind.WORSE, Kind.REMINDER)


@dataclass(frozen=True)
class Policy:
    """What the environment file wants for one finding."""

    after: int = 1
    """Runs in a row that must fail before it is told."""
    remind: timedelta | None = None
    """How often it is told again while it lasts; None: never."""
    quiet: bool = False
    """Whether these are quiet hours."""


def severity(result: Result) -> str:
    """How urgent a finding is. What is no check (a file that cannot be read) has no severity, and hides many."""
    return result.severity if result.runbook else "P2"


def ripe(notice: Notice, policy: Policy) -> bool:
    """Whether it failed often enough to be told."""
    return severity(notice.result) == URGENT or notice.runs >= policy.after


def observed(known: Notice | None, channel: str, result: Result, policy: Policy, now: datetime) -> Notice | None:
    """What is known after a run that had this result; None where there is nothing to tell of it, now or later."""
    if result.outcome.failed:
        if known is None:
            return Notice(channel, result, since=now, seen_at=now)
        return replace(known, result=result, seen_at=now, runs=known.runs + 1, ended_at=None, ending="")
    if known is None:
        return None
    excused = result.outcome in (Outcome.WAIVED, Outcome.NOT_APPLICABLE)
    if known.told_at is None and (excused or not ripe(known, policy)):
        return None
    return replace(known, ended_at=known.ended_at or now, ending=(result.sentence or result.verdict) if excused else "")


def due(notice: Notice, policy: Policy, now: datetime, *, seen: bool) -> Kind | None:
    """What the channel must be told of it now; None for nothing. `seen`: whether this run looked at it."""
    urgent = URGENT in (severity(notice.result), notice.told_severity)
    kind = _ended(notice) if notice.ended_at else _failing(notice, policy, now, seen=seen)
    return None if policy.quiet and not urgent else kind


def told(notice: Notice, kind: Kind, now: datetime) -> Notice | None:
    """What is known when the channel has taken it; None where that ends it."""
    if not kind.failing:
        return None
    return replace(notice, told_at=now, told_severity=severity(notice.result), told_verdict=notice.result.verdict)


def _ended(notice: Notice) -> Kind:
    if notice.ending:
        return Kind.EXCUSED
    return Kind.RECOVERED if notice.told_at else Kind.PASSED


def _failing(notice: Notice, policy: Policy, now: datetime, *, seen: bool) -> Kind | None:
    if notice.told_at is None:
        return Kind.NEW if ripe(notice, policy) else None
    if not seen:
        return None
    if _level(severity(notice.result), notice.result.verdict) < _level(notice.told_severity, notice.told_verdict):
        return Kind.WORSE
    if policy.remind is None:
        return None
    # A run every hour is never exactly an hour after the last one; and a clock that was ahead once silences nothing.
    passed = now - notice.told_at
    return Kind.REMINDER if passed >= policy.remind - min(_SLACK, policy.remind / 10) or passed < -_SLACK else None


def _level(of_severity: str, verdict: str) -> tuple[str, bool]:
    """Less is worse: by severity, and what is known to be wrong before what is not known."""
    return of_severity, verdict != Outcome.ALERT.value
