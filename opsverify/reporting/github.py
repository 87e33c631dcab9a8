"""Under GitHub Actions: the summary on the job's page, findings as annotations, and no word of a target as a command.

The runner obeys any line of a step's output that begins, blanks apart, with `::name::`, or has `##[name]` anywhere. So
its commands are stopped for as long as pytest writes, by a token that nobody can guess, and only then resumed for our
own. Sources: docs.github.com, "Workflow commands for GitHub Actions" and "Adding a job summary"; the escapes are
those of actions/toolkit (packages/core/src/command.ts).
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from opsverify.reporting.collected import Results
from opsverify.reporting.digest import Concern, Heading, concerns, moment, warnings
from opsverify.reporting.markdown import markdown
from opsverify.reporting.text import printable
from opsverify.reporting.writing import Writing

MOST_ANNOTATIONS = 10
"""Of each level. The runner takes so many from a step, and drops the others without a word."""
MOST_BYTES = 1024 * 1024
"""Of a step's summary. One that is longer is not shown at all."""
_CUT = "\n**This summary was cut**: the report has all of it\n"
_MOST_TITLE = 200


class GitHub:
    """Plugin object of the process that reports."""

    def __init__(self, results: Results, heading: Heading, writing: Writing, root: Path) -> None:
        self._results, self._heading, self._writing, self._root = results, heading, writing, root
        self._terminal: Any = None
        self._token = os.urandom(16).hex()

    @pytest.hookimpl(tryfirst=True)  # before anything is asked
    def pytest_sessionstart(self, session: pytest.Session) -> None:
        self._terminal = session.config.pluginmanager.get_plugin("terminalreporter")
        self._say(f"::stop-commands::{self._token}")

    def pytest_sessionfinish(self) -> None:
        named = os.environ.get("GITHUB_STEP_SUMMARY")
        if not named:
            return
        path = Path(named)
        try:
            with path.open("a", encoding="utf-8") as file:
                text = markdown(self._results.all(), self._heading, partial=self._results.partial)
                file.write(shortened(text, MOST_BYTES - path.stat().st_size))
        except OSError as error:
            self._writing.note(path, error)

    def pytest_unconfigure(self) -> None:  # after the last line of the terminal
        self._say(f"::{self._token}::")
        found = self._results.all()
        for level, listed in (("error", concerns(found)), ("warning", warnings(found))):
            for annotation in annotated(level, listed, self._root):
                self._say(annotation)

    def _say(self, command: str) -> None:
        if self._terminal is not None:  # -p no:terminal: then there is no output that could be a command
            self._terminal.write_line(command)


def annotated(level: str, listed: Sequence[Concern], root: Path) -> Iterator[str]:
    """A command for each of them, worst first, as many as are shown; the last one says how many are not."""
    shown = listed if len(listed) <= MOST_ANNOTATIONS else listed[: MOST_ANNOTATIONS - 1]
    for one in shown:
        due = f" (respond by {moment(one.respond_by)})" if one.respond_by else ""
        message = " → ".join(part for part in (one.told, one.to_do) if part) + due
        yield command(level, message, title=f"{one.severity} {one.name}", **_place(one, root))
    if len(listed) > len(shown):
        yield command(level, f"and {len(listed) - len(shown):,} more, which the report has")


def command(name: str, message: str, **properties: str) -> str:
    """A workflow command, `::error file=…,line=…,title=…::…`, that is one line whatever its values are."""
    given = ",".join(f"{key}={_property(value)}" for key, value in properties.items())
    return f"::{name}{' ' if given else ''}{given}::{_data(message)}"


def shortened(text: str, limit: int) -> str:
    """The text, cut behind a line where it takes more than `limit` bytes."""
    if len(text.encode()) <= limit:
        return text
    kept = text.encode()[: max(limit - len(_CUT.encode()), 0)].decode(errors="ignore")
    return kept[: kept.rfind("\n") + 1] + _CUT if limit > len(_CUT.encode()) else ""


def _place(concern: Concern, root: Path) -> dict[str, str]:
    """Where the check is written, as the runner looks for it: from the top of the checkout."""
    first = concern.results[0]
    if not first.file:
        return {}
    place, workspace = root / first.file, os.environ.get("GITHUB_WORKSPACE", "")
    inside = workspace and place.is_relative_to(workspace)
    path = place.relative_to(workspace) if inside else Path(first.file)
    return {"file": str(path), **({"line": str(first.line)} if first.line else {})}


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(printable(text, _MOST_TITLE)).replace(":", "%3A").replace(",", "%2C")
