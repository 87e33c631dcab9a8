"""One plain text for all that one channel is told by one run: worst first, and what is alike is said once. Pure.

Programs that show it may take text for markup: links with other words on them, mentions that wake up everybody. What
targets say is made such that none of them does; there is no HTML and no Markdown in a message at all.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from opsverify.notify.state import Kind, severity
from opsverify.reporting.digest import Concern, concerns, counts, counts_text
from opsverify.reporting.ranges import short
from opsverify.reporting.results import Result

MOST_ENTRIES = 30
"""More than these nobody reads on a telephone; the report has all."""
_LONGEST = 600
_MARKUP = re.compile(r"<(?=\S)|(?<=\S)>|(?<![\w.+-])@(?=\w)|(?<=\])\(|(?<=[A-Za-z]):(?=//)")
_HARMLESS = {"<": "‹", ">": "›", "@": "‹at›", "(": " (", ":": "[:]"}


@dataclass(frozen=True)
class Event:
    """One finding that a channel is told of."""

    kind: Kind
    result: Result
    """As it is, or was when it failed last."""
    since: datetime
    ending: str = ""


@dataclass(frozen=True)
class Frame:
    """What every message of a run says of the run itself."""

    environment: str
    title: str
    zone: Any
    """The time zone of its people, a tzinfo."""
    now: datetime
    revision: str = ""
    report_url: str = ""
    partial: bool = False
    remembered: bool = True
    """Whether there is a history: without one, everything is new in every run."""
    results: tuple[Result, ...] = ()
    """All results of this run, as the report has them."""


@dataclass(frozen=True)
class Message:
    """What leaves: `title` fits into a subject or a text message, `text` has all."""

    title: str
    text: str
    body: dict[str, Any] = field(default_factory=dict)
    """The same for programs, as JSON."""

    @property
    def whole(self) -> str:
        """Title and text, where a channel takes but one."""
        return f"{self.title}\n{self.text}"


def harmless(text: str) -> str:
    """What a target says, in one bounded line that no program takes for markup, a mention or a link."""
    line = " ".join(text.split())
    line = line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"
    return _MARKUP.sub(lambda match: _HARMLESS[match.group()], line)


def message(frame: Frame, events: Sequence[Event]) -> Message:
    """What one channel is told."""
    by_kind = {kind: [event for event in events if event.kind is kind] for kind in Kind}
    what = tally(events)
    worst = min((severity(event.result) for event in events if event.kind.failing), default="")
    title = " ".join(part for part in (worst, f"{frame.title}:", what) if part)
    lines = [_of_the_run(frame)]
    if frame.report_url:
        lines.append(f"Report: {frame.report_url}")
    if frame.partial:
        lines.append("PARTIAL: the run did not get to its end, checks are missing")
    if not frame.remembered:
        lines.append(
            "Without a history that can be used, every run tells all that fails, and nothing of what recovered"
        )
    left, entries = MOST_ENTRIES, []
    for kind, of_kind in by_kind.items():
        told = [(_lines(kind, one, of_kind, frame), one) for one in _concerns(of_kind, frame.results)]
        if told:
            lines += ["", f"{kind.value.capitalize()}:"]
            lines += [line for entry, _ in told[:left] for line in entry]
            lines += [f"and {len(told) - left:,} more, see the report"] if len(told) > left else []
            left = max(0, left - len(told))
        entries += [_body(kind, concern) for _, concern in told]
    body = {
        "kind": "findings",
        "environment": frame.environment,
        "title": title,
        "text": "\n".join(lines),
        "severity": worst,
        "time": frame.now.astimezone(frame.zone).isoformat(timespec="seconds"),
        "revision": frame.revision,
        "report_url": frame.report_url,
        "partial": frame.partial,
        "counts": {outcome.value: n for outcome, n in counts(frame.results).items()},
        "findings": entries,
    }
    return Message(title, "\n".join(lines), body)


def trial(frame: Frame, channel: str) -> Message:
    """What `--notify-test` sends: nobody must take it for an alarm."""
    title = f"TEST {frame.title}: no action needed"
    when = _when(frame.now, frame)
    text = f"A test of the channel {channel}, sent by hand with --notify-test on {when}. Nothing is wrong."
    return Message(title, text, {"kind": "test", "environment": frame.environment, "title": title, "text": text})


def tally(events: Iterable[Event]) -> str:
    """`2 new, 1 recovered`."""
    kinds = [event.kind for event in events]
    return ", ".join(f"{kinds.count(kind):,} {kind.value}" for kind in Kind if kind in kinds)


def _of_the_run(frame: Frame) -> str:
    revision = f", revision {frame.revision[:12]}" if frame.revision else ""
    return f"{_when(frame.now, frame)}{revision}: {counts_text(frame.results)}"


def _when(moment: datetime, frame: Frame) -> str:
    return f"{moment.astimezone(frame.zone):%Y-%m-%d %H:%M %Z}"


def _concerns(events: Sequence[Event], everything: Sequence[Result]) -> list[Concern]:
    """As the terminal groups them; what failed is shown as it failed, also where it has recovered."""
    own = {event.result.nodeid for event in events}
    others = [result for result in everything if result.nodeid not in own]
    return concerns((event.result for event in events), others)


def _lines(kind: Kind, concern: Concern, events: Sequence[Event], frame: Frame) -> list[str]:
    name = harmless(concern.name)
    about = {result.nodeid for result in concern.results}
    since = min(event.since for event in events if event.result.nodeid in about)
    when = _when(since, frame)
    if not kind.failing:
        endings = {event.ending for event in events if event.result.nodeid in about and event.ending}
        why = f": {harmless(sorted(endings)[0])}" if endings else ""
        return [f"{concern.severity}  {name} (failed since {when}){why}"]
    first = "  ".join(part for part in (concern.severity, name, harmless(concern.told)) if part)
    by = datetime.fromisoformat(concern.respond_by) if concern.respond_by else None
    due = f" (respond by {_when(by, frame)})" if by else ""
    again = f" (since {when})" if kind is not Kind.NEW or since < frame.now else ""
    return [first + again, f"    → {' '.join(concern.to_do.split())}{due}"]


def _body(kind: Kind, concern: Concern) -> dict[str, Any]:
    failing = kind.failing
    targets = list(dict.fromkeys(result.target for result in concern.results if result.target))
    return {
        "kind": kind.value,
        "severity": concern.severity,
        "name": concern.name,
        "checks": sorted({result.runbook for result in concern.results if result.runbook}),
        "targets": short(targets) if targets else "",
        "verdict": concern.outcome.value,
        "finding": concern.told if failing else "",
        "advice": concern.to_do if failing else "",
        "respond_by": concern.respond_by if failing else "",
    }
