"""For how much of the time a promise was kept, by what runs found. Pure.

A verdict holds from the run that reached it until the next run that judged the same promise of the same target, but
not longer than `holds` says: who does not look does not know. What becomes of time:

    kept, warned   the promise held; warned: between the limits of its band
    broken         an alert
    waived         an alert that somebody answers for: the promise was broken all the same
    unknown        undetermined, blocked or a broken check; and gaps: before the first run, or too long after the last
    excused        not applicable there

A promise about several targets is as well as the worst of them. Availability is what was kept or warned, of the time
of which it is known whether the promise held; the share that is not known stands beside it, never in it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from itertools import zip_longest

from opsverify.history.records import PastResult
from opsverify.reporting.results import Outcome

PERIODS = {"daily": 1, "weekly": 7, "monthly": 31}
"""Days between two runs of a schedule. Those that are not here follow no calendar."""
HELD_WITHOUT_SCHEDULE = timedelta(days=31)
"""What is verified with a deployment only is known for so long."""


class State(str, Enum):
    """What is known of a promise at a time, from best to worst."""

    EXCUSED = "excused"
    KEPT = "kept"
    WARNED = "warned"
    WAIVED = "waived"
    UNKNOWN = "unknown"
    BROKEN = "broken"


_RANKS = {state: rank for rank, state in enumerate(State)}
_STATES = {
    Outcome.NORMAL: State.KEPT,
    Outcome.WARNING: State.WARNED,
    Outcome.ALERT: State.BROKEN,
    Outcome.WAIVED: State.WAIVED,
    Outcome.NOT_APPLICABLE: State.EXCUSED,
}

Shares = Mapping[State, float]
"""Shares of a time span; they add up to 1."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A time in which a state was known; `start` (aware) belongs to it, `end` does not."""

    start: datetime
    end: datetime
    state: State


@dataclass(frozen=True, slots=True)
class Subject:
    """A promise, by its item's id, of one target."""

    runbook: str
    target_kind: str
    target: str


@dataclass(frozen=True, slots=True)
class Finding:
    """What one run made of a subject. `waiver` is the sentence of what was waived, "" otherwise."""

    when: datetime
    outcome: Outcome
    severity: str
    waiver: str = ""

    @property
    def state(self) -> State:
        """What is known from then on."""
        return _STATES.get(self.outcome, State.UNKNOWN)


def findings(results: Iterable[PastResult]) -> dict[Subject, list[Finding]]:
    """What runs found, by subject, oldest first. Of several checks of one promise in a run, the worst counts."""
    found: dict[Subject, dict[datetime, Finding]] = {}
    for one in results:
        of_subject = found.setdefault(Subject(one.runbook, one.target_kind, one.target), {})
        finding = Finding(one.started_at, Outcome(one.verdict), one.severity, one.waiver)
        before = of_subject.get(one.started_at)
        if before is None or _RANKS[before.state] < _RANKS[finding.state]:
            of_subject[one.started_at] = finding
    return {subject: [by_run[when] for when in sorted(by_run)] for subject, by_run in found.items()}


def holds(schedule: Iterable[str]) -> timedelta:
    """How long a verdict is believed: twice the shortest period of its schedule, so that one run may be missed."""
    periods = [PERIODS[one] for one in schedule if one in PERIODS]
    return timedelta(days=2 * min(periods)) if periods else HELD_WITHOUT_SCHEDULE


def timeline(found: Sequence[Finding], held: timedelta) -> list[Segment]:
    """What is known of one subject, oldest first, without overlaps; gaps are left out."""
    segments = []
    for one, following in zip_longest(found, found[1:]):
        end = one.when + held if following is None else min(following.when, one.when + held)
        if end > one.when:
            segments.append(Segment(one.when, end, one.state))
    return segments


def worst(timelines: Iterable[Sequence[Segment]]) -> list[Segment]:
    """Several timelines as one: at every moment, the worst state that any of them knows."""
    moments: dict[datetime, Counter[State]] = {}
    for segment in (segment for one in timelines for segment in one):
        moments.setdefault(segment.start, Counter())[segment.state] += 1
        moments.setdefault(segment.end, Counter())[segment.state] -= 1
    merged: list[Segment] = []
    standing: Counter[State] = Counter()
    begun: tuple[datetime, State] | None = None
    for moment in sorted(moments):
        standing.update(moments[moment])
        known = [state for state, count in standing.items() if count]
        state = max(known, key=_RANKS.__getitem__, default=None)
        if begun and begun[1] is not state:
            merged.append(Segment(begun[0], moment, begun[1]))
            begun = None
        if begun is None and state is not None:
            begun = moment, state
    return merged


def shares(segments: Sequence[Segment], start: datetime, end: datetime) -> Shares:
    """For which share of the time from `start` to `end` each state held. `segments` are one timeline, in order.

    Raises ValueError for an empty time span.
    """
    if end <= start:
        raise ValueError("a time span that ends before it begins")
    spent = dict.fromkeys(State, timedelta())
    for segment in segments[max(0, bisect_right(segments, start, key=_begin) - 1) :]:
        if segment.start >= end:
            break
        spent[segment.state] += max(timedelta(), min(segment.end, end) - max(segment.start, start))
    spent[State.UNKNOWN] += (end - start) - sum(spent.values(), timedelta())
    return {state: time / (end - start) for state, time in spent.items()}


def availability(of: Shares) -> float | None:
    """What was kept, from 0 to 1, of the time that is known; None where nothing is."""
    held = of[State.KEPT] + of[State.WARNED]
    known = held + of[State.BROKEN] + of[State.WAIVED]
    return held / known if known > 0 else None


def mean(several: Sequence[Shares]) -> Shares:
    """The mean of several shares, each of the same weight; all of it unknown where there are none."""
    if not several:
        return dict.fromkeys(State, 0.0) | {State.UNKNOWN: 1.0}
    return {state: sum(one[state] for one in several) / len(several) for state in State}


def _begin(segment: Segment) -> datetime:
    return segment.start
