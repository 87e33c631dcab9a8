"""The main job, as a user runs it: the rehearsal is started, verified, reported on and stopped; broken, it shows."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import rehearsal

from .conftest import ROOT, Outcome, Project


def processes(word: str) -> list[str]:
    """Command lines of processes that hold a word."""
    listing = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    return [line for line in listing.splitlines() if word in line and not line.startswith("ps ")]


@pytest.fixture
def rehearsing(project: Project) -> Project:
    shutil.copy(ROOT / "environments" / "rehearsal.yaml", project.folder / "environments")
    return project


@pytest.fixture
def place() -> Iterator[Path]:
    """A temporary folder for a run of its own: what it starts can be told from what other tests start meanwhile."""
    with tempfile.TemporaryDirectory(prefix="job-") as folder:
        Path(folder).chmod(0o711)  # as root, the restore drill runs as another user, who must be able to go there
        yield Path(folder)


@pytest.mark.parametrize("arguments", [(), ("-n", "2")])
def test_the_rehearsal_is_green_and_leaves_nothing_running(
    rehearsing: Project, place: Path, arguments: tuple[str, ...]
) -> None:
    done = rehearsing.run("--env", "rehearsal", *arguments, timeout=300, TMPDIR=str(place))
    assert done.code == 0, done.output
    verdicts = done.verdicts()
    assert set(verdicts.values()) <= {"normal", "warning", "not applicable"}, done.output
    assert sum(verdict == "normal" for verdict in verdicts.values()) > 25
    for case in done.cases.values():
        names = {p.get("name") for p in case.iter("property")}
        assert {"runbook", "severity", "schedule", "verdict", "observed", "expected", "unit", "target"} <= names
    assert processes(str(place)) == []


@pytest.fixture(scope="module")
def whole() -> Iterator[rehearsal.Rehearsal]:
    with rehearsal.private() as running:
        yield running


def verify(project: Project, whole: rehearsal.Rehearsal, *arguments: str) -> Outcome:
    return project.run("--env", "rehearsal", *arguments, REHEARSAL_ATTACH=str(whole.layout.root))


def test_a_stopped_database_is_red_where_it_should_be(rehearsing: Project, whole: rehearsal.Rehearsal) -> None:
    whole.postgres.stop()
    try:
        done = verify(rehearsing, whole, "-m", "smoke")
    finally:
        whole.postgres.start()
    verdicts = done.verdicts()
    assert done.code == 1
    assert verdicts["test_database_connect[primary]"] == "alert"
    assert verdicts["test_api_health[blue]"] == "alert"
    assert verdicts["test_api_smoke[blue]"] == "alert"
    assert verdicts["test_service_active[postgresql]"] == "alert"
    assert verdicts["test_migrations_applied[checkout]"] == "blocked"
    assert verdicts["test_service_active[backend-blue]"] == "normal"
    causes = [line for line in done.output.splitlines() if "database primary: " in line]
    assert len(causes) == 1, done.output


def test_the_report_tells_a_person_what_is_wrong(rehearsing: Project, whole: rehearsal.Rehearsal, browser: Any) -> None:
    newest = max(whole.layout.backups.glob("db_*.sql"), key=lambda path: path.stat().st_mtime)
    content, times = newest.read_bytes(), newest.stat()
    newest.write_bytes(content[: len(content) // 2])
    import os

    os.utime(newest, ns=(times.st_atime_ns, times.st_mtime_ns))
    try:
        done = verify(rehearsing, whole, "-k", "backup_complete or disk_usage")
    finally:
        newest.write_bytes(content)
        os.utime(newest, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert done.code == 1
    assert done.verdicts()["test_database_backup_complete[main]"] == "alert"
    assert "cut off: no end marker" in done.output

    page = browser.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("dialog", lambda dialog: problems.append(dialog.message))
    page.goto((done.folder / "reports" / "rehearsal" / "report.html").as_uri())
    text = page.inner_text("body")
    assert "My Cats rehearsal" in page.title()
    assert "cut off: no end marker" in text
    assert "1 alert" in text
    assert problems == []
    page.close()
