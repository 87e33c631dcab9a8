"""What a run comes to, before it is laid out: counts, the list of what needs a person, and the headline.

The terminal and the HTML report both start from here, so that they cannot disagree. Pure functions of results.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from opsverify.reporting.alike import Asked, Spread, alike, cause_of, causes_alike, common
from opsverify.reporting.change import State
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

SEPARATOR = " + "


@dataclass(frozen=True)
class Heading:
    """What a report must say at its top: which system, and when."""

    environment: str
    """The environment's name, or several joined by SEPARATOR."""
    title: str = ""
    """As people call it, with the slot."""
    slot: str = ""
    language: str = "en"
    started: datetime | None = None
    selection: str = ""
    """Which checks were asked for: pytest's `-m`, "daily"; empty for all."""
    revision: str = ""
    """The commit that was meant to be deployed, where the run was told."""

    @property
    def environments(self) -> list[str]:
        """The environments' names."""
        return self.environment.split(SEPARATOR)

    @property
    def label(self) -> str:
        """`production (slot green)`, or the environment's own title."""
        if self.title:
            return self.title
        return f"{self.environment} (slot {self.slot})" if self.slot else self.environment


@dataclass(frozen=True)
class Concern:
    """One line for a person: a check that did not pass, of one target or of many alike, or one cause behind many."""

    severity: str
    subject: str
    """The check and its target, the check alone where it is about many, or the cause."""
    finding: str
    """Empty where `subject` is a cause."""
    advice: str
    respond_by: str
    outcome: Outcome
    results: tuple[Result, ...]
    """What it is about; of many alike the worst first."""
    spread: Spread | None = None
    """Where it is about many targets alike; None for one."""
    example: str = ""
    """The target that `finding` is about, where others say something else: the worst one."""
    advised: str = ""
    """The target that `advice` is filled in for, where others have another."""

    @property
    def name(self) -> str:
        """`disk-usage[app1]`, or `disk-usage on 40 of 1,000 hosts: app001-app032, app040 and 7 more`."""
        return f"{self.subject} on {self.spread}" if self.spread else self.subject

    @property
    def told(self) -> str:
        """The finding, with whose it is and how far the others are from it."""
        whose = f"{'worst' if self.span else 'for example'} {self.example}: " if self.example else ""
        return whose + self.finding + (f"; {self.span}" if self.span else "")

    @property
    def fresh(self) -> bool:
        """Whether any of it is new or worse: nobody can have acted on that yet."""
        return any(result.change.state.fresh for result in self.results if result.change)

    @property
    def span(self) -> str:
        """`99 % … 91 %` where it has figures of many."""
        return self.spread.span if self.spread else ""

    @property
    def maintenance(self) -> str:
        """The maintenance windows in which all of it is expected; empty where anything of it is not."""
        windows = [result.maintenance for result in self.results]
        return "; ".join(dict.fromkeys(windows)) if all(windows) else ""

    @property
    def to_do(self) -> str:
        """The advice, with whose it is."""
        return f"{self.advice} (as for {self.advised})" if self.advised else self.advice


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


def concerns(results: Iterable[Result], others: Iterable[Result] = ()) -> list[Concern]:
    """What needs a person, worst first: by severity, of one severity what is new, and alerts before what is not known.

    Checks that one cause left without an answer are one concern, and so is what is alike about many targets. `others`
    are told nothing of, but were asked, too.
    """
    every = list(results)
    asked = Asked([*every, *others])
    found: list[Result] = []
    causes: dict[str, list[Result]] = {}
    for result in worst_first(every):
        if not result.outcome.failed:
            continue
        if result.cause and result.outcome in (Outcome.BLOCKED, Outcome.UNDETERMINED):
            causes.setdefault(result.cause, []).append(result)
        else:
            found.append(result)
    listed = [concern_of(group, asked) for group in alike(found)]
    listed += [_folded({cause: causes[cause] for cause in same}, asked) for same in causes_alike(causes)]
    return sorted(listed, key=lambda c: (c.severity, not c.fresh, _RANKS[c.outcome], c.subject))


def warnings(results: Iterable[Result]) -> list[Concern]:
    """What is worth a look, worst first, and of one severity what is new."""
    return sorted(_of(results, lambda r: r.outcome is Outcome.WARNING), key=lambda c: (c.severity, not c.fresh))


def waived(results: Iterable[Result]) -> list[Concern]:
    """The known failures that somebody answers for."""
    return _of(results, lambda r: r.outcome is Outcome.WAIVED)


def recovered(results: Iterable[Result]) -> list[Concern]:
    """What the last run that judged it found wrong, and is normal now."""
    return _of(results, lambda r: r.change is not None and r.change.state is State.RECOVERED)


def excused(results: Iterable[Result]) -> list[Concern]:
    """What does not exist here, by the environment's own word."""
    return _of(results, lambda r: r.outcome is Outcome.NOT_APPLICABLE)


def _of(results: Iterable[Result], wanted: Callable[[Result], bool]) -> list[Concern]:
    every = list(results)
    asked = Asked(every)
    return [concern_of(group, asked) for group in alike(filter(wanted, worst_first(every)))]


def concern_of(group: Sequence[Result], asked: Asked) -> Concern:
    """What is to be told of a group of `alike`."""
    first = group[0]
    spread = asked.spread(group) if len(group) > 1 else None
    finding, advice = figures(first) or first.verdict, first.action
    example = advised = ""
    if first.outcome in (Outcome.UNDETERMINED, Outcome.BLOCKED):
        finding = f"could not be determined: {common((figures(r) or r.verdict, r.target) for r in group)}"
        # The runbook's instruction is for a system that is wrong, which nobody knows yet.
        advice = "find out why, then run this check again"
    elif first.outcome is Outcome.BROKEN:
        advice = "repair the check or its setting; nothing is known about the system"
    else:
        example = first.target if len({figures(result) for result in group}) > 1 else ""
        advised = first.target if len({result.action for result in group}) > 1 else ""
    return Concern(
        severity(first),
        first.runbook if spread else first.name,
        finding,
        advice,
        _first_due(group),
        first.outcome,
        tuple(group),
        spread,
        example,
        advised,
    )


def _folded(causes: Mapping[str, Sequence[Result]], asked: Asked) -> Concern:
    """One concern of everything that one cause, or the same cause on many targets, left without an answer."""
    members = worst_first(result for results in causes.values() for result in results)
    subject, spread, listed = next(iter(causes)), None, [member.name for member in members]
    if len(causes) > 1:
        parts = [part for cause in causes if (part := cause_of(cause))]
        subject = common((part.message, part.name) for part in parts)
        spread = asked.spread_of_cause(members[0].environment, parts[0].label, (part.name for part in parts))
        listed = list(dict.fromkeys(member.runbook or member.name for member in members))
    noun = "check" if len(members) == 1 else "checks"
    names = ", ".join(listed[:_MOST_NAMES])
    names += f" and {len(listed) - _MOST_NAMES:,} more" if len(listed) > _MOST_NAMES else ""
    return Concern(
        severity=min(severity(member) for member in members),
        subject=subject,
        finding="",
        advice=f"{len(members):,} {noun} could not be determined: {names}",
        respond_by=_first_due(members),
        outcome=Outcome.BLOCKED,
        results=tuple(members),
        spread=spread,
    )


def _first_due(results: Iterable[Result]) -> str:
    return min((r.respond_by for r in results if r.respond_by), default="", key=_when)


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
