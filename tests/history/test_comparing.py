"""Runs of the real plugin: what they say of what is new, and whether they let a gate through."""

from __future__ import annotations

import sqlite3
import xml.etree.ElementTree as ET
from contextlib import closing
from pathlib import Path

import pytest

from opsverify.config.history_location import locate
from opsverify.history.store import Store

from .conftest import PASSWORD, result, run
from .test_runs import HOST, Suite
from .test_store import future

DISK = ("--env", "here", "-k", "disk")


@pytest.fixture
def suite(tmp_path: Path) -> Suite:
    return Suite(tmp_path)


def line(output: str, about: str) -> str:
    return next(line for line in output.splitlines() if about in line and line.startswith("P"))


@pytest.mark.parametrize("workers", [(), ("-n", "2")])
def test_a_finding_is_new_then_known_then_worse_then_recovered(suite: Suite, workers: tuple[str, ...]) -> None:
    told = []
    for used in ("10", "85", "85", "95", "95", "10", "10"):
        done = suite.run(*DISK, *workers, USED=used)
        told += [line(done.output, "disk-usage[here]").split("  ")[1]] if "disk-usage[here]" in done.output else [""]
        assert ("\nRecovered\n" in done.output) == (len(told) == 6)
    assert told == ["", "new", "since 2 runs", "worse: was warned", "since 2 runs", "was alert for 4 runs", ""]


def test_junit_and_the_other_reports_say_it_too(suite: Suite) -> None:
    suite.run(*DISK)
    suite.run(*DISK, USED="95")
    suite.run(*DISK, "--summary=summary.md", USED="95")
    cases = ET.parse(suite.folder / "reports/here/junit.xml").getroot().findall(".//testcase")
    assert len(cases) == 2
    for case in cases:
        properties = {p.get("name"): p.get("value") for p in case.iterfind("properties/property")}
        assert properties["state"] == "known"
        assert suite.rows("SELECT substr(started_at, 1, 10) FROM runs")[1] == (str(properties["since"])[:10],)
    assert "P2 since 2 runs" in (suite.folder / "summary.md").read_text()
    assert "since 2 runs</span>" in (suite.folder / "reports/here/report.html").read_text()


def test_the_report_draws_the_runs_before(suite: Suite) -> None:
    for used in ("10", "40", "95"):
        suite.run(*DISK, USED=used)
    html = (suite.folder / "reports/here/report.html").read_text()
    row = html.partition('id="row-disk-usage-here"')[2].partition("</li>")[0]
    assert row.partition('points="')[2].partition('"')[0].count(",") == 3
    assert "Normal × 2 runs since" in row


def test_the_first_run_says_nothing_of_it(suite: Suite) -> None:
    for arguments in (DISK, (*DISK, "--history=none")):
        done = suite.run(*arguments, USED="95")
        assert "P2  disk-usage[here]  observed" in done.output
        assert "what is new" not in done.output
        assert 'name="state"' not in (suite.folder / "reports/here/junit.xml").read_text()
        assert '<span class="ov-change' not in (suite.folder / "reports/here/report.html").read_text()


def test_only_runs_that_judged_it_count(suite: Suite) -> None:
    suite.run(*DISK, USED="95")
    suite.run("--env", "here", "-k", "memory")
    suite.run("--env", "here", "-k", "disk and there")
    suite.run(*DISK, "--collect-only")
    suite.environment("two", HOST)
    suite.run("--env", "two", "-k", "disk")
    done = suite.run("--env", "here", "--env", "two", "-k", "disk", USED="95")
    assert "since 2 runs  disk-usage[here]" in done.output
    assert "new  disk-usage[here]" in done.output  # that of the other environment
    assert "new, flapping" not in done.output


def test_known_failures_let_a_gate_through_and_are_shown(suite: Suite) -> None:
    gate = (*DISK, "--fail-on", "new")
    first = suite.run(*gate, USED="95")
    assert first.code == 1
    assert "what is new is not known: the history has no earlier run of here; all failures count as new" in first.output
    known = suite.run(*gate, USED="95")
    assert known.code == 0, known.output
    assert "P2  since 2 runs  disk-usage[here]  observed" in known.output
    assert "2 alert" in known.output
    assert suite.run(*DISK, USED="95").code == 1
    assert suite.run(*gate, USED="10").code == 0
    assert suite.run(*DISK, "--fail-on", "new,P1", USED="95").code == 0
    assert suite.run(*gate, USED="10").code == 0
    again = suite.run(*gate, USED="95")
    assert again.code == 1
    assert "new, flapping" in again.output
    assert suite.run(*gate, "-x", USED="95").code == 1  # it did not get to its end
    assert suite.run(*gate, USED="95").code == 0


def test_what_is_new_beside_what_is_known_fails_the_gate(suite: Suite) -> None:
    suite.run("--env", "here", USED="95")
    done = suite.run("--env", "here", "--fail-on", "new", USED="95", CATS="1")
    assert done.code == 1
    lines = [text for text in done.output.splitlines() if text.startswith("P2  ")]
    assert [text.split("  ")[1] for text in lines] == ["new", "new", "since 2 runs", "since 2 runs"]
    assert suite.run("--env", "here", "--fail-on", "new", USED="95", CATS="1").code == 0


@pytest.mark.parametrize("only_new", [(), ("--fail-on", "new")])
def test_a_history_that_cannot_be_read_is_told_once_and_is_no_false_green(
    suite: Suite, only_new: tuple[str, ...]
) -> None:
    url = f"postgresql://u:{PASSWORD}@127.0.0.1:1/h"
    suite.environment("here", f"history: ${{HISTORY_URL}}\n{HOST}")
    well = suite.run(*DISK, *only_new, HISTORY_URL=url)
    assert well.code == 0, well.output
    assert well.output.count("what is new is not known: ") == 1
    assert PASSWORD not in well.output
    assert suite.run(*DISK, *only_new, HISTORY_URL=url, USED="95").code == 1


def test_one_of_a_newer_version_is_told(suite: Suite, tmp_path: Path) -> None:
    Store(locate(None, tmp_path), future(tmp_path / "later")).write([run(result())])
    done = suite.run(*DISK, USED="95")
    assert done.code == 1
    assert "what is new is not known: " in done.output
    assert "P2  disk-usage[here]  observed" in done.output


@pytest.mark.parametrize("spells", ["", "[1]", '[["splendid", 1, "2026-01-01"]]', '[["alert", 1, "soon"]]', "{}{"])
def test_what_nobody_of_us_wrote_costs_no_report(suite: Suite, spells: str) -> None:
    suite.run(*DISK, USED="95")
    with closing(sqlite3.connect(suite.folder / "reports" / "history.db")) as connection, connection:
        connection.execute("UPDATE standings SET spells = ?", (spells,))
    done = suite.run(*DISK, "--fail-on", "new", USED="95")
    assert done.code == 1
    assert "what is new is not known: " in done.output
    assert "P2  disk-usage[here]  observed" in done.output


def test_one_that_is_off_lets_nothing_through(suite: Suite) -> None:
    suite.run(*DISK, USED="95")
    done = suite.run(*DISK, "--fail-on", "new", "--history", "none", USED="95")
    assert done.code == 1
    assert "what is new is not known: the history is switched off; all failures count as new" in done.output


def test_a_team_shares_what_is_known(suite: Suite, postgres: str) -> None:
    suite.environment("here", f"history: ${{HISTORY_URL}}\n{HOST}")
    codes = [suite.run(*DISK, "--fail-on=new", HISTORY_URL=postgres, USED=used).code for used in ("95", "95", "10")]
    assert codes == [1, 0, 0]


def test_a_history_of_the_version_before_is_read(suite: Suite) -> None:
    suite.run(*DISK, USED="95")
    with closing(sqlite3.connect(suite.folder / "reports" / "history.db")) as connection, connection:
        for table in ("standings", "notices"):
            connection.execute(f"DROP TABLE {table}")
        connection.execute("UPDATE opsverify_schema SET version_num = '0001'")
    done = suite.run(*DISK, "--fail-on", "new", USED="95")
    assert done.code == 0, done.output
    assert "since 2 runs" in done.output


def test_what_is_not_understood_is_refused_before_anything_is_contacted(suite: Suite) -> None:
    done = suite.run(*DISK, "--fail-on", "new,new")
    assert done.code == 4
    assert (
        "--fail-on: found 'new,new', allowed P1, P2, P3, P4, warning, new, or new and one of the others" in done.output
    )
