"""An environment's history as its pages show it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from opsverify.history.availability import (
    Finding,
    Segment,
    Shares,
    Subject,
    availability,
    findings,
    holds,
    mean,
    shares,
    timeline,
    worst,
)
from opsverify.history.records import PastResult
from opsverify.history.repairs import BROKEN, FAILED, REPAIRED, SETTLED, Repairs, Spell, repairs, spells
from opsverify.site.about import About

WINDOWS = (30, 90)
"""Days over which availability is told."""


@dataclass(frozen=True)
class Promise:
    """One item: what it promises, and all that is known of it. `segments` are the worst of its targets."""

    id: str
    title: str
    severity: str
    schedule: Sequence[str]
    targets: int
    findings: Sequence[Finding]
    segments: Sequence[Segment]
    breaks: Sequence[Spell]
    """Alerts, until they were repaired."""
    failures: Sequence[Spell]
    """All that a person had to act on, until it was settled."""


@dataclass(frozen=True)
class Window:
    """The last `days` of a promise."""

    shares: Shares
    available: float | None


@dataclass(frozen=True)
class Kept:
    """How well promises were kept in the windows, by their days."""

    promises: Sequence[tuple[Promise, dict[int, Window]]]
    all: dict[int, Window]
    """The mean over all promises that were ever asked for: each has the same weight."""
    daily: Sequence[tuple[datetime, Shares]]
    """The same for each of the last days of the longest window: when it began, and its shares."""
    repairs: Mapping[str, Repairs]
    """Within the longest window, by severity."""


def promises(results: Iterable[PastResult], about: About, language: str) -> list[Promise]:
    """Every item of the runbook, in its order, and those that the history knows and the runbook does not any more."""
    by_item: dict[str, dict[Subject, list[Finding]]] = {}
    for subject, found in findings(results).items():
        by_item.setdefault(subject.runbook, {})[subject] = found
    names = [*about.items, *sorted(by_item.keys() - about.items.keys())]
    return [_promise(name, by_item.get(name, {}), about, language) for name in names]


def _promise(name: str, found: Mapping[Subject, Sequence[Finding]], about: About, language: str) -> Promise:
    item = about.items.get(name)
    schedule = item.schedule if item else ()
    held = holds(schedule)
    every = sorted((one for runs in found.values() for one in runs), key=lambda one: one.when)
    severity = item.severity.value if item else every[-1].severity
    return Promise(
        id=name,
        title=item.title.in_language(language) if item else "",
        severity=severity,
        schedule=schedule,
        targets=sum(bool(subject.target) for subject in found),
        findings=every,
        segments=worst(timeline(runs, held) for runs in found.values()),
        breaks=spells(found, BROKEN, REPAIRED),
        failures=spells(found, FAILED, SETTLED),
    )


def kept(promises: Sequence[Promise], now: datetime) -> Kept:
    """How well promises were kept until now; of those that were never asked for, nothing is told."""
    known = [promise for promise in promises if promise.findings]
    windows = [(promise, {days: _window(promise.segments, now, days) for days in WINDOWS}) for promise in known]
    means = {days: mean([of[days].shares for _, of in windows]) for days in WINDOWS}
    since = now - timedelta(days=max(WINDOWS))
    begins = [since + timedelta(days=n) for n in range(max(WINDOWS))]
    return Kept(
        promises=windows,
        all={days: Window(of, availability(of)) for days, of in means.items()},
        daily=[(start, mean([_day(one.segments, start) for one in known])) for start in begins],
        repairs=repairs(spell for one in known for spell in one.breaks if since <= spell.began <= now),
    )


def _day(segments: Sequence[Segment], start: datetime) -> Shares:
    return shares(segments, start, start + timedelta(days=1))


def _window(segments: Sequence[Segment], now: datetime, days: int) -> Window:
    of = shares(segments, now - timedelta(days=days), now)
    return Window(of, availability(of))
