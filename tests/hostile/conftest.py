"""Whole runs against targets that mean harm: what every report of such a run must still be."""

from __future__ import annotations

import os
import re
import resource
import signal
import sqlite3
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.pace import HANGS
from tests.plugin.conftest import ROOT, Project

MEBIBYTE = 1024 * 1024
MOST_MEMORY = 600 * MEBIBYTE
INVISIBLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ud800-\udfff]")
"""What no terminal and no report may get of a target: controls, bidi overrides, invisible and half characters."""


@dataclass(frozen=True)
class Run:
    """One run of the suite in a process of its own: what it said, cost and left behind."""

    code: int
    output: str
    seconds: float
    memory: int
    """The most that the process itself ever held, bytes."""
    folder: Path

    @property
    def reports(self) -> Path:
        (result,) = (path.parent for path in self.folder.glob("reports/*/junit.xml"))
        return result

    @property
    def found(self) -> dict[str, dict[str, str]]:
        """The properties of every check by its name, test_disk_usage[here]."""
        cases = ET.parse(self.reports / "junit.xml").iter("testcase")
        return {
            str(case.get("name")): {str(p.get("name")): str(p.get("value")) for p in case.iter("property")}
            for case in cases
        }

    def verdicts(self, *words: str) -> dict[str, str]:
        """Verdicts of the checks whose names hold one of these words; of all that apply where there is none."""
        return {
            name: output["verdict"]
            for name, output in self.found.items()
            if output["verdict"] != "not applicable" and (not words or any(word in name for word in words))
        }


Runner = Callable[..., Run]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project folder with the real checks and environments of the test's own."""
    return Project(tmp_path)


@pytest.fixture
def suite(project: Project) -> Runner:
    """Run the suite in the project: suite("--env", "x", at_most=60, PATH="…")."""
    return lambda *arguments, **more: run(project.folder, *arguments, **more)


def run(folder: Path, *arguments: str, at_most: float = HANGS, **variables: str) -> Run:
    """Run the suite in a folder; killed, and the test failed, where it takes longer than `at_most` seconds."""
    env = {k: v for k, v in os.environ.items() if not k.startswith(("VERIFY_", "PYTEST_", "REHEARSAL_"))}
    env |= {"PYTHONPATH": str(ROOT), "COLUMNS": "200", **variables}
    text = folder / "said"
    began = time.monotonic()
    with text.open("wb") as sink:
        child = subprocess.Popen(
            [sys.executable, "-m", "pytest", "--history=sqlite:///reports/history.db", *arguments],
            cwd=folder, env=env, stdin=subprocess.DEVNULL, stdout=sink, stderr=subprocess.STDOUT,
        )  # fmt: skip
        status, usage = _wait(child, at_most)
    output = text.read_bytes().decode("utf-8", "surrogateescape")
    assert status is not None, f"still running after {at_most} s:\n{output[-3000:]}"
    return Run(os.waitstatus_to_exitcode(status), output, time.monotonic() - began, usage.ru_maxrss * 1024, folder)


def _wait(child: subprocess.Popen[bytes], at_most: float) -> tuple[int | None, resource.struct_rusage]:
    """Wait for one child; its usage is its own, not the greatest of all children there ever were."""
    end = time.monotonic() + at_most
    while True:
        pid, status, usage = os.wait4(child.pid, os.WNOHANG)
        if pid:
            child.returncode = os.waitstatus_to_exitcode(status)
            return status, usage
        if time.monotonic() > end:
            child.send_signal(signal.SIGKILL)
            child.wait()
            return None, usage
        time.sleep(0.05)


@pytest.fixture
def harmless(browse: Callable[[Path], str]) -> Callable[[Run], str]:
    """Check a run's terminal, JUnit, HTML and history; gives back the text of the HTML page."""

    def check(done: Run) -> str:
        assert done.code in (0, 1), done.output
        assert not INVISIBLE.search(done.output), repr(INVISIBLE.findall(done.output))
        assert "Traceback" not in done.output, done.output
        for words in ("please report this", "the answer could not be understood", "INTERNALERROR"):
            assert words not in done.output, done.output
        assert done.memory < MOST_MEMORY, f"{done.memory / MEBIBYTE:.0f} MiB"
        result = done.found
        assert result
        broken = {name: output["sentence"] for name, output in result.items() if output["verdict"] == "broken"}
        assert not broken, done.output
        for name, output in result.items():
            for key, value in output.items():
                assert not INVISIBLE.search(value), f"{name}: {key}: {value!r}"
                assert len(value) <= 4100, f"{name}: {key}"
        history = done.folder / "reports" / "history.db"
        with sqlite3.connect(history) as database:
            assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            rows = database.execute("SELECT nodeid, observed, expected, sentence FROM results").fetchall()
        assert len(rows) == len(result)
        assert not [row for row in rows if INVISIBLE.search("".join(row))]
        return browse(done.reports / "report.html")

    return check


@pytest.fixture
def browse(request: pytest.FixtureRequest) -> Callable[[Path], str]:
    """Open a page in the browser, click everything that opens, and see that nothing of a target runs or loads."""

    def look(path: Path) -> str:
        # Asked for only now: without a browser, all up to here was checked before the test is skipped.
        page = request.getfixturevalue("browser").new_page()
        mischief: list[str] = []
        page.on("dialog", lambda dialog: (mischief.append(dialog.message), dialog.dismiss()))
        page.on("pageerror", lambda error: mischief.append(str(error)))
        page.on("console", lambda message: message.type == "error" and mischief.append(message.text))
        page.on("request", lambda request: request.url.startswith(("file:", "data:")) or mischief.append(request.url))
        page.goto(path.as_uri())
        page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
        page.wait_for_timeout(300)
        text = str(page.evaluate("document.documentElement.textContent"))
        assert (
            page.locator("img[src=x], iframe, object, embed, form, link[rel=stylesheet], svg:not(.ov-spark)").count()
            == 0
        )
        own = page.evaluate("Array.from(document.scripts).map(s => s.textContent.includes('hacked'))")
        assert not any(own), own
        handlers = "Array.from(document.querySelectorAll('*')).filter(e => e.getAttribute('onerror')).length"
        assert page.evaluate(handlers) == 0
        assert page.evaluate("typeof window.hacked") == "undefined"
        page.close()
        assert mischief == []
        return text

    return look
