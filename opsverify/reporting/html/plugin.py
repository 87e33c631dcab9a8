"""The hooks of pytest-html: it gathers what checks printed and writes the file; what is in it is `page`'s."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from html import escape
from typing import Any

import pytest

from opsverify import __version__
from opsverify.reporting.collected import Results, stopped
from opsverify.reporting.digest import Heading
from opsverify.reporting.html.lines import Hosts
from opsverify.reporting.html.page import Contents, Page
from opsverify.reporting.results import Outcome, Result
from opsverify.reporting.text import Redactor, printable, printable_block

Section = Callable[[Sequence[Result]], str]


class Html:
    """Plugin object with the hooks of pytest-html. Register it beside the Results that it shows."""

    def __init__(self, results: Results, heading: Heading) -> None:
        self._results = results
        self._heading = heading
        self._sections: list[tuple[str, Section]] = []
        self._outputs: dict[str, list[str]] = {}
        self._diagnostics: dict[str, str] = {}
        self.hosts: Hosts | None = None
        """On which hosts lies what a result is about; unless somebody knows better, only hosts do."""

    def add_section(self, title: str, body: Section) -> None:
        """Add a section below the list of checks. `body` gets the results when the report is written and returns
        HTML that it has escaped itself (`table` does); an empty text leaves the section out."""
        self._sections.append((title, body))

    def add_diagnostics(self, host: str, body: str) -> None:
        """Add what was looked at on a host in trouble, as HTML; findings about it link to that."""
        self._diagnostics[host] = body

    def contents(self, why_partial: str = "") -> Contents:
        """All that is shown of the run as it is now."""
        results = self._results.all()
        return Contents(
            heading=self._heading,
            results=results,
            why_partial=why_partial,
            look_back=self._results.look_back,
            outputs=self._outputs,
            diagnostics=self._diagnostics,
            sections=[(title, body(results)) for title, body in self._sections],
            **({"hosts": self.hosts} if self.hosts else {}),
        )

    # --- pytest-html's hooks ---------------------------------------------------------------------------------------

    @pytest.hookimpl(optionalhook=True)
    def pytest_html_report_title(self, report: Any) -> None:
        when = f" — {self._heading.started.astimezone():%Y-%m-%d %H:%M %Z}" if self._heading.started else ""
        report.title = printable(f"{self._heading.label}{when}", 200)
        told = {_harmless(name): _harmless(value) for name, value in report.data["environment"].items()}
        report.set_data("environment", {"opsverify": __version__, **told})

    @pytest.hookimpl(optionalhook=True)
    def pytest_html_results_table_row(self, report: Any, cells: list[str]) -> None:
        # Rows are made at the end, when it is known what is alike; pytest-html is left none.
        cells.clear()
        if report.passed and report.when in ("setup", "teardown"):
            return
        output = [printable_block(text) for text in _output(report, self._results.of(report))]
        self._outputs.setdefault(printable(report.nodeid), []).extend(output)

    @pytest.hookimpl(optionalhook=True)
    def pytest_html_results_summary(self, prefix: list[str], postfix: list[str], session: pytest.Session) -> None:
        why = self._results.stopped or stopped(session, int(getattr(session, "exitstatus", 0)))
        page = Page(self.contents(why))
        prefix.append(page.top())
        postfix.append(page.bottom())


def _output(report: Any, result: Result) -> Iterable[str]:
    """What a check printed, and the traceback where the check itself broke; else the sentence says it all."""
    if result.outcome is Outcome.BROKEN and report.longreprtext:
        yield report.longreprtext
    yield from (f"--- {name} ---\n{content}" for name, content in report.sections if content.strip())


def _harmless(value: object) -> str:
    """pytest-html writes its environment table as HTML that nobody escaped, with lists in lists that screen readers do
    not understand; and CI variables hold URLs with tokens."""
    if isinstance(value, dict):
        value = ", ".join(f"{key} {inner}" for key, inner in value.items())
    return escape(Redactor().printable(str(value)))
