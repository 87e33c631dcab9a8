"""Writes the reports that options ask for (`opsverify.reporting.FORMATS`), when everything is known."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from opsverify.reporting import atomic
from opsverify.reporting.collected import Results
from opsverify.reporting.digest import Heading
from opsverify.reporting.finished import FinishedRun
from opsverify.reporting.writing import Writing

REFUSED = "the run ended at a mistake in options or configuration, before anything was asked"


class OutputFiles:
    """Called where the exit code is decided. `texts` make each file's content."""

    def __init__(
        self, texts: Mapping[Path, Callable[[FinishedRun], str]], results: Results, heading: Heading, writing: Writing
    ) -> None:
        self._texts, self._results, self._heading, self._writing = texts, results, heading, writing
        self._began = time.monotonic()

    def write(self, exit_code: int) -> int:
        """Write every file; returns the exit code, which is none of success where a report could not be written."""
        code = self._write(exit_code)
        # No file may say 0 where the run does not.
        return code if code == exit_code else self._write(code)

    def _write(self, exit_code: int) -> int:
        seconds = time.monotonic() - self._began
        stopped = self._results.stopped or (REFUSED if exit_code == pytest.ExitCode.USAGE_ERROR else "")
        run = FinishedRun(self._heading, self._results.all(), exit_code, seconds, stopped)
        for path, text in self._texts.items():
            if path in self._writing.failed:
                continue
            try:
                atomic.write(path, text(run))
            except OSError as error:
                self._writing.add(path, error)
        return exit_code or int(bool(self._writing.failed))
