"""What a run comes to, before it is laid out: counts, the list of what needs a person, and the headline.

The terminal and the HTML report both start from here, so that they cannot disagree. Pure functions of results.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from opsverify.reporting.results import Outcome, Result

_RANKS = {
    Outcome.ALERT: 0,
    Outcome.BROKEN: 1,
    Outcome.UNDETERMINED: 1,
    Outcome.BLOCKED: 1,
    Outcome.WARNING: 2,
    Outcome.WAIVED: 3,
    Outcome.NOT_APPLICABLE: 4,
    Outcome.NORMAL: 5,
}

LABELS = {
    Outcome.NORMAL: "normal",
    Outcome.WARNING: "warned",
    Outcome.ALERT: "alert",
    Outcome.UNDETERMINED: "undetermined",
    Outcome.BLOCKED: "blocked",
    Outcome.BROKEN: "broken",
    Outcome.WAIVED: "waived",
    Outcome.NOT_APPLICABLE: "not applicable",
}
"""How the line of counts calls them."""

UNKNOWN_SEVERITY = "--"
"""Of what is no check of the runbook: a file that could not be read, a worker that died."""


_MOST_NAMES = 8


@dataclass(frozen=True)
class Heading:
    """What a report must say at its top: which system, and when."""

    environment: str
    """The environment's name (several joined by " + ")."""
    title: str = ""
    """As people call it, with the slot."""
    slot: str = ""
    language: str = "en"
    started: datetime | None = None

    @property
    def label(self) -> str:
        """`production (slot green)`, or the environment's own title."""
        if self.title:
            return self.title
        return f"{self.environment} (slot {self.slot})" if self.slot else self.environment


@dataclass(frozen=True)
class Concern:
    """One line for a person: a check that did not pass, or one cause behind many."""

    severity: str
    subject: str
    finding: str
    advice: str
    respond_by: str
    outcome: Outcome
    results: tuple[Result, ...]


def severity(result: Result) -> str:
    """The check's severity; `--` for what is no check."""
    return result.severity if result.runbook else UNKNOWN_SEVERITY


def worst_first(results: Iterable[Result]) -> list[Result]:
    """Alerts by severity, then what could not be determined, warnings, waived, not applicable, normal."""
    return sorted(results, key=lambda r: (_RANKS[r.outcome], severity(r), r.name, r.environment))


def counts(results: Iterable[Result]) -> dict[Outcome, int]:
    """How many results of each outcome; every outcome is a key."""
    by_outcome = Counter(result.outcome for result in results)
    return {outcome: by_outcome[outcome] for outcome in LABELS}


def counts_text(results: Iterable[Result]) -> str:
    """`12 normal, 1 warned, 0 alert, …`. Zeros are said too: "0 alert" is a statement, silence is none."""
    return ", ".join(
        f"{n} {LABELS[outcome]}" for outcome, n in counts(results).items() if n or outcome is not Outcome.BROKEN
    )


def figures(result: Result) -> str:
    """`observed 93 %, expected < 80 %`, or the sentence where that says more or there are no figures."""
    plain = f"observed {result.observed}, expected {result.expected}" if result.observed and result.expected else ""
    return result.sentence or plain or result.observed


def moment(iso: str) -> str:
    """`2026-03-02 10:00 UTC+09:00` from ISO 8601; what is none stays as it is."""
    try:
        return datetime.fromisoformat(iso).strftime("%Y-%m-%d %H:%M %Z").strip()
    except ValueError:
        return iso


def concerns(results: Iterable[Result]) -> list[Concern]:
    """What needs a person, worst first: by severity, and of one severity alerts before what is not known.

    Checks that one cause left without an answer are one concern.
    """
    listed: list[Concern] = []
    causes: dict[str, list[Result]] = {}
    for result in worst_first(results):
        if not result.outcome.failed:
            continue
        if result.cause and result.outcome in (Outcome.BLOCKED, Outcome.UNDETERMINED):
            causes.setdefault(result.cause, []).append(result)
        else:
            listed.append(_single(result))
    listed += [_folded(cause, members) for cause, members in causes.items()]
    return sorted(listed, key=lambda c: (c.severity, _RANKS[c.outcome], c.subject))


def warnings(results: Iterable[Result]) -> list[Concern]:
    """What is worth a look, worst first."""
    return [_single(result) for result in worst_first(results) if result.outcome is Outcome.WARNING]


def _single(result: Result) -> Concern:
    finding, advice = figures(result) or result.verdict, result.action
    if result.outcome in (Outcome.UNDETERMINED, Outcome.BLOCKED):
        finding = f"could not be determined: {finding}"
        # The runbook's instruction is for a system that is wrong, which nobody knows yet.
        advice = "find out why, then run this check again"
    elif result.outcome is Outcome.BROKEN:
        advice = "repair the check or its setting; nothing is known about the system"
    return Concern(severity(result), result.name, finding, advice, result.respond_by, result.outcome, (result,))


def _folded(cause: str, members: Sequence[Result]) -> Concern:
    noun = "check" if len(members) == 1 else "checks"
    names = ", ".join(member.name for member in members[:_MOST_NAMES])
    names += f" and {len(members) - _MOST_NAMES} more" if len(members) > _MOST_NAMES else ""
    return Concern(
        severity=min(severity(member) for member in members),
        subject=cause,
        finding="",
        advice=f"{len(members)} {noun} could not be determined: {names}",
        respond_by=min((m.respond_by for m in members if m.respond_by), default="", key=_when),
        outcome=Outcome.BLOCKED,
        results=tuple(members),
    )


def _when(iso: str) -> tuple[float, str]:
    try:
        return (datetime.fromisoformat(iso).timestamp(), iso)
    except ValueError:
        return (float("inf"), iso)


def tone(results: Sequence[Result], *, partial: bool) -> str:
    """The colour that a whole run has earned: `red`, `amber`, or `green` (all that was judged is normal)."""
    tally = counts(results)
    if not any(result.outcome.judged for result in results) or any(r.outcome.failed for r in results):
        return "red"
    return "amber" if partial or tally[Outcome.WARNING] or tally[Outcome.WAIVED] else "green"
