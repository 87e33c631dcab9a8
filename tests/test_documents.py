"""The documents say what is so: in both languages, with links that lead somewhere and commands that work."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from opsverify.config.environment import Environment
from opsverify.config.yaml_file import read_yaml
from opsverify.reference.options import commands as commands_beside_pytest
from tests.pace import HANGS

ROOT = Path(__file__).parents[1]
READMES = {"en": "README.md", "ja": "README.ja.md"}
DOCUMENTS = sorted(
    path.relative_to(ROOT).as_posix()
    for pattern in ("*.md", "docs/**/*.md", "examples/**/*.md", "benchmarks/*.md")
    for path in ROOT.glob(pattern)
    if "_site" not in path.parts
)
IN_OTHER_WORDS = {"docs/ja/index.md", "docs/ja/how-to/privileges.md", "docs/ja/reference/options.md"}
"""Japanese pages that say in another order, or without the questions one by one, what the English ones do."""
PAIRS = [
    (english, name)
    for name in DOCUMENTS
    if name.startswith("docs/ja/") and (english := name.replace("docs/ja/", "docs/")) and name not in IN_OTHER_WORDS
]

_BLOCK = re.compile(r"^ *```(\w+)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^(#+) (.+)$", re.MULTILINE)
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_OPTION = re.compile(r"(?<![\w<!-])--[a-z][a-z-]+")


@cache
def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def blocks(text: str) -> list[tuple[str, str]]:
    """Code blocks as (language, code). The comments of commands are left out: they are translated."""
    return [(kind, re.sub(r"\s+#.*$", "", code, flags=re.MULTILINE)) for kind, code in _BLOCK.findall(text)]


def headings(text: str) -> list[tuple[int, str]]:
    """Headings as (level, words)."""
    return [(len(marks), words) for marks, words in _HEADING.findall(_BLOCK.sub("", text))]


@cache
def anchors(name: str) -> frozenset[str]:
    return frozenset(re.sub(r"[^\w-]", "", words.lower().replace(" ", "-")) for _, words in headings(text_of(name)))


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
def usage_of_other_commands() -> str:
    return "".join(parser.format_help() for parser in commands_beside_pytest())


def variables(text: str) -> dict[str, str]:
    """A value for each `${VAR}` of an environment file."""
    return {name: f"value-of-{name}" for name in re.findall(r"\$\{([A-Z_]+)\}", text)}


@pytest.mark.parametrize(("english", "japanese"), [tuple(READMES.values()), *PAIRS])
def test_both_languages_say_the_same(english: str, japanese: str) -> None:
    one, other = text_of(english), text_of(japanese)
    assert [level for level, _ in headings(one)] == [level for level, _ in headings(other)]
    assert blocks(one) == blocks(other)
    assert set(_OPTION.findall(one)) == set(_OPTION.findall(other))


@pytest.mark.parametrize("name", [name for name in DOCUMENTS if name.startswith("docs/")])
def test_one_language_leads_to_the_other(name: str) -> None:
    english = name.replace("docs/ja/", "docs/")
    english = "docs/privileges.md" if english == "docs/how-to/privileges.md" else english
    if name.startswith("docs/ja/"):
        assert f"[English]({os.path.relpath(english, Path(name).parent)})" in text_of(name)
        assert f"[日本語]({os.path.relpath(name, Path(english).parent)})" in text_of(english)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_link_leads_somewhere(name: str) -> None:
    for link in _LINK.findall(_BLOCK.sub("", text_of(name))):
        if "://" in link:
            continue
        path, _, anchor = link.partition("#")
        target = ((ROOT / name).parent / path).resolve() if path else ROOT / name
        assert target.is_file(), link
        assert not anchor or anchor in anchors(target.relative_to(ROOT).as_posix()), link


@pytest.mark.parametrize("name", [name for name in DOCUMENTS if name.startswith(("README", "docs/", "examples/"))])
def test_every_option_exists(name: str) -> None:
    if name == "docs/mutation.md":  # mutmut's
        return
    commands = "\n".join(code for kind, code in blocks(text_of(name)) if kind == "bash")
    words = _OPTION.findall(re.sub(r"^ *(?!pytest|python -m opsverify).*$", "", commands, flags=re.MULTILINE))
    assert set(words) <= set(_OPTION.findall(usage() + usage_of_other_commands()))


@pytest.mark.parametrize("name", ["docs/reference/options.md", "docs/ja/reference/options.md"])
def test_no_option_of_ours_is_untold(name: str) -> None:
    ours = usage().split("operational verification:\n", 1)[1].split("\n\n", 1)[0]
    told = re.findall(r"^\| `(--[a-z-]+)", text_of(name), re.MULTILINE)
    assert set(re.findall(r"^  (--[a-z-]+)", ours, re.MULTILINE)) <= set(told)


def commands() -> list[str]:
    """What is run against an environment, in the README and the how-to pages; not what would start a rehearsal."""
    names = [name for name in DOCUMENTS if name.startswith("docs/how-to/")]
    code = "".join(code for name in ("README.md", *names) for kind, code in blocks(text_of(name)) if kind == "bash")
    lines = [line.strip().replace("NAME", "staging") for line in code.splitlines()]
    return list(
        dict.fromkeys(
            line
            for line in lines
            if line.startswith("pytest ") and not re.search("--fault|--env (rehearsal|waived)", line)
        )
    )


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
    (example,) = (code for kind, code in blocks(text_of("docs/how-to/environment-file.md")) if kind == "yaml")
    path = tmp_path / "example.yaml"
    path.write_text(example)
    done = run_pytest(f"--env={path}", "--collect-only", "-q", **variables(example))
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", [name for name in DOCUMENTS if name.startswith(("docs/", "examples/"))])
def test_every_piece_of_an_environment_file_may_stand_in_one(name: str, tmp_path: Path) -> None:
    for kind, code in blocks(text_of(name)):
        if kind != "yaml":
            continue
        filled = re.sub(
            r"(history: )\$\{.*?\}", r"\1none", re.sub(r"(url: |webhook: \")\$\{.*?\}", r"\1http://x", code)
        )
        filled = re.sub(r"\$\{(\w+):-(\w*)\}", r"\2", filled)
        path = tmp_path / "piece.yaml"
        path.write_text(re.sub(r"\$\{.*?\}", "value", filled))
        Environment.model_validate(read_yaml(path))


def test_the_example_check_is_one_of_the_checks() -> None:
    (example,) = (code for kind, code in blocks(text_of("docs/how-to/add-a-check.md")) if kind == "python")
    assert any(example in path.read_text(encoding="utf-8") for path in (ROOT / "checks").glob("test_*.py"))


def test_every_promise_of_security_names_a_proof_that_is_there() -> None:
    table = text_of("SECURITY.md").partition("## What is promised")[2].partition("## ")[0]
    promises = [line for line in table.splitlines() if line.startswith("| ") and not line.startswith("| Promise")]
    proofs = [re.findall(r"`([\w./-]+)`", line.split("|")[2]) for line in promises]
    assert len(promises) > 10
    assert all(proofs)
    assert [name for names in proofs for name in names if not (ROOT / name).exists()] == []
