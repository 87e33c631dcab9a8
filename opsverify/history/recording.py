"""Writes a run into the history when it has ended. Whatever happens here, the run's verdicts and exit code stand."""

from __future__ import annotations

import time
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from opsverify.config.history_location import Location
from opsverify.history.records import HistoryError, RunRecord
from opsverify.reporting.results import Result
from opsverify.reporting.text import Redactor, printable

_MOST_ARGUMENTS = 2000


@dataclass(eq=False)  # pluggy keeps plugins in sets
class Recorder:
    """Plugin object of the process that reports. `locations` are the databases, by name of environment."""

    locations: Mapping[str, Location]
    slot: str
    started_at: datetime
    redactor: Redactor
    root: Path
    arguments: Sequence[str]
    warnings: list[str] = field(default_factory=list)
    _began: float = field(default_factory=time.monotonic)  # a run's length, whatever happens to the clock

    def write(self, results: Sequence[Result], exit_code: int, *, partial: bool) -> None:
        """Write one run per environment, in one transaction per database. Never raises; see `warnings`."""
        databases: dict[Location, list[RunRecord]] = {}
        for environment, location in self.locations.items():
            alone = len(self.locations) == 1  # then what belongs to no check belongs to its environment, too
            own = [r for r in results if r.environment == environment or (alone and not r.environment)]
            if own and not location.off:
                databases.setdefault(location, []).append(self._record(environment, own, exit_code, partial))
        for location, records in databases.items():
            try:
                from opsverify.history.store import Store

                Store(location).write(records)
            except HistoryError as error:
                self._warn(str(error))
            except Exception as error:  # a bug here must not cost the run its report
                self._warn(f"{location.label}: {type(error).__name__}")

    def _record(self, environment: str, results: Sequence[Result], exit_code: int, partial: bool) -> RunRecord:
        return RunRecord(
            environment=environment,
            slot=self.slot,
            started_at=self.started_at,
            finished_at=self.started_at + timedelta(seconds=time.monotonic() - self._began),
            exit_code=exit_code,
            partial=partial,
            revision=revision(self.root),
            arguments=self.redactor.printable(" ".join(self.arguments), _MOST_ARGUMENTS),
            results=results,
        )

    def _warn(self, reason: str) -> None:
        text = f"HISTORY NOT WRITTEN: {reason}; later runs will not know this one"
        self.warnings.append(self.redactor.printable(text))

    @pytest.hookimpl(wrapper=True, tryfirst=True)  # around the summary: below its last line, where it is seen
    def pytest_terminal_summary(self, terminalreporter: Any) -> Generator[None, object, object]:
        outcome = yield
        for text in self.warnings:
            terminalreporter.write_line(text, red=True, bold=True)
        return outcome


def revision(root: Path) -> str:
    """The commit that is checked out in `root`; "" where that cannot be told. Reads git's files, runs nothing."""
    try:
        git = root / ".git"
        if git.is_file():  # a worktree: the folder is elsewhere
            git = root / git.read_text(encoding="utf-8").removeprefix("gitdir:").strip()
        head = (git / "HEAD").read_text(encoding="utf-8").strip()
        if not head.startswith("ref:"):
            return printable(head, 64)
        name = head.removeprefix("ref:").strip()
        common = git / "commondir"
        shared = git / common.read_text(encoding="utf-8").strip() if common.exists() else git
        if (shared / name).exists():
            return printable((shared / name).read_text(encoding="utf-8").strip(), 64)
        packed = (shared / "packed-refs").read_text(encoding="utf-8").splitlines()
        return next((line.split()[0] for line in packed if line.endswith(f" {name}")), "")
    except (OSError, UnicodeDecodeError):
        return ""
