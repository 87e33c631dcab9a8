"""From the results of a run to messages on channels, and what of it is remembered in the history."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from opsverify.config.environment import Environment
from opsverify.config.history_location import Location
from opsverify.config.notification import Maintenance, Notify
from opsverify.history.records import HistoryError, Notice
from opsverify.notify.channels import sending
from opsverify.notify.delivery import PAUSES, deliver
from opsverify.notify.message import Event, Frame, message, tally, trial
from opsverify.notify.routes import channels_of, names_of
from opsverify.notify.state import Kind, Policy, due, observed, severity, told
from opsverify.reporting.collected import UNFINISHED
from opsverify.reporting.results import Result
from opsverify.reporting.text import Redactor


@dataclass(frozen=True)
class Telling:
    """What tells the channels of one environment."""

    environment: Environment
    location: Location
    """Its history."""
    redactor: Redactor
    revision: str = ""
    pauses: Sequence[float] = PAUSES

    @property
    def notify(self) -> Notify:
        assert self.environment.notify is not None
        return self.environment.notify

    @property
    def zone(self) -> str:
        return self.environment.timezone or "UTC"

    def frame(self, now: datetime) -> Frame:
        """What every message says of a run that has no results yet."""
        title = self.environment.title or self.environment.name
        url = self.notify.report_url or ""
        return Frame(self.environment.name, title, ZoneInfo(self.zone), now, self.revision, url)


class _Run:
    """One run of it, at one time: asked for each of many results, so that the clock is read once."""

    def __init__(self, telling: Telling, now: datetime, *, partial: bool) -> None:
        self.telling, self.now, self.partial = telling, now, partial
        self.notify = telling.notify
        self._quiet = self.notify.quiet(now, telling.zone)
        self._windows = self.notify.windows(now, telling.zone)

    def policy(self, result: Result) -> Policy:
        """What the environment wants for a finding."""
        notify = self.notify
        return Policy(notify.after.get(result.runbook, 1), notify.remind_hours.of(severity(result)), self._quiet)

    def window(self, result: Result) -> Maintenance | None:
        """The maintenance in which a result is expected; None where it is in none."""
        if not self._windows:
            return None
        names = names_of(self.telling.environment, result)
        return next((window for window in self._windows if window.matches(result.runbook, names)), None)

    def channels(self, result: Result) -> tuple[str, ...]:
        """Where a finding goes."""
        return channels_of(self.notify, result, names_of(self.telling.environment, result))


@dataclass
class Told:
    """What became of it."""

    sent: dict[str, str] = field(default_factory=dict)
    """By channel: `2 new, 1 recovered`."""
    failed: dict[str, str] = field(default_factory=dict)
    """By channel: what it was not told, and why."""
    expected: list[tuple[Result, Maintenance]] = field(default_factory=list)
    """What fails inside of a maintenance window: nobody was told."""
    remarks: list[str] = field(default_factory=list)
    """What went wrong beside, as sentences."""


def tell(telling: Telling, results: Sequence[Result], now: datetime, *, partial: bool) -> Told:
    """Tell every channel what has changed, and remember what it took. Never raises for what is outside.

    A `partial` run says what it found failing and nothing else: what it did not see may be well, or not.
    """
    outcome, looked_at, run = Told(), [], _Run(telling, now, partial=partial)
    for result in results:
        window = run.window(result)
        if window is not None:
            outcome.expected += [(result, window)] if result.outcome.failed else []
        elif not partial or (result.outcome.failed and result.sentence != UNFINISHED):
            looked_at.append(result)
    rounds, known = _without_history(run, looked_at), None
    try:
        before = _known(telling)
        if before is not None:
            # What is held is remembered before anything is sent: where that fails, nothing may be held.
            with_history = _with_history(run, looked_at, before)
            known = _remember(telling, with_history, before, now, taken=())
            rounds = with_history
    except (HistoryError, ValueError, TypeError) as error:  # and what is in it may make no sense
        outcome.remarks.append(f"NOTIFIED WITHOUT A HISTORY: {error}; every run tells all that fails")
    _deliver(run, rounds, results, outcome, remembered=known is not None)
    if known is not None:
        try:
            _remember(telling, rounds, known, now, taken=outcome.sent)
        except HistoryError as error:
            outcome.remarks.append(f"NOTIFICATIONS NOT REMEMBERED: {error}; the next run tells them again")
    return outcome


def try_channels(telling: Telling, now: datetime) -> dict[str, str]:
    """Send one marked message to every channel; why it was not taken by channel, "" where it was."""
    notify = telling.notify
    sendings = {
        name: sending(channel, trial(telling.frame(now), name), notify.seconds, telling.redactor)
        for name, channel in notify.channels.items()
    }
    return deliver(sendings, notify.seconds, telling.pauses)


@dataclass
class _Round:
    """What one channel knows after this run, and what of it is to be told."""

    known: list[Notice] = field(default_factory=list)
    """What is not to be told now."""
    due: list[tuple[Notice, Kind]] = field(default_factory=list)


_Known = Mapping[tuple[str, str], Notice]
"""By channel and node id."""


def _known(telling: Telling) -> _Known | None:
    if telling.location.off:
        return None
    from opsverify.history.store import Store

    kept = Store(telling.location).notices(telling.environment.name)
    return {(notice.channel, notice.result.nodeid): notice for notice in kept}


def _without_history(run: _Run, results: Sequence[Result]) -> dict[str, _Round]:
    """All that fails, as if it were new."""
    rounds = {name: _Round() for name in run.notify.channels}
    for result in results:
        for name in run.channels(result) if result.outcome.failed else ():
            rounds[name].due.append((Notice(name, result, run.now, run.now), Kind.NEW))
    return rounds


def _with_history(run: _Run, results: Sequence[Result], known: _Known) -> dict[str, _Round]:
    rounds = {name: _Round() for name in run.notify.channels}
    seen: dict[tuple[str, str], Notice] = {}
    for result in results:
        routed = run.channels(result) if result.outcome.failed else ()
        for name in rounds:
            before = known.get((name, result.nodeid))
            # Who was told of it is told of its end, too, wherever it leads today.
            if name in routed or before is not None:
                after = observed(before, name, result, run.policy(result), run.now)
                if after is not None:
                    seen[name, result.nodeid] = after
    looked_at = {result.nodeid for result in results}
    others = {key: notice for key, notice in known.items() if key[1] not in looked_at and key[0] in rounds}
    for key, notice in {**others, **seen}.items():
        kind = due(notice, run.policy(notice.result), run.now, seen=key in seen)
        held = run.window(notice.result) is not None or (run.partial and kind and not kind.failing)
        if kind is None or held:
            rounds[key[0]].known.append(notice)
        else:
            rounds[key[0]].due.append((notice, kind))
    return rounds


def _deliver(
    run: _Run, rounds: Mapping[str, _Round], results: Sequence[Result], outcome: Told, *, remembered: bool
) -> None:
    telling, notify = run.telling, run.notify
    frame = replace(telling.frame(run.now), partial=run.partial, remembered=remembered, results=tuple(results))
    events = {
        name: [Event(kind, notice.result, notice.since, notice.ending) for notice, kind in one.due]
        for name, one in rounds.items()
        if one.due
    }
    sendings = {
        name: sending(notify.channels[name], message(frame, of_one), notify.seconds, telling.redactor)
        for name, of_one in events.items()
    }
    for name, reason in deliver(sendings, notify.seconds, telling.pauses).items():
        if reason:
            outcome.failed[name] = f"{tally(events[name])} not delivered: {telling.redactor.printable(reason)}"
        else:
            outcome.sent[name] = tally(events[name])


def _remember(
    telling: Telling, rounds: Mapping[str, _Round], known: _Known, now: datetime, taken: Collection[str]
) -> _Known:
    """Keep what channels know after a run, of which those of `taken` took their message; raises HistoryError."""
    after: dict[tuple[str, str], Notice] = {}
    for name, one in rounds.items():
        told_now = [told(notice, kind, now) if name in taken else notice for notice, kind in one.due]
        for notice in (*one.known, *told_now):
            if notice is not None:
                after[name, notice.result.nodeid] = notice
    gone = [notice for key, notice in known.items() if key not in after and key[0] in rounds]
    changed = [notice for key, notice in after.items() if known.get(key) != notice]
    if changed or gone:
        from opsverify.history.store import Store

        Store(telling.location).keep_notices(telling.environment.name, changed, gone, now)
    return after
