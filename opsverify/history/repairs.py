"""How long what failed stayed so, and whether somebody responded in time. Pure.

A spell is from the first run that found a failure to the first run after it that found none. Nobody writes down when
somebody responded: that the finding was gone is the proof that it was, so who has repaired something runs the suite
again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from opsverify.history.availability import Finding, Subject
from opsverify.reporting.results import Outcome

BROKEN = frozenset({Outcome.ALERT})
REPAIRED = frozenset({Outcome.NORMAL, Outcome.WARNING})
"""What a repair is measured by: a promise was broken, and held again. A waiver repairs nothing."""
FAILED = frozenset(outcome for outcome in Outcome if outcome.failed)
SETTLED = frozenset(outcome for outcome in Outcome if not outcome.failed)
"""What a response is measured by: a person had to act, and has to no more. A waiver is an answer."""


@dataclass(frozen=True)
class Spell:
    """A failure of a subject; `ended` is None where no run has found it gone."""

    subject: Subject
    severity: str
    """As it was when it began."""
    began: datetime
    ended: datetime | None

    @property
    def lasted(self) -> timedelta | None:
        return None if self.ended is None else self.ended - self.began


class Response(str, Enum):
    """Whether somebody responded to a finding before its respond-by time."""

    MET = "met"
    MISSED = "missed"
    OPEN = "open"


@dataclass(frozen=True)
class Repairs:
    """The repairs of one severity. `mean` is None where nothing was repaired."""

    repaired: int
    open: int
    mean: timedelta | None
    longest: timedelta | None


def spells(
    found: Mapping[Subject, Sequence[Finding]], starts: Collection[Outcome], ends: Collection[Outcome]
) -> list[Spell]:
    """All spells, in the order of their begin: from an outcome of `starts` to the first of `ends`."""
    told: list[Spell] = []
    for subject, runs in found.items():
        first: Finding | None = None
        for one in runs:
            if first is None and one.outcome in starts:
                first = one
            elif first is not None and one.outcome in ends:
                told.append(Spell(subject, first.severity, first.when, one.when))
                first = None
        if first is not None:
            told.append(Spell(subject, first.severity, first.when, None))
    return sorted(told, key=lambda spell: (spell.began, spell.subject.runbook, spell.subject.target))


def repairs(of: Iterable[Spell]) -> dict[str, Repairs]:
    """The mean time to repair, by severity, in the severities' order. What is not repaired yet is no part of it."""
    by_severity: dict[str, list[Spell]] = {}
    for spell in of:
        by_severity.setdefault(spell.severity, []).append(spell)
    return {severity: _repairs(by_severity[severity]) for severity in sorted(by_severity)}


def _repairs(of: Sequence[Spell]) -> Repairs:
    lasted = [spell.lasted for spell in of if spell.lasted is not None]
    mean = sum(lasted, timedelta()) / len(lasted) if lasted else None
    return Repairs(len(lasted), len(of) - len(lasted), mean, max(lasted, default=None))


def response(spell: Spell, due: datetime, now: datetime) -> Response:
    """Whether a finding was gone when somebody should have responded."""
    if spell.ended is None:
        return Response.OPEN if now <= due else Response.MISSED
    return Response.MET if spell.ended <= due else Response.MISSED
