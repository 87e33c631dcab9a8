"""What happens when a report cannot be written: it is said, in red, and the run is no success; its verdicts stand.

pytest and pytest-html let the error of a full disk end the run before its summary, and with a traceback. There is no
hook around one plugin's part in a hook, so each report's own function is wrapped where pluggy keeps it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator
from functools import wraps
from pathlib import Path
from typing import Any

import pytest

from opsverify.reporting.text import printable

_WRITING = ("pytest_sessionstart", "pytest_sessionfinish", "pytest_terminal_summary")
"""The hooks in which pytest's own reports write their file, and say that they did."""


class Writing:
    """Plugin object of the process that reports. `failed`: what could not be written, as sentences."""

    def __init__(self, config: pytest.Config) -> None:
        self.failed: dict[Path, str] = {}
        self._config = config

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self, session: pytest.Session) -> None:
        from _pytest.junitxml import LogXML
        from pytest_html.basereport import BaseReport  # type: ignore[import-untyped]

        paths = {LogXML: self._config.option.xmlpath, BaseReport: self._config.option.htmlpath}
        for name in _WRITING:
            for implementation in getattr(self._config.hook, name).get_hookimpls():
                for kind, path in paths.items():
                    if path and isinstance(implementation.plugin, kind):
                        implementation.function = self._guarded(implementation.function, Path(path))

    def _guarded(self, function: Callable[..., Any], path: Path) -> Callable[..., Any]:
        @wraps(function)
        def guarded(*arguments: Any) -> Any:
            if path in self.failed:
                return None
            try:
                return function(*arguments)
            except OSError as error:
                self.add(path, error)
                return None

        return guarded

    def add(self, path: Path, error: OSError) -> None:
        """Note that a report could not be written, and leave nothing of it."""
        self.note(path, error)
        # Half a report, or that of an earlier run, must not be taken for this one's.
        with contextlib.suppress(OSError):
            if path.is_file():  # /dev/full stays
                path.unlink()

    def note(self, path: Path, error: OSError) -> None:
        """Note that something could not be written into a file that is not ours alone."""
        self.failed[path] = printable(f"REPORT NOT WRITTEN: {path} ({error.strerror})")

    @pytest.hookimpl(wrapper=True, tryfirst=True)  # around the summary: below its last line, where it is seen
    def pytest_terminal_summary(self, terminalreporter: Any) -> Generator[None, object, object]:
        outcome = yield
        for sentence in self.failed.values():
            terminalreporter.write_line(sentence, red=True, bold=True)
        return outcome
