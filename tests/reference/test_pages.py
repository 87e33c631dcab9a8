"""The reference pages: as the code is, with a meaning for each key, and by a reading of the code that finds what is so."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

from opsverify.config.loading import load_items
from opsverify.generate import documents
from opsverify.reference import keys
from opsverify.reference.markdown import plain
from opsverify.reference.options import commands, declared
from opsverify.reference.uses import Use, checks_of, checks_of_environment, uses
from opsverify.reference.words import japanese_need

ROOT = Path(__file__).parents[2]
ITEMS = load_items(ROOT / "checks" / "runbook.yaml")


@cache
def used() -> dict[str, Use]:
    return uses(ROOT / "checks")


@cache
def generated() -> dict[str, str]:
    return documents(ROOT, ITEMS)


@pytest.mark.parametrize("name", ["reference/checks.md", "reference/environment.md", "reference/options.md"])
def test_a_page_is_current(name: str) -> None:
    assert (ROOT / "docs" / name).read_text(encoding="utf-8") == generated()[name], "run python -m opsverify.generate"


@pytest.mark.parametrize("language", ["", "ja/"])
def test_every_check_has_its_section_and_what_somebody_asks_of_it(language: str) -> None:
    page = generated()[f"{language}reference/checks.md"]
    sections = dict(re.findall(r"^### (\S+)\n(.*?)(?=^##|\Z)", page, re.MULTILINE | re.DOTALL))
    assert sections.keys() == ITEMS.keys()
    for item, section in sections.items():
        assert ITEMS[item].title.in_language("ja" if language else "en") in section
        assert len(re.findall(r"^- \*\*", section, re.MULTILINE)) >= 8, item
        assert all(f"`{kind}`" in section for kind in used()[item].kinds)
        assert all(f"`{name}: " in section for name in ITEMS[item].settings)


def test_every_key_has_a_meaning() -> None:
    rows = re.findall(r"^\| `(\w+)` \|(.*)\|$", generated()["reference/environment.md"], re.MULTILINE)
    silent = [name for name, cells in rows if not re.split(r"(?<!\\)\|", cells)[2].strip()]
    assert len(rows) > 150
    assert silent == []


def test_every_check_takes_facts_and_asks_something() -> None:
    assert used().keys() == ITEMS.keys()
    assert [item for item, use in used().items() if not (use.facts and use.questions)] == []


@pytest.mark.parametrize(
    ("kind", "key", "expected"),
    [
        ("apis", "login", {"api-smoke", "cats-response-time", "public-api"}),
        ("apis", "cors_path", {"cors-behaviour"}),
        ("hosts", "only_filesystems", {"disk-usage", "inode-usage", "read-only-filesystems", "disk-forecast"}),
        ("hosts", "search_path", {"node-version", "postgres-client-version", "dependency-audit"}),
        ("backups", "must_not_hold", {"application-backup-readable"}),
        ("backups", "compare_with", {"restore-drill"}),
        ("proxies", "http_url", {"security-headers"}),
        ("releases", "database", {"migrations-applied", "idle-slot-ready"}),
    ],
)
def test_checks_for_which_a_key_matters(kind: str, key: str, expected: set[str]) -> None:
    assert set(checks_of(key, kind, used()) or ()) == expected


@pytest.mark.parametrize(("kind", "key"), [("apis", "url"), ("apis", "slot"), ("hosts", "deadline"), ("logs", "host")])
def test_keys_that_matter_for_all_name_none(kind: str, key: str) -> None:
    assert checks_of(key, kind, used()) is None


def test_checks_that_ask_the_environment_itself() -> None:
    assert checks_of_environment("node_env", used()) == ["node-env", "cors-origins"]
    assert checks_of_environment("history", used()) == ["data-intact", "disk-forecast"]
    assert checks_of_environment("run_seconds", used()) == []


def test_questions_behind_a_check() -> None:
    asked = {item: {question.__name__ for question in used()[item].questions} for item in used()}
    assert asked["disk-usage"] == {"Filesystems"}
    assert asked["restore-drill"] == {"RestoreDrill", "DumpManifest", "Contents"}
    assert asked["backup-permissions"] == {"FolderState", "DatabaseDumps"}


def test_types_and_defaults_in_words() -> None:
    rows = {
        row[0]: row[1:3]
        for row in re.findall(r"^\| `(\w+)` \| (.*?) \| (.*?) \|", keys.document(used()).replace("\\|", "/"), re.M)
    }
    assert rows["samples"] == ("integer, 1 to 10", "`3`")
    assert rows["dsn"] == ("text, *secret*", "*required*")
    assert rows["members"] == ("mapping: name → as under [hosts](#hosts)", "")
    assert rows["compare_with"] == ("`live`, `manifest`", "`live`")
    assert rows["must_hold"] == ("list: text", "`backend, frontend`")


def test_each_command_beside_pytest_is_told() -> None:
    page = generated()["reference/options.md"]
    started = {f"opsverify.{path.parent.name}" for path in (ROOT / "opsverify").glob("*/__main__.py")}
    assert {parser.prog.removeprefix("python -m ") for parser in commands()} == started
    assert all(f"## {parser.prog}\n" in page for parser in commands())
    assert "| `--out DIR` | the folder" in page


def test_every_option_says_what_it_is_for() -> None:
    assert [name for name, told in declared()[0] if len(str(told.get("help", ""))) < 20] == []


def test_what_stands_in_angle_brackets_is_shown() -> None:
    assert plain("read <path> with `tail <path>`") == "read \\<path> with `tail <path>`"


def test_a_need_without_japanese_is_a_mistake() -> None:
    with pytest.raises(ValueError, match=r"no Japanese .* 'to dance'"):
        japanese_need("to dance")
