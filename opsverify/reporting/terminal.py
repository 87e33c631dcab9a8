"""The end of a run on the terminal: what needs a person, worst first, and one line of counts."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from typing import Any

import pytest

from opsverify import __version__
from opsverify.reporting.collected import Results, stopped
from opsverify.reporting.digest import (
    Concern,
    Heading,
    concerns,
    counts_text,
    moment,
    recovered,
    tone,
    waived,
    warnings,
    worst_first,
)
from opsverify.reporting.results import Outcome, Result
from opsverify.reporting.words import Words

Markup = dict[str, bool]

RED = {"red": True, "bold": True}
PURPLE = {"purple": True, "bold": True}
AMBER = {"yellow": True}
CYAN = {"cyan": True}
GREEN = {"green": True, "bold": True}
HEAD = {"bold": True}

_ENGLISH = Words("en")


@dataclass(frozen=True)
class Line:
    """A line of text and how `TerminalReporter.write_line` should mark it up."""

    text: str
    markup: Markup = field(default_factory=dict)


def columns(text: str) -> int:
    """How many terminal columns a text takes: two for each wide (Chinese, Japanese, Korean) character."""
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def wrapped(text: str, width: int, indent: int = 4) -> list[str]:
    """The text in lines of at most `width` columns, all but the first indented; 0: as one line.

    Breaks at spaces, and between wide characters, which are written without any.
    """
    if width <= 0 or columns(text) <= width:
        return [text]
    width = max(width, indent + 20)
    lines, line = [], ""
    for piece in _pieces(text):
        if line.strip() and columns(line) + columns(piece.rstrip()) > width:
            lines.append(line.rstrip())
            line = " " * indent + piece.lstrip()
        else:
            line += piece
        while columns(line.rstrip()) > width:
            cut = _fitting(line, width)
            lines.append(line[:cut])
            line = " " * indent + line[cut:]
    return [*lines, line.rstrip()] if line.strip() else lines


def _pieces(text: str) -> list[str]:
    """Words with the blanks after them; a wide character is a word of its own."""
    return re.findall(
        r"\s+|[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60]\s*|"
        r"[^\s\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60]+\s*",
        text,
    )


def _fitting(text: str, width: int) -> int:
    used = 0
    for index, character in enumerate(text):
        used += columns(character)
        if used > width:
            return index
    return len(text)


class Detail(Enum):
    """How much is said of each finding."""

    ONE_LINE = auto()
    """`-q`: which one, and what was found."""
    USUAL = auto()
    """Below each other which one, what was found, what to do: on a terminal at most two lines of each."""
    WHOLE = auto()
    """`-v`: however long, and why what does not apply here does not."""

    @classmethod
    def of(cls, verbosity: int) -> Detail:
        """That of pytest's own `-q` and `-v`."""
        return cls.ONE_LINE if verbosity < 0 else cls.WHOLE if verbosity else cls.USUAL


_MOST_LINES = 2
_INDENT = 6


def summary_lines(
    results: Sequence[Result],
    *,
    partial: bool,
    width: int,
    heading: Heading | None = None,
    why_partial: str = "",
    detail: Detail = Detail.USUAL,
) -> list[Line]:
    """The summary of a run. `width` 0 means lines of any length, as a log file or cron's mail wants them: nothing is
    cut there, as nobody can ask again with `-v`."""
    lines: list[Line] = []

    def section(title: str, entries: Iterable[list[Line]]) -> None:
        listed = list(entries)
        if listed:
            lines.extend((Line(""), Line(title, HEAD)))
            lines.extend(line for entry in listed for line in entry)

    def told(found: Sequence[Concern], colour: Markup | None = None) -> list[list[Line]]:
        return [_entry(one, width, detail, colour or _colour(one.outcome)) for one in found]

    section("Needs a person", told(concerns(results)))
    section("Warnings", told(warnings(results), AMBER))
    section("Recovered", ([_shortened(_named(one), width, GREEN)] for one in recovered(results)))
    section("Waived", told([replace(one, advice="", advised="", respond_by="") for one in waived(results)], CYAN))
    excused = _excused(worst_first(results))
    if detail is Detail.WHOLE:
        reasons = (wrapped(f"{names}: {reason}", width) for reason, names in excused.items())
        section("Not applicable here", ([Line(part) for part in parts] for parts in reasons))
    lines.append(Line(""))
    if partial:
        text = f"PARTIAL: {why_partial or 'the run did not get to its end'}; checks are missing from this summary"
        lines += [Line(part, RED) for part in wrapped(text, width)]
    if not any(result.outcome.judged for result in results):
        lines.append(Line("NOTHING WAS JUDGED: this run says nothing about the system", RED))
    if excused and detail is Detail.USUAL:
        lines.append(Line("-v says why checks are not applicable, and the whole of each finding"))
    where = f" — environment {heading.label}" if heading and heading.label else ""
    colour = {"red": RED, "amber": {**AMBER, "bold": True}, "green": GREEN}[tone(results, partial=partial)]
    lines.append(Line(counts_text(results) + where, colour))  # one line however narrow: scripts look for it
    return lines


def _colour(outcome: Outcome) -> Markup:
    return RED if outcome is Outcome.ALERT else PURPLE


def _excused(ordered: Sequence[Result]) -> dict[str, str]:
    reasons: dict[str, list[str]] = {}
    for result in ordered:
        if result.outcome is Outcome.NOT_APPLICABLE:
            reason = result.sentence.removeprefix("not applicable here: ") or "no reason given"
            reasons.setdefault(reason, []).append(result.runbook or result.name)
    return {reason: ", ".join(dict.fromkeys(names)) for reason, names in reasons.items()}


def _named(concern: Concern) -> str:
    """How severe it is, what is different since the runs before, and what it is about."""
    parts = (f"{concern.severity:<2}", _ENGLISH.change(concern), concern.name)
    return "  ".join(part for part in parts if part)


def _entry(concern: Concern, width: int, detail: Detail, markup: Markup) -> list[Line]:
    """Which one and by when, below it what was found, then what to do. In a log, where people look for lines by grep,
    what was found stands beside which one."""
    one_line = "  ".join(part for part in (_named(concern), concern.told) if part)
    if detail is Detail.ONE_LINE:
        return [_shortened(one_line if concern.told else f"{one_line}  → {concern.to_do}", width, markup)]
    due = f"  (respond by {moment(concern.respond_by)})" if concern.respond_by else ""
    most = _MOST_LINES if detail is Detail.USUAL else 0
    if width <= 0:
        entry = [Line(one_line + due, markup)]
    else:
        entry = [Line(part, markup) for part in wrapped(_named(concern) + due, width)]
        if concern.told:
            entry += [Line(part, markup) for part in _below(concern.told, width, most)]
    if concern.advice:
        # What to do is not the alarm: plain text, so that the findings stand out.
        entry += [Line(part) for part in _below(f"→ {concern.to_do}", width, most)]
    return entry


def _below(text: str, width: int, most: int) -> list[str]:
    """The text in indented lines, of which at most so many; 0: all."""
    indent = " " * _INDENT
    lines = wrapped(text, width - _INDENT if width else 0, 2)
    if most and len(lines) > most:
        lines = [*lines[: most - 1], _cut(f"{lines[most - 1]} …", width - _INDENT)]
    return [indent + line for line in lines]


def _shortened(text: str, width: int, markup: Markup) -> Line:
    return Line(_cut(text, width), markup)


def _cut(text: str, width: int) -> str:
    """The text where it fits, else what fits of it and an ellipsis."""
    if width <= 0 or columns(text) <= width:
        return text
    return text[: _fitting(text, width - 2)].removesuffix(" …").rstrip() + " …"


class Summary:
    """Plugin object that writes `summary_lines` below everything else that pytest and its plugins have to say."""

    def __init__(self, results: Results, heading: Heading) -> None:
        self._results = results
        self._heading = heading

    @pytest.hookimpl(tryfirst=True)
    def pytest_report_teststatus(self, report: Any) -> tuple[str, str, tuple[str, dict[str, bool]]] | None:
        """A warning passes, so that pytest-html knows its outcome, but nobody must read it as a dot."""
        plainly_passed = report.when == "call" and report.passed and not hasattr(report, "wasxfail")
        if plainly_passed and dict(report.user_properties).get("verdict") == Outcome.WARNING.value:
            return "warned", "w", ("WARNED", {"yellow": True})
        return None

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_terminal_summary(
        self, terminalreporter: Any, exitstatus: int, config: pytest.Config
    ) -> Generator[None, object, object]:
        results = self._results.all()
        told_here = {r.nodeid for r in results if r.outcome.failed and r.outcome is not Outcome.BROKEN}
        stats, quiet = terminalreporter.stats, config.option.verbose <= 0
        kept = {name: list(stats.get(name, ())) for name in ("failed", "error")}
        if quiet:
            # pytest would print each sentence twice more above ours. Tracebacks of bugs stay.
            for name, reports in kept.items():
                stats[name] = [report for report in reports if report.nodeid not in told_here]
        try:
            outcome = yield
        finally:
            for name, reports in kept.items():
                if name in stats or reports:
                    stats[name] = reports
        session = getattr(terminalreporter, "_session", None)
        why = self._results.stopped or (stopped(session, exitstatus) if session else "")
        width = terminalreporter._tw.fullwidth if terminalreporter.isatty else 0
        empty = exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED and not config.option.collectonly
        if results or why or empty:
            terminalreporter.write_line(f"opsverify {__version__}")
            for line in summary_lines(
                results,
                partial=bool(why),
                width=width,
                heading=self._heading,
                why_partial=why,
                detail=Detail.of(config.option.verbose),
            ):
                terminalreporter.write_line(line.text, **line.markup)
        return outcome
