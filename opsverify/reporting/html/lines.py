"""One line for what was found: how bad, what, which figure, since when. Findings have one, and so have all checks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from html import escape

from opsverify.reporting.alike import common
from opsverify.reporting.change import Past, State
from opsverify.reporting.digest import Concern, figures, moment
from opsverify.reporting.html.drawings import gauge, kind, sparkline, strip
from opsverify.reporting.html.elements import cut
from opsverify.reporting.results import Outcome, Result
from opsverify.reporting.words import Words

Hosts = Callable[[Result], Iterable[str]]
"""On which hosts lies what a result is about."""


@dataclass(frozen=True)
class Line:
    """A line, before it is known whether there is room for what it unfolds to."""

    opening: str
    cells: str

    @property
    def size(self) -> int:
        """Bytes that it takes, without what it unfolds to."""
        return len(self.html(" ").encode())

    def html(self, details: str) -> str:
        """The line that unfolds to `details`; the line alone where that is empty."""
        body = f"<details><summary>{self.cells}</summary>{details}</details>" if details else f"<div>{self.cells}</div>"
        return f"{self.opening}{body}</li>"


@dataclass(frozen=True)
class Lines:
    """Writes lines, in the report's language. `past` is what is known of earlier runs, by node id."""

    words: Words
    hosts: Hosts
    past: Mapping[str, Past]
    several: bool = False
    """Whether the run verified several environments: then each line says of which it is."""

    def line(self, concern: Concern, place: str, *, due: bool = False) -> Line:
        """A line about a result or many alike, found under `place`; `due`: it says by when somebody must respond."""
        words, first = self.words, concern.results[0]
        level = escape(concern.severity)
        of = f"{first.environment}: " if self.several and concern.finding and first.environment else ""
        name = cut(f"{of}{words.name(concern)}")
        what = f"{cut(first.title)} <small>{name}</small>" if first.title and concern.finding else name
        cells = [
            f'<span class="ov-sev">{level}</span> <b>{escape(words(concern.outcome.value))}</b>',
            f'<span class="ov-what">{what}</span>',
        ]
        more = {"seen": cut(self.seen(concern)), "draw": self._drawn(concern), "when": self._when(concern, due=due)}
        cells += [f' <span class="ov-{name}">{html}</span>' for name, html in more.items() if html]
        opening = f'<li id="{place}" class="ov-{kind(concern.outcome)}"{self._marks(concern)}>'
        return Line(opening, "".join(cells))

    def seen(self, concern: Concern) -> str:
        """What was seen, in short: the figure, of many the span and on how many; a sentence where there is none."""
        if not concern.finding:
            return self.words.count("could not", len(concern.results))
        where = self.words.where(concern)
        if concern.span:
            return f"{concern.span}, {where}"
        seen = observed(concern.results[0])
        if not concern.example:
            seen = common((observed(result), result.target) for result in concern.results)
        return (f"{where}: " if where else "") + self.words.among(concern, seen)

    def _drawn(self, concern: Concern) -> str:
        first = concern.results[0]
        if not concern.finding or concern.outcome is Outcome.NOT_APPLICABLE:
            return ""
        past = self.past.get(first.nodeid, Past())
        bounds, value = first.bounds, float(first.value) if first.value else None
        drawn = gauge(value, bounds, first.unit) if bounds and value is not None else ""
        line = sparkline([*past.values, value]) if past.values and value is not None else ""
        return drawn + (line or strip([*((verdict, runs) for verdict, runs, _ in past.spells), (first.verdict, 1)]))

    def _when(self, concern: Concern, *, due: bool) -> str:
        change = self.words.change(concern)
        fresh = " ov-fresh" if concern.fresh else ""
        since = f'<span class="ov-change{fresh}">{escape(change)}</span>' if change else ""
        return since + (due_html(self.words, concern.respond_by, short=True) if due else "")

    def _marks(self, concern: Concern) -> str:
        """What filters look at. Names are escaped, and have no blanks."""
        chapters = dict.fromkeys(key for result in concern.results for key in result.source.split())
        hosts = dict.fromkeys(name for result in concern.results for name in self.hosts(result))
        states = {result.change.state for result in concern.results if result.change}
        verdicts = dict.fromkeys(kind(result.outcome) for result in concern.results)
        severities = dict.fromkeys([concern.severity, *(result.severity for result in concern.results)])
        marks = {
            # One alone is to be seen in the line.
            "v": " ".join(verdicts) if len(verdicts) > 1 else "",
            "s": " ".join(severities) if len(severities) > 1 else "",
            "c": " ".join(chapters),
            "h": " ".join(hosts),
            "n": " ".join(state.value for state in State if state in states),
        }
        return "".join(f' data-{name}="{escape(value)}"' for name, value in marks.items() if value)


def observed(result: Result) -> str:
    """What was seen of one result. A check that has no figures says in a sentence what it saw."""
    if result.outcome is Outcome.NOT_APPLICABLE:
        return result.sentence.removeprefix("not applicable here: ")
    return result.observed or ("" if result.outcome is Outcome.NORMAL else figures(result))


def due_html(words: Words, iso: str, *, short: bool = False) -> str:
    """By when somebody must respond; empty where nobody must. In short without the year and the time zone."""
    if not iso:
        return ""
    try:
        when = datetime.fromisoformat(iso)
    except ValueError:
        return f'<b class="ov-due">{escape(iso)}</b>'
    before, text = (words("by"), f"{when:%m-%d %H:%M}") if short else (words("respond by"), moment(iso))
    return f'<b class="ov-due">{escape(before)} <time datetime="{escape(iso)}">{escape(text)}</time></b>'
