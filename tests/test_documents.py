"""The READMEs say what is so: in both languages, with commands that work, and a table of checks that is current."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from opsverify.config.loading import load_items
from opsverify.generate import with_table
from tests.pace import HANGS

ROOT = Path(__file__).parents[1]
READMES = {"en": "README.md", "ja": "README.ja.md"}
DOCUMENTS = [*READMES.values(), "docs/architecture.md", "docs/fleets.md", "docs/notifications.md", "docs/privileges.md"]
DOCUMENTS += ["docs/plan.md", "docs/trends.md"]

_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^(#+) (.+)$", re.MULTILINE)
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_OPTION = re.compile(r"(?<![\w<!-])--[a-z][a-z-]+")


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def blocks(text: str) -> list[tuple[str, str]]:
    """Code blocks as (language, code). The comments of commands are left out: they are translated."""
    return [(kind, re.sub(r"\s+#.*$", "", code, flags=re.MULTILINE)) for kind, code in _BLOCK.findall(text)]


def headings(text: str) -> list[tuple[int, str]]:
    """Headings as (level, words)."""
    return [(len(marks), words) for marks, words in _HEADING.findall(_BLOCK.sub("", text))]


def anchor(heading: str) -> str:
    return re.sub(r"[^\w-]", "", heading.lower().replace(" ", "-"))


def run_pytest(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    env = {k: v for k, v in os.environ.items() if not k.startswith(("VERIFY_", "PYTEST_", "REHEARSAL_"))}
    return subprocess.run(
        [sys.executable, "-m", "pytest", *arguments],
        cwd=ROOT, env={**env, "COLUMNS": "200", **variables}, capture_output=True, text=True, timeout=HANGS, check=False,
    )  # fmt: skip


@cache
def usage() -> str:
    return run_pytest("--help").stdout


@cache
def usage_of_the_site() -> str:
    command = [sys.executable, "-m", "opsverify.site", "--help"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=HANGS, check=True).stdout


def variables(text: str) -> dict[str, str]:
    """A value for each `${VAR}` of an environment file."""
    return {name: f"value-of-{name}" for name in re.findall(r"\$\{([A-Z_]+)\}", text)}


@pytest.mark.parametrize(("language", "name"), READMES.items())
def test_the_table_of_checks_is_current(language: str, name: str) -> None:
    items = load_items(ROOT / "checks" / "runbook.yaml")
    assert with_table(text_of(name), items, language) == text_of(name), "run python -m opsverify.generate"


def test_both_languages_have_the_same_structure() -> None:
    english, japanese = (text_of(name) for name in READMES.values())
    assert [level for level, _ in headings(english)] == [level for level, _ in headings(japanese)]
    assert blocks(english) == blocks(japanese)
    assert _OPTION.findall(english) == _OPTION.findall(japanese)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_link_leads_somewhere(name: str) -> None:
    anchors = {anchor(words) for _, words in headings(text_of(name))}
    for link in _LINK.findall(text_of(name)):
        if link.startswith("#"):
            assert link[1:] in anchors, link
        elif "://" not in link:
            assert ((ROOT / name).parent / link).is_file(), link


@pytest.mark.parametrize("name", READMES.values())
def test_every_option_exists_and_none_of_ours_is_untold(name: str) -> None:
    mentioned = set(_OPTION.findall(text_of(name)))
    assert mentioned <= set(_OPTION.findall(usage() + usage_of_the_site()))
    ours = usage().split("operational verification:\n", 1)[1].split("\n\n", 1)[0]
    assert set(re.findall(r"^  (--[a-z-]+)", ours, re.MULTILINE)) <= mentioned


def commands() -> list[str]:
    code = "".join(code for kind, code in blocks(text_of("README.md")) if kind == "bash")
    return [line for line in code.splitlines() if line.startswith("pytest ")]


@pytest.mark.parametrize("command", commands())
def test_every_command_selects_something(command: str, tmp_path: Path) -> None:
    """Commands are run as they stand, except that nothing is contacted."""
    elsewhere = tmp_path / "other.yaml"
    elsewhere.write_text(text_of("environments/staging.yaml"))
    words = shlex.split(command.replace("/elsewhere/other.yaml", str(elsewhere)).replace("$GIT_SHA", "0123abc"))
    needed = variables(text_of("environments/staging.yaml") + text_of("environments/production.yaml"))
    done = run_pytest(*words[1:], "--collect-only", "-q", **needed)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_example_environment_is_complete(tmp_path: Path) -> None:
    (example,) = (code for kind, code in blocks(text_of("README.md")) if kind == "yaml")
    path = tmp_path / "example.yaml"
    path.write_text(example)
    done = run_pytest(f"--env={path}", "--collect-only", "-q", **variables(example))
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_example_check_is_one_of_the_checks() -> None:
    (example,) = (code for kind, code in blocks(text_of("README.md")) if kind == "python")
    assert any(example in path.read_text(encoding="utf-8") for path in (ROOT / "checks").glob("test_*.py"))


def test_every_promise_of_security_names_a_proof_that_is_there() -> None:
    table = text_of("SECURITY.md").partition("## What is promised")[2].partition("## ")[0]
    promises = [line for line in table.splitlines() if line.startswith("| ") and not line.startswith("| Promise")]
    proofs = [re.findall(r"`([\w./-]+)`", line.split("|")[2]) for line in promises]
    assert len(promises) > 10
    assert all(proofs)
    assert [name for names in proofs for name in names if not (ROOT / name).exists()] == []
