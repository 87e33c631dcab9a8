"""What is new, worse, known or recovered, from how a check ended before. Pure.

Time decides nothing here: what came before is what was written before, so that a clock that was wrong once can make an
age wrong while that failure lasts, and no state, ever.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import pairwise, takewhile
from typing import NamedTuple

from opsverify.reporting.change import Change, State
from opsverify.reporting.results import Outcome, Result

RECENT = 10
"""So many judgements are what flapping is about: ten nights, or ten deployments. Judgements and not days, as a check
that runs weekly flaps as well as one that runs hourly."""

FLAPS = 3
"""So many changes between good and bad among RECENT are flapping: a failure and its repair are two; the third says that
the repair did not last."""

MOST_SPELLS = 32
"""So many are remembered of a check: RECENT judgements with a silence between any two are 20."""


class Check(NamedTuple):
    """One check of one target of an environment, however the run was started: with several environments, pytest's
    node id of the same check is another."""

    runbook: str
    function: str
    target: str
    target_kind: str


class Spell(NamedTuple):
    """Runs in a row in which a check ended with the same verdict. Runs that did not ask it are not among them."""

    verdict: str
    runs: int
    began: datetime
    """When the first of them began, by the clock of the machine that ran it."""


Spells = tuple[Spell, ...]
"""How a check ended, oldest first."""


def check_of(result: Result) -> Check:
    """What a result is a result of."""
    function = result.nodeid.partition("[")[0].rpartition("::")[2]
    return Check(result.runbook, function, result.target, result.target_kind)


def remembered(result: Result, *, partial: bool) -> bool:
    """Whether a result says something to later runs.

    What is not applicable says nothing; nor does a silence in a run that did not get to its end, which was of the run.
    """
    outcome = result.outcome
    return bool(result.runbook) and outcome is not Outcome.NOT_APPLICABLE and (outcome.judged or not partial)


def lengthened(spells: Spells, verdict: str, began: datetime) -> Spells:
    """The same with one more run."""
    if spells and spells[-1].verdict == verdict:
        last = spells[-1]
        return (*spells[:-1], Spell(verdict, last.runs + 1, min(last.began, began)))
    return (*spells, Spell(verdict, 1, began))[-MOST_SPELLS:]


def change(earlier: Spells, outcome: Outcome, now: datetime) -> Change | None:
    """The state of a result that ended so in a run that began `now`; None where there is nothing to tell.

    Judgements are held against judgements: a run that could not find out what a check promises makes it neither new
    nor recovered. A silence is held against the last run, whatever that was, since it hides what may have happened.
    A waived failure goes on failing, so that its age is right; when nobody answers for it any more, it is worse.
    """
    if outcome in (Outcome.WAIVED, Outcome.NOT_APPLICABLE):
        return None
    if not outcome.judged:
        return _found(earlier, lambda then: not then.judged, now)
    judged = tuple(spell for spell in earlier if Outcome(spell.verdict).judged)
    was = Outcome(judged[-1].verdict) if judged else Outcome.NORMAL
    if outcome is was is Outcome.NORMAL:
        return None
    unsteady = flapping(judged, outcome)
    if outcome is Outcome.NORMAL:
        runs, days, since = _row(judged, lambda then: then is not Outcome.NORMAL, now)
        return Change(State.RECOVERED, was.value, runs, days, since, unsteady)
    if outcome is Outcome.ALERT and was in (Outcome.WARNING, Outcome.WAIVED):
        return Change(State.WORSE, was.value, since=_iso(now), flapping=unsteady)
    as_bad = {Outcome.ALERT, Outcome.WAIVED, outcome}
    return replace(_found(judged, lambda then: then in as_bad, now), flapping=unsteady)


def flapping(judged: Sequence[Spell], outcome: Outcome) -> bool:
    """Whether a check that ends so now went from good to bad and back FLAPS times among its RECENT judgements."""
    good = [spell.verdict == Outcome.NORMAL.value for spell in judged for _ in range(min(spell.runs, RECENT))]
    recent = [*good, outcome is Outcome.NORMAL][-RECENT:]
    return sum(before != after for before, after in pairwise(recent)) >= FLAPS


def _found(spells: Spells, same: Callable[[Outcome], bool], now: datetime) -> Change:
    """New, or known where the last runs in a row found the same."""
    runs, days, since = _row(spells, same, now)
    return Change(State.KNOWN if runs else State.NEW, runs=runs + 1, days=days, since=since)


def _row(spells: Spells, same: Callable[[Outcome], bool], now: datetime) -> tuple[int, int, str]:
    """How many of the last runs in a row found the same, for how many days, and since when; now, where none did."""
    found = list(takewhile(lambda spell: same(Outcome(spell.verdict)), reversed(spells)))
    began = min((spell.began for spell in found), default=now)
    return sum(spell.runs for spell in found), max((now - began).days, 0), _iso(began)


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")
