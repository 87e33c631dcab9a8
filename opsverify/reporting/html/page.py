"""The page from top to bottom: what a tired person must know, what needs a person, all checks, what rarely matters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from html import escape
from pathlib import Path

from opsverify.config.items import CHAPTERS
from opsverify.reporting.alike import Asked, alike
from opsverify.reporting.change import Past, State
from opsverify.reporting.digest import (
    LABELS,
    Concern,
    Heading,
    concern_of,
    concerns,
    counts,
    recovered,
    severity,
    tone,
    waived,
    warnings,
)
from opsverify.reporting.html.details import Details
from opsverify.reporting.html.drawings import kind
from opsverify.reporting.html.elements import Budget, Places, table
from opsverify.reporting.html.lines import Hosts, Line, Lines
from opsverify.reporting.ranges import natural, short
from opsverify.reporting.results import Outcome, Result
from opsverify.reporting.words import Words

MOST_FINDINGS = 500
"""So many are listed on top; nobody reads more, and below every check has its row."""
MOST_BYTES = 5_000_000
"""Of the lines and what they unfold to: the whole is to stay below 6 MB, with first diagnostics and all else."""
LEAST_DETAILS = 500_000
"""Bytes that there are for what lines unfold to, however many lines there are."""

_FILES = Path(__file__).parent


@dataclass(frozen=True)
class Contents:
    """All that is shown of a run."""

    heading: Heading
    results: Sequence[Result]
    """One per check and target, worst first."""
    why_partial: str = ""
    """Why the run did not get to its end; empty where it did."""
    hosts: Hosts = lambda result: [result.target] if result.target_kind == "hosts" else []
    look_back: Callable[[Sequence[Result]], Mapping[str, Past]] | None = None
    outputs: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """What checks printed, printable, by node id."""
    diagnostics: Mapping[str, str] = field(default_factory=dict)
    """What was looked at on hosts in trouble, as HTML, by name of host."""
    sections: Sequence[tuple[str, str]] = ()
    """Title and HTML of what else is to be told."""


class Page:
    """Writes `top`, which comes first, and `bottom`, which is what rarely matters."""

    def __init__(self, contents: Contents) -> None:
        self._of = contents
        self._words = Words(contents.heading.language)
        self._results = contents.results
        self._places = Places()
        asked = Asked(self._results)
        groups = [concern_of(group, asked) for group in alike(self._results)]
        self._groups = sorted(groups, key=lambda concern: concern.outcome is Outcome.NOT_APPLICABLE)
        shown = [concern.results[0] for concern in self._groups]
        past = contents.look_back(shown) if contents.look_back else {}
        self._diagnosed = {host: self._places.name("diagnostics", host) for host in contents.diagnostics}
        several = len(contents.heading.environments) > 1
        self._lines = Lines(self._words, contents.hosts, past, several)
        self._details = Details(self._words, contents.hosts, past, contents.outputs, self._diagnosed)

    def top(self) -> str:
        """The head, the findings and all checks."""
        words = self._words
        open_points, warned = concerns(self._results), warnings(self._results)
        rows = {
            result.nodeid: place
            for concern in self._groups
            for place in [self._places.name("row", words.name(concern) if concern.spread is None else concern.subject)]
            for result in concern.results
        }
        lines = [self._lines.line(concern, rows[concern.results[0].nodeid]) for concern in self._groups]
        size = sum(line.size for line in lines)
        budget = Budget(max(MOST_BYTES - size, LEAST_DETAILS))
        findings: dict[str, str] = {}
        lists = [
            self._findings(words("needs a person"), open_points, rows, findings, budget),
            self._findings(words("warnings"), warned, rows, findings, budget),
        ]
        parts = [self._head(open_points), *self._banners(), self._filters(), *lists, self._recovered()]
        parts.append(self._all_checks(lines, findings, budget))
        return (
            f"<style>{_file('../tokens.css')}{_file('report.css')}</style>"
            f'<main lang="{words.language}" class="ov" data-copy="{escape(words("copy"))}"'
            f' data-copied="{escape(words("copied"))}" data-shown="{escape(words("shown"))}">{"".join(parts)}</main>'
        )

    def bottom(self) -> str:
        """First diagnostics, waivers, what does not apply, and what else is to be told."""
        words = self._words
        parts = [self._diagnostics(), self._waivers()]
        parts += [_section(title, content) for title, content in self._of.sections]
        parts.append(f'<h2 class="ov-made-with">{escape(words("made with"))}</h2>')
        return f'<div lang="{words.language}" class="ov">{"".join(parts)}</div><script>{_file("report.js")}</script>'

    # --- the head --------------------------------------------------------------------------------------------------

    def _head(self, open_points: Sequence[Concern]) -> str:
        words, colour = self._words, tone(self._results, partial=bool(self._of.why_partial))
        facts = "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(text)}</dd></div>" for name, text in self._facts())
        return (
            f'<header class="ov-headline ov-{colour}"><p class="ov-verdict" role="status">'
            f"<strong>{escape(self._headline(open_points)).replace(' × ', '&nbsp;×&nbsp;')}</strong> "
            f"{self._news(open_points)}</p>"
            f'<dl class="ov-facts">{facts}</dl>'
            f'<nav aria-label="{escape(words("result"))}">{self._chips()}</nav></header>'
        )

    def _news(self, open_points: Sequence[Concern]) -> str:
        """How many findings are new: what a person who was here yesterday wants to know first."""
        words = self._words
        states = Counter(_state(concern) for concern in open_points)
        told = []
        if open_points and not states.keys() - {None}:
            told.append(f"<span>{escape(words('news unknown'))}</span>")
        for state in (State.NEW, State.WORSE, State.KNOWN):
            if states[state] or (state is State.NEW and states.keys() - {None}):
                text = words.filled("news", n=f"{states[state]:,}", what=words(f"state {state.value}"))
                kind_of = ' class="ov-fresh"' if state.fresh and states[state] else ""
                told.append(f"<span{kind_of}>{escape(text)}</span>")
        back = len(recovered(self._results))
        if back:
            text = words.filled("news", n=f"{back:,}", what=words("state recovered"))
            told.append(f"<span>{escape(text)}</span>")
        return f'<span class="ov-news">{" ".join(told)}</span>' if told else ""

    def _facts(self) -> Iterable[tuple[str, str]]:
        # Environment and time are the page's title.
        words, heading = self._words, self._of.heading
        deployed = next((r.observed for r in self._results if r.runbook == "release-revision" and r.observed), "")
        yield words("revision"), deployed or heading.revision or words("not looked at")
        yield words("selection"), f"-m {heading.selection}" if heading.selection else words("everything")

    def _headline(self, open_points: Sequence[Concern]) -> str:
        tally, words = counts(self._results), self._words
        judged = sum(n for outcome, n in tally.items() if outcome.judged)
        if open_points:
            by_level = Counter(concern.severity for concern in open_points)
            listed = ", ".join(f"{n:,} × {level}" for level, n in sorted(by_level.items()))
            return f"{words.count('headline fail', len(open_points))}: {listed}"
        if not judged:
            return words("headline nothing")
        if tally[Outcome.WARNING]:
            return words.count("headline warn", tally[Outcome.WARNING])
        if tally[Outcome.WAIVED]:
            return words.count("headline waived", tally[Outcome.WAIVED])
        if self._of.why_partial:
            return words.count("headline partial", judged)
        return words.count("headline normal", judged)

    def _chips(self) -> str:
        """How many of each verdict; each a link to these alone."""
        english, chips = self._words.language == "en", []
        for outcome, n in counts(self._results).items():
            label = escape(LABELS[outcome] if english else self._words(outcome.value))
            if n:
                chips.append(f'<a class="ov-chip ov-{kind(outcome)}" href="#verdict={kind(outcome)}">{n:,} {label}</a>')
            elif outcome is not Outcome.BROKEN:
                chips.append(f'<span class="ov-chip ov-none">0 {label}</span>')
        return " ".join(chips)

    def _banners(self) -> Iterable[str]:
        words = self._words
        if self._of.why_partial:
            text = f"{words('partial')}: {self._of.why_partial}. {words('missing')}"
            yield f'<div class="ov-banner" role="alert">{escape(text)}</div>'
        if not any(result.outcome.judged for result in self._results):
            yield f'<div class="ov-banner" role="alert">{escape(words("nothing judged"))}</div>'

    def _filters(self) -> str:
        """Choices of what to look at; the script moves them into the address and does the rest. Hidden without it."""
        words, results, of = self._words, self._results, self._of
        present = counts(results)
        chapters = dict.fromkeys(key for result in results for key in result.source.split())
        hosts = sorted({name for result in results for name in of.hosts(result)}, key=natural)
        states = {result.change.state for result in results if result.change}
        choices = {
            "verdict": [(kind(outcome), words(outcome.value)) for outcome in LABELS if present[outcome]],
            "severity": [(level, level) for level in sorted({severity(result) for result in results})],
            "chapter": [(key, f"{key} {CHAPTERS[key]}") for key in CHAPTERS if key in chapters],
            "state": [(state.value, words(f"state {state.value}")) for state in State if state in states],
        }
        fields = [_choice(words, name, options) for name, options in choices.items() if len(options) > 1]
        if len(hosts) > 1:
            options = "".join(f'<option value="{escape(name)}">' for name in hosts)
            fields.append(
                f'<label>{escape(words("host"))} <input type="search" name="host" list="ov-hosts" size="12"></label>'
                f'<datalist id="ov-hosts">{options}</datalist>'
            )
        fields.append(f'<label>{escape(words("text"))} <input type="search" name="text" size="14"></label>')
        fields.append(f'<button type="button" class="ov-clear" hidden>{escape(words("show all"))}</button>')
        unfold = escape(words("unfold"))
        fields.append(f'<button type="button" class="ov-unfold" aria-pressed="false">{unfold}</button>')
        status = '<output class="ov-status"></output>'
        inner = f'<div class="ov-filters" role="search">{"".join(fields)}{status}</div>'
        return f'<details class="ov-filterbox" hidden><summary>{escape(words("filters"))}</summary>{inner}</details>'

    # --- the lists -------------------------------------------------------------------------------------------------

    def _findings(
        self, title: str, all_of: Sequence[Concern], rows: Mapping[str, str], found: dict[str, str], budget: Budget
    ) -> str:
        """A list of findings; notes in `found` where each of them is, by node id of its first result."""
        entries = []
        for concern in all_of[:MOST_FINDINGS]:
            place = self._places.name("finding", concern.subject)
            found.update((result.nodeid, place) for result in concern.results)
            details = self._details.of_finding(concern, rows)
            line = self._lines.line(concern, place, due=True)
            entries.append(line.html(details if budget.takes(line.html(details)) else ""))
        left = len(all_of) - len(entries)
        more = f"<p>{escape(self._words.count('left out findings', left))}</p>" if left else ""
        content = f'<ol class="ov-list">{"".join(entries)}</ol>{more}' if entries else ""
        return _section(title, content, len(all_of), "ov-findings")

    def _all_checks(self, lines: Sequence[Line], findings: Mapping[str, str], budget: Budget) -> str:
        entries = [
            line.html(self._details.of_row(concern, findings.get(concern.results[0].nodeid, ""), budget))
            for concern, line in zip(self._groups, lines, strict=True)
        ]
        note = f"<p>{escape(self._words('left out details'))}</p>" if budget.exceeded else ""
        # In chunks, each of which a browser need not lay out before it comes into view.
        chunks = [entries[n : n + 50] for n in range(0, len(entries), 50)]
        content = "".join(f'<ul class="ov-list" style="--n:{len(chunk)}">{"".join(chunk)}</ul>' for chunk in chunks)
        return _section(self._words("all checks"), note + content, len(self._results), "ov-all")

    def _recovered(self) -> str:
        words, found = self._words, recovered(self._results)
        rows = [(one.severity, words.name(one), one.results[0].title, words.change(one)) for one in found]
        body = table((words("severity"), "ID", words("check"), words("before")), rows)
        return _section(words("recovered ones"), body if rows else "", len(rows))

    # --- what rarely matters ---------------------------------------------------------------------------------------

    def _diagnostics(self) -> str:
        hosts = "".join(
            f'<details class="ov-host" id="{self._diagnosed[name]}"><summary>{escape(name)}</summary>{body}</details>'
            for name, body in self._of.diagnostics.items()
        )
        return _section(f"{self._words('first diagnostics')}: {short(self._of.diagnostics)}", hosts)

    def _waivers(self) -> str:
        words, rows = self._words, []
        for one in waived(self._results):
            first = one.results[0]
            rows.append((one.severity, words.name(one), first.title, self._days_left(first), words.told(one)))
        heads = (words("severity"), "ID", words("check"), words("days left"), words("reason"))
        return _section(words("waivers"), table(heads, rows) if rows else "", len(rows))

    def _days_left(self, result: Result) -> str:
        return days_left(result.terms.get("expires", ""), self._of.heading.started)


def days_left(expires: str, now: datetime | None) -> str:
    """Whole days until then, ISO 8601; a dash where that is not known."""
    try:
        return str((datetime.fromisoformat(expires) - now).days) if now else "–"
    except (ValueError, TypeError):
        return "–"


def _state(concern: Concern) -> State | None:
    """The state of a finding: the first that any of its results has."""
    states = {result.change.state for result in concern.results if result.change}
    return next((state for state in State if state in states), None)


def _choice(words: Words, name: str, options: Iterable[tuple[str, str]]) -> str:
    inner = "".join(f'<option value="{escape(value)}">{escape(text)}</option>' for value, text in options)
    every = f'<option value="">{escape(words("any"))}</option>'
    return f'<label>{escape(words(name))} <select name="{name}">{every}{inner}</select></label>'


def _section(title: str, content: str, number: int = 0, name: str = "") -> str:
    if not content:
        return ""
    of = f" ({number:,})" if number else ""
    more = f" {name}" if name else ""
    return f'<section class="ov-section{more}"><h2>{escape(title)}{of}</h2>{content}</section>'


def _file(name: str) -> str:
    return (_FILES / name).read_text("utf-8")
