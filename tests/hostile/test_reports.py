"""Reports that cannot be written, and runs with nothing in them: said loudly, and never mistaken for health."""

from __future__ import annotations

import os
import subprocess
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hostile.conftest import Runner
from tests.plugin.conftest import Project

WELL = """
hosts: {here: {connection: 'local://'}}
checks: {disk-usage: {band: {below: 100.5, alert_above: 101}}, inode-usage: {band: {below: 100.5, alert_above: 101}}}
"""
CHECKS = ("-k", "disk_usage or inode_usage")


@pytest.fixture
def full(project: Project) -> Iterator[Path]:
    """A small file system, mounted at reports/: `fill` leaves no byte of it."""
    folder = project.folder / "reports"
    folder.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(folder)], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        pytest.skip(f"only root may mount a file system here: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def fill(folder: Path, left: int = 0) -> None:
    """Leave so many bytes on a file system."""
    with (folder / "ballast").open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            pass
        size = file.tell() // 4096 * 4096 - left
        file.truncate(max(0, size))


@pytest.mark.parametrize("left", [0, 8192, 32768], ids=["nothing", "little", "some"])
@pytest.mark.parametrize("well", [True, False], ids=["well", "ill"])
def test_a_full_disk_is_said_loudly_and_changes_no_verdict(
    project: Project, suite: Runner, full: Path, left: int, well: bool
) -> None:
    text = WELL if well else WELL.replace("below: 100.5, alert_above: 101", "below: -2, alert_above: -1", 1)
    project.environment("here", text)
    fill(full, left)
    done = suite("--env", "here", *CHECKS, "--history=sqlite:///reports/history.db")
    assert "Traceback" not in done.output
    assert "INTERNALERROR" not in done.output
    assert "No space left on device" in done.output or "could not be written" in done.output, done.output
    assert done.code != 0
    summary = "2 normal, 0 warned, 0 alert" if well else "1 normal, 0 warned, 1 alert"
    assert summary in done.output or done.code == 4, done.output


def test_a_history_on_a_full_disk_changes_no_verdict(project: Project, suite: Runner, full: Path) -> None:
    project.environment("here", WELL)
    fill(full)
    out = project.folder / "out"
    reports = (f"--html={out}/a.html", f"--junitxml={out}/b.xml")
    done = suite("--env", "here", *CHECKS, *reports, "--history=sqlite:///reports/history.db")
    assert done.code == 0, done.output
    assert "HISTORY NOT WRITTEN" in done.output
    assert "2 normal" in done.output
    assert len(ET.parse(out / "b.xml").findall(".//testcase")) == 2
    assert (out / "a.html").read_text().rstrip().endswith("</html>")


def test_an_earlier_report_is_not_left_looking_like_this_runs(project: Project, suite: Runner, full: Path) -> None:
    """A green report of yesterday must not stand where today's alert could not be written."""
    project.environment("here", WELL)
    assert suite("--env", "here", *CHECKS, "--history=none").code in (0, 1)
    project.environment("here", WELL.replace("below: 100.5, alert_above: 101", "below: -2, alert_above: -1"))
    fill(full)
    done = suite("--env", "here", *CHECKS, "--history=none")
    assert done.code != 0
    junit = full / "here" / "junit.xml"
    try:
        cases = ET.parse(junit).findall(".//testcase") if junit.exists() else []
    except ET.ParseError:
        return  # cut off: nobody takes that for a result
    assert not cases or any(case.find("failure") is not None for case in cases), "yesterday's green is still there"


ALL_SKIPPED = """
import pytest
from opsverify import runbook

@runbook("disk-usage")
def test_skipped(filesystems, expect):
    pytest.skip("not today")

@runbook("inode-usage")
@pytest.mark.skip(reason="never")
def test_skipped_too(filesystems, expect):
    expect(1.0)
"""
NONE = "from opsverify import runbook\n"
UNPARSABLE = """
from opsverify import runbook

@runbook("disk-usage")
def test_text(filesystems, expect):
    expect("70")

@runbook("inode-usage")
def test_nan(filesystems, expect):
    expect(float("nan"))

@runbook("memory-usage")
def test_none_found(filesystems, expect):
    expect.each({}, of="file system")
"""


@pytest.mark.parametrize(("checks", "words"), [(ALL_SKIPPED, "NOTHING WAS JUDGED"), (NONE, "NOTHING WAS JUDGED")])
def test_zero_tests_and_all_skipped_are_not_green(project: Project, suite: Runner, checks: str, words: str) -> None:
    project.own_checks(checks)
    project.environment("here", WELL)
    done = suite("--env", "here")
    assert done.code not in (0, 2, 3), done.output
    assert words in done.output


def test_what_is_no_number_is_undetermined(project: Project, suite: Runner) -> None:
    project.own_checks(UNPARSABLE)
    project.environment("here", WELL)
    done = suite("--env", "here")
    assert done.code == 1
    assert set(done.verdicts().values()) == {"undetermined"}, done.output


@pytest.mark.parametrize("band", ["{below: 90, alert_above: 80}", "{below: .nan}", "{alert_above: .inf}", "{above: 5}"])
def test_an_inverted_or_impossible_band_is_a_usage_error(project: Project, suite: Runner, band: str) -> None:
    project.environment(
        "here", f"hosts: {{here: {{connection: 'local://'}}}}\nchecks: {{disk-usage: {{band: {band}}}}}\n"
    )
    done = suite("--env", "here", *CHECKS)
    assert done.code == 4, done.output
    assert "checks.disk-usage" in done.output
    assert "Traceback" not in done.output


def test_a_host_without_swap_and_without_commands(project: Project, suite: Runner, tmp_path: Path) -> None:
    """A container has no swap; a small one has no node, no psql, no systemctl, no git: each is its own sentence."""
    project.environment(
        "bare",
        """
hosts: {here: {connection: 'local://'}}
services:
  unit: {host: here, role: backend, unit: mycats, env_files: [/nowhere.env]}
  server: {host: here, role: database, unit: postgresql}
databases: {d: {dsn: 'postgresql://u@127.0.0.1:1/x'}}
releases: {r: {host: here, path: /, database: d}}
""",
    )
    bare = tmp_path / "only"
    bare.mkdir()
    for name in ("git", "node", "psql", "pg_dump", "systemctl", "journalctl", "ss", "pnpm", "npm"):
        (bare / name).write_text(f"#!/bin/sh\necho 'sh: 1: {name}: not found' >&2\nexit 127\n")
        (bare / name).chmod(0o755)
    done = suite("--env", "bare", PATH=f"{bare}:{os.environ['PATH']}")
    assert done.code == 1
    assert "Traceback" not in done.output
    verdicts = done.verdicts()
    assert "broken" not in verdicts.values(), done.output
    assert verdicts["test_memory_usage[here]"] in ("normal", "warning", "alert")
    for name in ("test_service_active[unit]", "test_release_clean[r]", "test_release_revision[r]"):
        assert verdicts[name] in ("undetermined", "alert"), f"{name}: {verdicts[name]}"
