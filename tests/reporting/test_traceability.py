"""Runbook and checks cover each other, and the list of both says what is missing."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from opsverify.config.items import CHAPTERS, Item
from opsverify.config.loading import load_items
from opsverify.errors import ConfigurationError
from opsverify.reporting.results import Result
from opsverify.reporting.traceability import Check, Gaps, Last, Section, gaps, lines, of_run, read_checks, rows

ROOT = Path(__file__).parents[2]
CHECKS = ROOT / "checks"
RUNBOOK = load_items(CHECKS / "runbook.yaml")


# --- of this project -----------------------------------------------------------------------------------------------


def test_every_item_has_a_check_and_every_check_an_item() -> None:
    assert gaps(RUNBOOK, read_checks(CHECKS, RUNBOOK)) == Gaps()


def test_every_check_says_what_it_promises() -> None:
    assert [check.nodeid for check in read_checks(CHECKS, RUNBOOK) if not check.promise] == []


def test_all_chapters_are_known() -> None:
    items = load_items(CHECKS / "runbook.yaml")
    assert {chapter for item in items.values() for chapter in item.source} <= set(CHAPTERS)


def test_reading_and_collecting_find_the_same_checks(tmp_path: Path) -> None:
    """The source is read, not imported: nothing may hide from one of the two."""
    code = "import opsverify, sys; sys.exit(__import__('pytest').main(sys.argv[1:]))"
    probe = tmp_path / "listing.py"
    probe.write_text(
        "def pytest_collection_finish(session):\n"
        "    for i in session.items:\n"
        "        print('FOUND', i.nodeid.split('[')[0], *(m.args[0] for m in i.iter_markers('runbook')))\n"
    )
    arguments = ["-p", "listing", "-c", os.devnull, "--rootdir", str(ROOT), "--collect-only", "-q", "--noconftest"]
    env = {**os.environ, "PYTHONPATH": f"{ROOT}:{tmp_path}"}
    command = [sys.executable, "-c", code, *arguments, str(CHECKS)]
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
    collected = {tuple(line.split()[1:]) for line in done.stdout.splitlines() if line.startswith("FOUND")}
    assert collected == {(check.nodeid, check.item) for check in read_checks(CHECKS, RUNBOOK)}, (
        done.stdout + done.stderr
    )


# --- of any project ------------------------------------------------------------------------------------------------


def item(key: str, *source: str, severity: str = "P2") -> Item:
    text = {"en": f"Promise {key}", "ja": f"約束 {key}"}
    return Item(id=key, title=text, action=text, source=source, schedule=["daily"], severity=severity)


ITEMS = {i.id: i for i in (item("api-health", "MON", "DEP"), item("disk-usage", "MON", severity="P1"))}
HEALTH = Check("checks/test_a.py", "test_health", "api-health", "It is well.")
LOST = Check("checks/test_a.py", "test_lost", "no-such-item", "")


def test_rows_hold_every_chapter_item_and_check() -> None:
    result = rows(ITEMS, [HEALTH, LOST], [Last("checks/test_a.py::test_health[blue]", "blue", "alert")])
    assert list(dict.fromkeys(row.chapter for row in result)) == list(CHAPTERS)
    assert {row.item.id for row in result if row.item} == set(ITEMS)
    healthy = [row for row in result if row.check == HEALTH]
    assert [row.chapter for row in healthy] == ["DEP", "MON"]
    assert all(str(row.last[0]) == "blue: alert" for row in healthy)
    assert [row.item.id for row in result if row.item and not row.check] == ["disk-usage"]
    assert gaps(ITEMS, [HEALTH, LOST]) == Gaps(("disk-usage",), ("checks/test_a.py::test_lost",))


def test_the_text_says_both_ways_and_what_is_missing() -> None:
    when = datetime(2026, 3, 2, 1, 30, tzinfo=UTC)
    message = lines(ITEMS, [HEALTH, LOST], [Last("checks/test_a.py::test_health[blue]", "blue", "normal", when)], "ja")
    text = "\n".join(message)
    assert (
        "MON  システム監視項目\n  api-health  P2  daily  約束 api-health\n    checks/test_a.py::test_health\n" in text
    )
    assert "      last  blue: normal (2026-03-02 01:30 UTC)" in message
    assert "BG  Blue-Green デプロイメント\n  (no item)" in text
    assert "    (no check)" in message
    assert "  checks/test_a.py::test_health  api-health  MON DEP" in message
    assert "  checks/test_a.py::test_lost  (no item)" in message
    assert message[-2:] == ["No check proves disk-usage", "Tied to no item of the runbook: checks/test_a.py::test_lost"]


SOURCE = '''
import pytest
import opsverify
from opsverify import runbook

@runbook("one")
def test_one(x): "Promise of one."

@pytest.mark.skip
@opsverify.runbook("two")
@runbook("three")
def test_two(x):
    """Promise of two.

    More.
    """

class TestGroup:
    @runbook("four")
    async def test_four(self): pass

def test_untied(): pass
def helper(): pass
'''


def test_checks_are_read_from_their_source(tmp_path: Path) -> None:
    folder = tmp_path / "checks"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "test_x.py").write_text(SOURCE)
    (folder / "helper.py").write_text("import nothing_like_it")
    assert read_checks(folder, {}) == [
        Check("checks/deep/test_x.py", "test_one", "one", "Promise of one.", ("x",)),
        Check("checks/deep/test_x.py", "test_two", "two", "Promise of two.", ("x",)),
        Check("checks/deep/test_x.py", "test_two", "three", "Promise of two.", ("x",)),
        Check("checks/deep/test_x.py", "TestGroup::test_four", "four", "", ("self",)),
        Check("checks/deep/test_x.py", "test_untied", "", ""),
    ]


@pytest.mark.parametrize("text", ["def test_x(:", "@runbook(NAME)\ndef test_x(): pass", "@runbook\ndef test_x(): pass"])
def test_what_cannot_be_read_is_a_mistake_told(tmp_path: Path, text: str) -> None:
    (tmp_path / "test_x.py").write_text(text)
    with pytest.raises(ConfigurationError, match=r"test_x\.py.*found .*, allowed "):
        read_checks(tmp_path, {})
    assert Section(ITEMS, tmp_path, "en")([]) == ""


def test_the_reports_section_shows_this_runs_results(tmp_path: Path) -> None:
    folder = tmp_path / "checks"
    folder.mkdir()
    (folder / "test_a.py").write_text('@runbook("api-health")\ndef test_health(): pass\n')
    results = [Result(f"checks/test_a.py::test_health[{t}]", "api-health", target=t, verdict=v)
               for t, v in (("a", "normal"), ("<b>", "alert"))]  # fmt: skip
    html = Section(ITEMS, folder, "ja")(results)
    assert "alert: &lt;b&gt;; normal: a" in html
    assert "システム監視項目 (MON)" in html
    assert html.count("<tr>") == 1 + len(rows(ITEMS, [], of_run(results)))


# --- the option ------------------------------------------------------------------------------------------------------


def listing(folder: Path, *arguments: str) -> tuple[int, str]:
    env = {k: v for k, v in os.environ.items() if not k.startswith(("VERIFY_", "PYTEST_"))}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--traceability", *arguments],
        cwd=folder, env={**env, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name in ("conftest.py", "pytest.ini"):
        (tmp_path / name).write_text((ROOT / name).read_text())
    (tmp_path / "checks").mkdir()
    texts = "title: {en: Disks, ja: ディスク}, action: {en: Act, ja: 対応}"
    body = f"{{{texts}, source: [MON], schedule: [daily], severity: P2}}"
    (tmp_path / "checks" / "runbook.yaml").write_text(f"disk-usage: {body}\n")
    (tmp_path / "checks" / "test_a.py").write_text('@runbook("disk-usage")\ndef test_disk(): pass\n')
    (tmp_path / "environments").mkdir()
    return tmp_path


def test_the_option_needs_no_environment_and_leaves_nothing(project: Path) -> None:
    code, output = listing(project)
    assert code == 0, output
    assert "disk-usage  P2  daily  Disks\n    checks/test_a.py::test_disk\n" in output
    assert re.search(r"^17 chapters, 1 items, 1 checks$", output, re.MULTILINE)
    assert not (project / "reports").exists()
    assert "ディスク" in listing(project, "--language", "ja")[1]


def test_a_gap_is_exit_code_1(project: Path) -> None:
    (project / "checks" / "test_a.py").write_text("def test_disk(): pass\n")
    code, output = listing(project)
    assert code == 1
    assert "No check proves disk-usage" in output


def test_an_environment_need_not_be_complete_to_be_looked_up(project: Path) -> None:
    (project / "environments" / "production.yaml").write_text(
        "apis: {a: {url: '${NOT_SET}'}}\nprovided_by: rehearsal\n"
    )
    code, output = listing(project, "--env", "production")
    assert code == 0, output
    assert listing(project, "--env", "prodction")[0] == 4
    code, output = listing(project, "--env", "production", "--history", "postgresql://127.0.0.1:1/h")
    assert code == 0
    assert "the history could not be read" in output
