"""The HTML report: pytest-html's table with our columns, below a summary for whoever is called at night.

pytest-html knows only its own outcomes; its filters and its sorting look at the text of a cell. So each row
keeps pytest-html's word in a hidden cell, and shows ours in the next.
"""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from html import escape
from pathlib import Path
from typing import Any

import pytest

from opsverify import __version__
from opsverify.reporting.collected import Results, stopped
from opsverify.reporting.digest import (
    LABELS,
    Concern,
    Heading,
    concerns,
    counts,
    excused,
    figures,
    recovered,
    tone,
    waived,
    warnings,
)
from opsverify.reporting.ranges import compress
from opsverify.reporting.results import Outcome, Result
from opsverify.reporting.rows import Rows, due_html
from opsverify.reporting.text import Redactor, printable, printable_block
from opsverify.reporting.words import Words

Section = Callable[[Sequence[Result]], str]


def table(headers: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """An HTML table of plain texts, for sections added to the report. Escapes everything."""
    head = "".join(f"<th>{escape(text)}</th>" for text in headers)
    body = "".join("<tr>" + "".join(f"<td>{escape(text)}</td>" for text in row) + "</tr>" for row in rows)
    inner = f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody>"
    return f'<div class="ov-scroll"><table class="ov-table">{inner}</table></div>'


class Html:
    """Plugin object with the hooks of pytest-html. Register it beside the Results whose summary it shows."""

    def __init__(self, results: Results, heading: Heading) -> None:
        self._results = results
        self._heading = heading
        self._words = Words(heading.language)
        self._rows = Rows(self._words)
        self._sections: list[tuple[str, Section]] = []
        self._data: Any = None

    def add_section(self, title: str, body: Section) -> None:
        """Add a section below the table of checks. `body` gets the results when the report is written and returns
        HTML that it has escaped itself (`table` does); an empty text leaves the section out."""
        self._sections.append((title, body))

    # --- pytest-html's hooks ---------------------------------------------------------------------------------------

    @pytest.hookimpl(optionalhook=True)
    def pytest_html_report_title(self, report: Any) -> None:
        when = f" — {self._heading.started.astimezone():%Y-%m-%d %H:%M %Z}" if self._heading.started else ""
        report.title = printable(f"{self._heading.label}{when}", 200)
        report.data["renderCollapsed"] = ["all"]
        if report.data["initialSort"] == "result":
            report.data["initialSort"] = "rank"
        report.set_data("environment", {"opsverify": __version__, **_harmless(dict(report.data["environment"]))})
        self._data = report

    @pytest.hookimpl(optionalhook=True)
    def pytest_html_results_table_header(self, cells: list[str]) -> None:
        words = self._words
        columns = [
            ("rank", "result"),
            ("severity", "severity"),
            ("check", "check"),
            ("observed", "observed"),
            ("expected", "expected"),
            ("action", "to do"),
            ("duration", "duration"),
        ]
        cells[:] = ['<th class="sortable ov-hidden" data-column-type="result"></th>']
        cells += [f'<th class="sortable" data-column-type="{name}">{words(label)}</th>' for name, label in columns]

    @pytest.hookimpl(optionalhook=True)
    def pytest_html_results_table_row(self, report: Any, cells: list[str]) -> None:
        if not cells or _has_no_row(report):
            return
        duration = next((cell for cell in cells if "col-duration" in cell), '<td class="col-duration"></td>')
        word = cells[0].replace("<td ", "<td hidden ", 1)
        cells[:] = self._rows.cells(self._results.of(report), word, duration)

    @pytest.hookimpl(optionalhook=True)
    def pytest_html_results_table_html(self, report: Any, data: list[str]) -> None:
        if _has_no_row(report):
            return
        result = self._results.of(report)
        # One line, since pytest-html's script wraps what it takes for pytest's error lines (those that begin with E).
        cells = "<br>".join(escape(printable_block(text)).replace("\n", "<br>") for text in _output(report, result))
        output = f'<pre class="ov-output">{cells}</pre>' if cells else ""
        data[:] = [f"{self._rows.details(result)}{output}"]

    @pytest.hookimpl(optionalhook=True)
    def pytest_html_results_summary(
        self, prefix: list[str], summary: list[str], postfix: list[str], session: pytest.Session
    ) -> None:
        results = self._results.all()
        why = self._results.stopped or stopped(session, int(getattr(session, "exitstatus", 0)))
        prefix.append(f"<style>{Path(__file__).with_name('report.css').read_text('utf-8')}</style>")
        prefix.append(f"<style>{self._buttons()}</style>")
        prefix.append(f'<div lang="{self._words.language}">{self._top(results, why)}</div>')
        postfix += [self._waivers(results), self._excused(results)]
        for title, body in self._sections:
            postfix.append(self._section(title, body(results)))
        postfix.append(f'<h3 class="ov-made-with">{self._words("made with")}</h3>')
        if self._data is not None:
            self._rows.fold(self._data.data["tests"], results)
            for name in ("passed", "failed", "error", "skipped", "xfailed"):
                self._data.outcomes[name]["label"] = self._words(f"filter {name}")
            if counts(results)[Outcome.BROKEN]:
                self._data.outcomes["failed"]["label"] = self._words("filter failed broken")

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logreport(self, report: Any) -> None:
        if report.when in ("setup", "call", "teardown"):
            return
        # A worker died in this check: pytest-html waits for a teardown that never comes, and would leave it out.
        for plugin in _writers(report):
            stand_in = copy.copy(report)
            stand_in.when = "teardown"
            plugin.pytest_runtest_logreport(stand_in)

    def _buttons(self) -> str:
        """pytest-html's template writes these in English, and hands them to no hook."""
        if self._words.language == "en":
            return ""
        named = {"show_all_details": self._words("show all"), "hide_all_details": self._words("hide all")}
        return "".join(
            f'#{name}{{font-size:0}}#{name}::after{{font-size:14px;content:"{text}"}}' for name, text in named.items()
        )

    # --- parts of the page -----------------------------------------------------------------------------------------

    def _section(self, title: str, content: str, members: Sequence[object] = ()) -> str:
        number = f" ({len(members)})" if members else ""
        return f'<section class="ov-section"><h3>{escape(title)}{number}</h3>{content}</section>' if content else ""

    def _top(self, results: Sequence[Result], why_partial: str) -> str:
        words = self._words
        open_points, warned = concerns(results), warnings(results)
        colour = tone(results, partial=bool(why_partial))
        headline = f"<strong>{escape(self._headline(results, why_partial))}</strong><span>{self._chips(results)}</span>"
        parts = [f'<div class="ov-headline ov-{colour}" role="status">{headline}</div>']
        if why_partial:
            text = f"{words('partial')}: {why_partial}. {words('missing')}"
            parts.append(f'<div class="ov-banner" role="alert">{escape(text)}</div>')
        if not any(result.outcome.judged for result in results):
            parts.append(f'<div class="ov-banner" role="alert">{escape(words("nothing judged"))}</div>')
        parts.append(self._list(words("needs a person"), open_points))
        parts.append(self._list(words("warnings"), warned))
        parts.append(self._recovered(results))
        parts.append(f'<h3 class="ov-all">{escape(words("all checks"))}</h3>')
        return "".join(parts)

    def _recovered(self, results: Sequence[Result]) -> str:
        words, listed = self._words, recovered(results)
        rows = [(one.severity, words.name(one), one.results[0].title, words.change(one)) for one in listed]
        body = table((words("severity"), "ID", words("check"), words("before")), rows)
        return self._section(words("recovered ones"), body if rows else "", rows)

    def _headline(self, results: Sequence[Result], why_partial: str) -> str:
        tally, words, open_points = counts(results), self._words, concerns(results)
        judged = sum(n for outcome, n in tally.items() if outcome.judged)
        if open_points:
            by_level = Counter(concern.severity for concern in open_points)
            listed = ", ".join(f"{n} × {level}" for level, n in sorted(by_level.items()))
            return f"{words.count('headline fail', len(open_points))}: {listed}"
        if not judged:
            return words("headline nothing")
        if tally[Outcome.WARNING]:
            return words.count("headline warn", tally[Outcome.WARNING])
        if tally[Outcome.WAIVED]:
            return words.count("headline waived", tally[Outcome.WAIVED])
        if why_partial:
            return words.count("headline partial", judged)
        return words.count("headline normal", judged)

    def _chips(self, results: Sequence[Result]) -> str:
        english = self._words.language == "en"
        chips = []
        for outcome, n in counts(results).items():
            if n or outcome is not Outcome.BROKEN:
                kind = outcome.name.lower().replace("_", "-") if n else "none"
                label = LABELS[outcome] if english else self._words(outcome.value)
                chips.append(f'<i class="ov-chip ov-{kind}">{n} {escape(label)}</i>')
        return " ".join(chips)

    def _list(self, title: str, listed: Sequence[Concern]) -> str:
        entries = "".join(self._entry(concern) for concern in listed)
        return self._section(title, f'<ul class="ov-list">{entries}</ul>' if listed else "", listed)

    def _entry(self, concern: Concern) -> str:
        words, first = self._words, concern.results[0]
        kind = concern.outcome.name.lower()
        due = due_html(words, concern.respond_by)
        badge = f'<span class="ov-sev ov-sev-{escape(concern.severity.lower())}">{escape(concern.severity)}</span>'
        if not concern.finding:  # one cause behind several checks
            listed = (
                [r.runbook or r.name for r in concern.results] if concern.spread else [r.name for r in concern.results]
            )
            names = ", ".join(map(escape, dict.fromkeys(listed)))
            text = (
                f"<strong>{escape(words.name(concern))}</strong>"
                f'<p class="ov-act">→ {escape(words.count("could not", len(concern.results)))} {due}</p>'
                f"<small>{names}</small>"
            )
        else:
            subject = escape(words.name(concern))
            title, small = (escape(first.title), f" <small>{subject}</small>") if first.title else (subject, "")
            advice = words.advice(concern)
            act = f'<p class="ov-act">→ {escape(advice)} {due}</p>' if advice or due else ""
            text = f"<strong>{title}</strong>{small}<p>{escape(words.told(concern))}</p>{act}"
        label = f'<b class="ov-label">{escape(words(concern.outcome.value))}</b>'
        change = words.change(concern)
        if change:
            label += f'<span class="ov-change{" ov-fresh" if concern.fresh else ""}">{escape(change)}</span>'
        text += self._targets(concern)
        return f'<li class="ov-{kind}"><div class="ov-mark">{badge}{label}</div><div>{text}</div></li>'

    def _targets(self, concern: Concern) -> str:
        """All targets of many alike, and what each of them says where they differ."""
        if concern.spread is None:
            return ""
        names = f"<p>{escape(', '.join(compress(concern.spread.names)))}</p>"
        words = self._words
        columns = {"target": [result.target for result in concern.results]}
        if concern.example:
            columns["finding"] = [figures(result) for result in concern.results]
        changes = [words.changed([result]) for result in concern.results]
        if len(set(changes)) > 1:
            columns["before"] = changes
        listed = table(map(words, columns), zip(*columns.values(), strict=True)) if len(columns) > 1 else ""
        summary = escape(words.count("every target", len(concern.spread.names)))
        return f'<details class="ov-targets"><summary>{summary}</summary>{names}{listed}</details>'

    def _waivers(self, results: Sequence[Result]) -> str:
        words = self._words
        rows = [(one.severity, words.name(one), one.results[0].title, words.told(one)) for one in waived(results)]
        body = table((words("severity"), "ID", words("check"), words("reason")), rows)
        return self._section(words("waivers"), body if rows else "", rows)

    def _excused(self, results: Sequence[Result]) -> str:
        words, rows = self._words, []
        for one in excused(results):
            first = one.results[0]
            name = words.name(one) if one.spread else first.runbook or first.name
            reason = words.among(one, one.finding.removeprefix("not applicable here: "))
            rows.append((name, first.title, reason))
        body = table(("ID", words("check"), words("reason")), rows)
        return self._section(words("excused"), body if rows else "", rows)


def _has_no_row(report: Any) -> bool:
    """pytest-html asks for the row of each phase, and throws those away."""
    return bool(report.passed and report.when in ("setup", "teardown"))


def _output(report: Any, result: Result) -> list[str]:
    """What a check printed, and the traceback where the check itself broke; else the sentence says it all."""
    traceback = [report.longreprtext] if result.outcome is Outcome.BROKEN and report.longreprtext else []
    return traceback + [f"--- {name} ---\n{content}" for name, content in report.sections if content.strip()]


def _harmless(value: Any) -> Any:
    """pytest-html writes its environment table as HTML that nobody escaped, and CI variables hold URLs with tokens."""
    if isinstance(value, dict):
        return {_harmless(key): _harmless(inner) for key, inner in value.items()}
    return escape(Redactor().printable(str(value)))


def _writers(report: Any) -> list[Any]:
    """The pytest-html objects that write a report in this process."""
    config = getattr(getattr(report, "node", None), "config", None)
    if config is None:
        return []
    from pytest_html.basereport import BaseReport  # type: ignore[import-untyped]

    return [plugin for plugin in config.pluginmanager.get_plugins() if isinstance(plugin, BaseReport)]
