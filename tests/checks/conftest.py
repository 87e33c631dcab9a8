"""Checks against really broken things: runs of the real suite, in processes of their own."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

import rehearsal
from opsverify.config.loading import load_items
from opsverify.config.yaml_file import read_yaml
from opsverify.judgements.expect import Expect
from rehearsal.whole import Rehearsal
from tests.pace import HANGS
from tests.plugin.conftest import Project

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Judged:
    """One check of one target, as the JUnit report has it."""

    verdict: str
    observed: str
    expected: str
    sentence: str


@dataclass(frozen=True)
class Ran:
    """One run: its exit code, its output, and what it found by test id, `test_disk_usage[here]`."""

    code: int
    output: str
    found: dict[str, Judged]
    reports: Path

    def __getitem__(self, name: str) -> Judged:
        return self.found[name]


def run(reports: Path, *arguments: str, environment: str = "rehearsal", **variables: str) -> Ran:
    """Run checks with these arguments; reports go to the folder `reports`, nothing to the history."""
    env = {k: v for k, v in os.environ.items() if not k.startswith(("VERIFY_", "PYTEST_", "REHEARSAL_"))} | variables
    junit, html = reports / "junit.xml", reports / "report.html"
    command = [sys.executable, "-m", "pytest", f"--env={environment}", f"--junitxml={junit}", f"--html={html}"]
    if not any(argument.startswith("--history") for argument in arguments):
        command.append("--history=none")
    done = subprocess.run(
        [*command, *arguments], cwd=ROOT, env=env, capture_output=True, text=True, timeout=HANGS, check=False
    )
    result = {}
    for case in ET.parse(junit).iter("testcase") if junit.exists() and junit.stat().st_size else ():
        output = {str(p.get("name")): str(p.get("value")) for p in case.iter("property")}
        result[str(case.get("name"))] = Judged(
            *(output.get(k, "") for k in ("verdict", "observed", "expected", "sentence"))
        )
    return Ran(done.returncode, done.stdout + done.stderr, result, reports)


@pytest.fixture(scope="module")
def whole() -> Iterator[Rehearsal]:
    """A rehearsal of this module's own, to break and to mend again."""
    with rehearsal.private() as own:
        yield own


@pytest.fixture
def verify(whole: Rehearsal, tmp_path: Path) -> Callable[..., Ran]:
    """Run checks against the module's rehearsal: verify("-k", "disk_usage")."""

    def verify(*arguments: str, environment: str = "rehearsal") -> Ran:
        root = str(whole.layout.root)
        return run(tmp_path, *arguments, environment=environment, REHEARSAL_ATTACH=root)

    return verify


@pytest.fixture(scope="session")
def judged() -> Callable[..., Expect]:
    """What a check makes of facts of the test's own, without any run: judged("backup", "database-backup-fresh", dumps=…).

    Its function is found by the item's id, or by `function`; `changes` are settings that differ.
    """
    items = load_items(ROOT / "checks" / "runbook.yaml")

    def judged(chapter: str, item: str, function: str = "", changes: Mapping[str, Any] = {}, **facts: Any) -> Expect:
        path = ROOT / "checks" / f"test_{chapter}.py"
        spec = importlib.util.spec_from_file_location(f"checks_{chapter}", path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        check = getattr(module, function or f"test_{item.replace('-', '_')}")
        names = {
            "settings": {**items[item].settings, **changes},
            "items": items,
            "expect": Expect(items[item]),
            **facts,
        }
        check(**{name: names[name] for name in check.__code__.co_varnames[: check.__code__.co_argcount]})
        return names["expect"]

    return judged


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project folder with the real checks and environments of the test's own."""
    return Project(tmp_path)


@pytest.fixture
def changed(tmp_path: Path) -> Callable[[Mapping[str, Any]], str]:
    """Write environments/rehearsal.yaml with some things said differently, mapping by mapping; None takes away."""

    def lay(changes: Mapping[str, Any], tree: Any) -> None:
        for key, value in changes.items():
            if isinstance(value, Mapping) and isinstance(tree.get(key), Mapping):
                lay(value, tree[key])
            elif value is None:
                tree.pop(key, None)
            else:
                tree[key] = value

    def write(changes: Mapping[str, Any]) -> str:
        tree = read_yaml(ROOT / "environments/rehearsal.yaml")
        lay(changes, tree)
        path = tmp_path / "rehearsal.yaml"
        with path.open("w", encoding="utf-8") as file:
            yaml.safe_dump(tree, file, sort_keys=False)
        return str(path)

    return write
