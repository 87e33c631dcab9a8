"""Runs of the real plugin: what they leave in the history, what checks read there, and what a broken one costs."""

from __future__ import annotations

import json
import os
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from opsverify.config.history_location import locate
from opsverify.history.store import Schema, Store
from tests.pace import HANGS

from .conftest import PASSWORD, result, run
from .test_store import future

ROOT = Path(__file__).parents[2]

HOST = "hosts: {here: {connection: 'local://'}, there: {connection: 'local://'}}\n"
CHECKS = """
import os
from opsverify import runbook

@runbook("disk-usage")
def test_disk(filesystems, expect):
    expect(float(os.environ.get("USED", "10")), "/")
    expect(5, "/var")

@runbook("memory-usage")
def test_memory(memory, history, expect):
    seen = [value for _, value in history.series("disk-usage").get("/", [])]
    before = history.last_good("memory-usage").get("cats", 0)
    now = float(os.environ.get("CATS", "100"))
    expect.remember("cats", now)
    expect.that(now >= before, observed=f"{now:g} cats, series {seen}", expected=f"at least {before:g}")
"""


@dataclass
class Done:
    """How a run ended."""

    code: int
    output: str


class Suite:
    """A project with two checks of its own, and one environment of two hosts."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("conftest.py", "pytest.ini"):
            (folder / name).write_text((ROOT / name).read_text())
        (folder / "checks").mkdir()
        (folder / "checks" / "runbook.yaml").write_text((ROOT / "checks" / "runbook.yaml").read_text())
        (folder / "checks" / "test_own.py").write_text(CHECKS)
        (folder / "environments").mkdir()
        self.environment("here", HOST)

    def environment(self, name: str, text: str) -> None:
        from opsverify.config.environment import KINDS

        excuses = "".join(f"  {kind}: not part of this test\n" for kind in KINDS if kind != "hosts")
        (self.folder / "environments" / f"{name}.yaml").write_text(f"{text}not_applicable:\n{excuses}")

    def run(self, *arguments: str, **variables: str) -> Done:
        env = {k: v for k, v in os.environ.items() if not k.startswith(("VERIFY_", "PYTEST_", "PG"))}
        done = subprocess.run(
            [sys.executable, "-m", "pytest", *(arguments or ("--env", "here"))],
            cwd=self.folder, env={**env, "PYTHONPATH": str(ROOT), "COLUMNS": "200", **variables},
            capture_output=True, text=True, timeout=HANGS, check=False,
        )  # fmt: skip
        return Done(done.returncode, done.stdout + done.stderr)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.folder / "reports" / "history.db")) as connection:
            return connection.execute(query).fetchall()


@pytest.fixture
def suite(tmp_path: Path) -> Suite:
    return Suite(tmp_path)


@pytest.mark.parametrize("workers", [(), ("-n", "2")])
def test_a_run_is_recorded_whole_however_many_processes_judged(suite: Suite, workers: tuple[str, ...]) -> None:
    done = suite.run("--env", "here", *workers, USED="85")
    assert done.code == 0, done.output
    runs = suite.rows("SELECT environment, exit_code, partial, arguments FROM runs")
    assert runs == [("here", 0, 0, " ".join(("--env", "here", *workers)))]
    columns = "runbook, target, target_kind, severity, verdict, value, unit"
    assert suite.rows(f"SELECT {columns} FROM results ORDER BY 1, 2") == [
        ("disk-usage", "here", "hosts", "P2", "warning", 85.0, "%"),
        ("disk-usage", "there", "hosts", "P2", "warning", 85.0, "%"),
        ("memory-usage", "here", "hosts", "P2", "normal", None, ""),
        ("memory-usage", "there", "hosts", "P2", "normal", None, ""),
    ]
    assert suite.rows("SELECT runbook, about, value FROM measurements WHERE target = 'here' ORDER BY 1, 2") == [
        ("disk-usage", "/", 85.0),
        ("disk-usage", "/var", 5.0),
        ("memory-usage", "cats", 100.0),
    ]
    suite.run("--env", "here", *workers)
    assert suite.rows("SELECT count(*) FROM runs") == [(2,)]
    junit = (suite.folder / "reports" / "here" / "junit.xml").read_text()
    assert "series [85.0]" in junit


def test_a_failed_run_does_not_lower_the_baseline(suite: Suite) -> None:
    codes = [suite.run(CATS=cats).code for cats in ("100", "90", "95", "100", "110", "109")]
    assert codes == [0, 1, 1, 0, 0, 1]


def test_the_folder_of_the_reports_is_its_owners_alone(suite: Suite) -> None:
    folder = suite.folder / "reports" / "here"
    suite.run()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    folder.chmod(0o755)  # an operator who wants others to read them
    suite.run()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o755


def test_only_what_failed_has_a_time_to_respond(suite: Suite) -> None:
    suite.run(USED="95")
    junit = (suite.folder / "reports" / "here" / "junit.xml").read_text()
    times = [part.split('"')[0] for part in junit.split('name="respond_by" value="')[1:]]
    assert len(times) == 4
    due = [datetime.fromisoformat(text) for text in times if text]
    assert len(due) == 2
    for moment in due:
        assert 3.9 * 3600 < (moment - datetime.now(moment.tzinfo)).total_seconds() <= 4 * 3600
        assert moment.utcoffset() is not None
        assert str(moment.utcoffset()) == "9:00:00"


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("sqlite:////proc/none/history.db", "/proc/none/history.db: No such file or directory"),
        (f"postgresql://u:{PASSWORD}@127.0.0.1:1/h", "Connection refused"),
    ],
)
def test_a_history_that_cannot_be_used_is_told_and_changes_no_verdict(suite: Suite, url: str, reason: str) -> None:
    suite.environment("here", f"history: ${{HISTORY_URL}}\n{HOST}")
    done = suite.run("--env", "here", "-k", "disk", HISTORY_URL=url)
    assert done.code == 0, done.output
    assert "HISTORY NOT WRITTEN" in done.output
    assert reason in done.output
    assert PASSWORD not in done.output
    assert "Traceback" not in done.output


def test_a_check_that_needs_a_history_that_cannot_be_read_is_undetermined(suite: Suite, tmp_path: Path) -> None:
    schema = future(tmp_path / "later")
    assert isinstance(schema, Schema)
    Store(locate(None, tmp_path), schema).write([run(result())])
    done = suite.run()
    assert done.code == 1
    assert "2 undetermined" in done.output
    assert "the history could not be read" in done.output
    assert "newer version" in done.output
    assert "HISTORY NOT WRITTEN" in done.output
    off = suite.run("--env", "here", "--history", "none")
    assert "the history is switched off" in off.output
    assert "NOT WRITTEN" not in off.output


def test_a_team_shares_a_database(suite: Suite, postgres: str) -> None:
    suite.environment("here", f"history: ${{HISTORY_URL}}\n{HOST}")
    codes = [suite.run(CATS=cats, HISTORY_URL=postgres).code for cats in ("100", "90")]
    assert codes == [0, 1]
    assert not (suite.folder / "reports" / "history.db").exists()
    listed = suite.run("--traceability", "--env", "here", HISTORY_URL=postgres)
    assert "last  here: alert" in listed.output
    everything = "".join(p.read_text(errors="replace") for p in (suite.folder / "reports").rglob("*.*"))
    assert PASSWORD not in everything + listed.output


def test_the_option_comes_before_the_environments_own(suite: Suite) -> None:
    suite.environment("here", f"history: postgresql://127.0.0.1:1/h\n{HOST}")
    done = suite.run("--env", "here", "--history", "sqlite:///mine.db")
    assert done.code == 0, done.output
    assert (suite.folder / "mine.db").exists()


def test_several_environments_are_runs_of_their_own(suite: Suite) -> None:
    suite.environment("two", HOST)
    assert suite.run("--env", "here", "--env", "two").code == 0
    assert suite.rows("SELECT environment FROM runs ORDER BY 1") == [("here",), ("two",)]
    assert suite.rows("SELECT run_id, count(*) FROM results GROUP BY 1") == [(1, 4), (2, 4)]


def test_a_run_that_did_not_end_says_so(suite: Suite) -> None:
    suite.run("--env", "here", "-x", USED="95")
    assert suite.rows("SELECT partial, exit_code FROM runs") == [(1, 1)]


def test_looking_at_the_list_of_checks_is_no_run(suite: Suite) -> None:
    suite.run("--env", "here", "--collect-only")
    assert not (suite.folder / "reports" / "history.db").exists()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("history: mysql://x/y\n", "here.yaml: history: found a value that does not fit, allowed postgresql://"),
        (f"history: postgresql://u:{PASSWORD}@h/d\n", "here.yaml: history: found a literal secret"),
        ("country: ZZ\n", "here.yaml: country: found 'ZZ', allowed a country whose public holidays are known"),
        ("country: DE\n", "here.yaml: timezone: found nothing, allowed the time zone in which DE works"),
        ("timezone: Asia\n", "here.yaml: timezone: found 'Asia', allowed an IANA time zone"),
        ("country: DE\ntimezone: Mars/Olympus\n", "here.yaml: timezone: found 'Mars/Olympus'"),
    ],
)
def test_mistakes_are_told_before_anything_is_contacted(suite: Suite, text: str, sentence: str) -> None:
    suite.environment("here", text + HOST)
    done = suite.run()
    assert done.code == 4
    assert sentence in done.output
    assert PASSWORD not in done.output


def test_figures_travel_as_json_and_are_never_cut_in_half() -> None:
    from opsverify.reporting.results import MOST_FIGURES, figures_text

    many = {f"テーブル {n}": n / 3 for n in range(1000)}
    text = figures_text(many.items())
    assert len(text) <= MOST_FIGURES
    kept = dict(json.loads(text))
    assert len(kept) > 50
    assert kept == dict(list(many.items())[: len(kept)])
    assert result(figures=kept).figures == kept
