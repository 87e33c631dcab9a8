"""Tells the reports what is new: reads once, when the checks have ended, how each of them ended before.

A history that cannot be read changes no verdict: the reports say nothing of what is new, and the terminal says why.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest

from opsverify.config.history_location import Location
from opsverify.history.changes import Check, Spells, change, check_of
from opsverify.history.records import HistoryError
from opsverify.reporting.change import Change, Past
from opsverify.reporting.collected import Results
from opsverify.reporting.results import Result
from opsverify.reporting.text import Redactor

if TYPE_CHECKING:
    from opsverify.history.standings import Standings


MOST_MEASURED = 200
"""So many checks have the figures of earlier runs drawn, the worst first: each is a question to the database."""


@dataclass(eq=False)  # pluggy keeps plugins in sets
class Comparer:
    """Plugin object of the process that reports. `locations` are the databases, by name of environment."""

    locations: Mapping[str, Location]
    results: Results
    started_at: datetime
    redactor: Redactor
    decides: bool
    """Whether the exit code depends on what is new: then a history that is off, or empty, is told as well."""
    unknown: list[str] = field(default_factory=list)
    """Why it is not known what is new, as sentences."""
    _before: dict[str, dict[Check, Spells]] = field(default_factory=dict)

    # Before all other wrappers of this hook, and so before any report is written.
    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(self) -> Generator[None, object, object]:
        if self.results.all():
            self._read()
            self.results.compare = self.change
            self.results.look_back = self.look_back
        return (yield)

    def change(self, result: Result) -> Change | None:
        """What is different about a result; None where nothing is, or where that is not known."""
        before = self._before.get(self._environment(result))
        if not (before and result.runbook):
            return None
        return change(before.get(check_of(result), ()), result.outcome, self.started_at)

    def look_back(self, results: Sequence[Result]) -> dict[str, Past]:
        """How results ended before, by node id; with the figures of the first MOST_MEASURED that have one."""
        spells = {}
        asked: dict[str, list[Result]] = defaultdict(list)
        for result in results:
            environment = self._environment(result)
            found = self._before.get(environment, {}).get(check_of(result))
            if found:
                spells[result.nodeid] = tuple((one.verdict, one.runs, one.began.isoformat()) for one in found)
                if result.value and sum(map(len, asked.values())) < MOST_MEASURED:
                    asked[environment].append(result)
        values: dict[str, tuple[float, ...]] = {}
        for environment, measured in asked.items():
            try:
                values |= self._figures(self.locations[environment], environment, measured)
            except Exception as error:  # lines that cannot be drawn must not cost the run its report
                self._say(f"earlier figures: {type(error).__name__}")
        return {nodeid: Past(of, values.get(nodeid, ())) for nodeid, of in spells.items()}

    def _environment(self, result: Result) -> str:
        return result.environment or (next(iter(self.locations)) if len(self.locations) == 1 else "")

    def _figures(self, location: Location, environment: str, results: list[Result]) -> dict[str, tuple[float, ...]]:
        from opsverify.history.store import Store

        return Store(location).last_figures(environment, results)

    def _read(self) -> None:
        databases: dict[Location, list[str]] = {}
        for environment, location in self.locations.items():
            databases.setdefault(location, []).append(environment)
        for location, environments in databases.items():
            if location.off:
                self._say("the history is switched off", only_if_it_decides=True)
                continue
            try:
                found = self._standings(location, environments)
            except HistoryError as error:
                self._say(str(error))
                continue
            except Exception as error:  # what stands in a shared database must not cost the run its reports
                self._say(f"{location.label}: {type(error).__name__}")
                continue
            self._before |= found
            for environment in environments:
                if environment not in found:
                    self._say(f"the history has no earlier run of {environment}", only_if_it_decides=True)

    def _standings(self, location: Location, environments: list[str]) -> Standings:
        from opsverify.history.store import Store

        return Store(location).standings(environments)

    def _say(self, reason: str, *, only_if_it_decides: bool = False) -> None:
        if self.decides or not only_if_it_decides:
            consequence = "; all failures count as new" if self.decides else ""
            self.unknown.append(self.redactor.printable(f"what is new is not known: {reason}{consequence}"))

    @pytest.hookimpl(wrapper=True, tryfirst=True)  # around the summary: below its last line, where it is seen
    def pytest_terminal_summary(self, terminalreporter: Any) -> Generator[None, object, object]:
        outcome = yield
        for text in self.unknown:
            terminalreporter.write_line(text, yellow=True)
        return outcome
