"""The usual environment: who names it, which word counts, and that a run says whose it was."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import ROOT, Project

HOST = "hosts: {here: {connection: 'local://'}}\n"
WIDE = "checks: {memory-usage: {band: {below: 100.5, alert_above: 101}}}\n"
ONE = ("-k", "memory_usage")


@pytest.fixture
def usual(project: Project) -> Project:
    """A project whose pytest.ini names an environment, and that has another one."""
    for name in ("usual", "other"):
        project.environment(name, HOST + WIDE)
    ini = project.folder / "pytest.ini"
    ini.write_text(ini.read_text() + "env = usual\n")
    return project


def ends(output: str) -> tuple[str, str]:
    lines = output.strip().splitlines()
    return lines[0], lines[-1]


@pytest.mark.parametrize("arguments", [("-q",), ("-n", "2"), ("--collect-only",)], ids=" ".join)
def test_the_one_of_pytest_ini_is_verified_and_named_first_and_last(usual: Project, arguments: tuple[str, ...]) -> None:
    done = usual.run(*ONE, *arguments)
    assert done.code == 0, done.output
    assert ends(done.output) == ("Environment usual, named by env in pytest.ini",) * 2
    if "--collect-only" not in arguments:
        assert list(done.cases) == ["test_memory_usage[here]"]
        assert (usual.folder / "reports/usual/junit.xml").exists()


def test_the_variable_comes_before_it_and_the_command_line_before_both(usual: Project) -> None:
    done = usual.run(*ONE, VERIFY_ENV="other")
    assert done.code == 0, done.output
    assert ends(done.output) == ("Environment other, named by the variable VERIFY_ENV",) * 2
    assert done.properties("test_memory_usage[here]")["environment"] == "other"
    asked = usual.run("--env", "usual", *ONE, "-p", "no:xdist", VERIFY_ENV="other")
    assert asked.code == 0, asked.output
    assert "named by" not in asked.output
    assert (usual.folder / "reports/usual/junit.xml").exists()
    overridden = usual.run("-o", "env=other", "--collect-only", "-q", *ONE)
    assert ends(overridden.output) == ("Environment other, named by -o env=…",) * 2


def test_several_are_named_with_commas(usual: Project) -> None:
    done = usual.run(*ONE, "--collect-only", "-q", VERIFY_ENV="usual, other")
    assert done.code == 0, done.output
    for name in ("test_memory_usage[usual:here]", "test_memory_usage[other:here]"):
        assert name in done.output


def test_one_that_does_not_exist_is_a_usage_error(project: Project) -> None:
    project.environment("real", HOST)
    done = project.run("-o", "env=relly", *ONE)
    assert done.code == 4
    assert "found 'relly'" in done.output


def test_none_is_a_usage_error_that_says_how_to_name_one(project: Project) -> None:
    project.environment("real", HOST)
    done = project.run(*ONE, VERIFY_ENV=" , ")
    assert done.code == 4
    assert "--env: found nothing" in done.output
    assert "VERIFY_ENV=NAME, or env = NAME in pytest.ini" in done.output


def test_the_tests_of_the_suite_are_no_run_of_it(tmp_path: Path) -> None:
    """What an operator has set is none of their business: they load no plugin, and ask for no environment."""
    env = {**os.environ, "VERIFY_ENV": "production"}
    command = [sys.executable, "-m", "pytest", "tests/plugin/test_selection.py", "-n0", "-q", "-p", "no:randomly"]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "production" not in done.stdout + done.stderr
