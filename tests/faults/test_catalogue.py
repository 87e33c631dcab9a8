"""The catalogue is whole: every check has a fault, every fault names checks that exist, every proof is there."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from opsverify.config.loading import load_items
from opsverify.reporting.results import Outcome
from rehearsal import faults
from rehearsal.faults.document import document
from tests.faults.conftest import ROOT
from tests.faults.exactness import MODULES, REHEARSED
from tests.pace import HANGS

ITEMS = load_items(ROOT / "checks/runbook.yaml")
TOLD = ("alert", "warning")


def test_every_check_has_a_fault_that_turns_it_red_or_amber() -> None:
    turned = {
        subject.partition("[")[0]
        for fault in faults.FAULTS.values()
        for subject, verdict in fault.turns.items()
        if verdict.split(" or ")[-1] in TOLD
    }
    assert set(ITEMS) - turned == set()


@pytest.mark.parametrize("fault", faults.FAULTS.values(), ids=faults.FAULTS)
def test_fault_is_well_declared(fault: faults.Fault) -> None:
    assert fault.checks <= set(ITEMS)
    assert fault.turns
    assert fault.title.endswith(".")
    names = {outcome.value for outcome in Outcome}
    assert {word for verdict in fault.turns.values() for word in verdict.split(" or ")} <= names
    assert (fault.do is None) == bool(fault.proof)


@pytest.mark.parametrize("name", [name for name, fault in faults.FAULTS.items() if fault.proof])
def test_proof_exists(name: str) -> None:
    path, _, test = faults.FAULTS[name].proof.partition("::")
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    assert test in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def test_every_area_is_broken_by_one_module() -> None:
    areas = [area for module in MODULES.values() for area in module]
    assert sorted(areas) == sorted({fault.area for fault in REHEARSED.values()})
    assert {f"test_{module}.py" for module in MODULES} <= {path.name for path in Path(__file__).parent.iterdir()}


def test_document_is_current() -> None:
    assert (ROOT / "docs/faults.md").read_text(encoding="utf-8") == document(ITEMS), (
        "run `python -m opsverify.generate`"
    )


def suite(*arguments: str) -> tuple[int, str]:
    command = [sys.executable, "-m", "pytest", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=HANGS, check=False)
    return done.returncode, done.stdout + done.stderr


def test_faults_are_listed_without_starting_anything() -> None:
    code, output = suite("--fault", "list")
    assert code == 0
    for fault in faults.FAULTS.values():
        assert f"{fault.name}: {fault.title}\n    turns {next(iter(fault.turns))}" in output


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--env", "rehearsal", "--fault", "table-droped"), "(table-dropped or table-locked?)"),
        (("--env", "rehearsal", "--fault", "journal-errors"), "test_errors_in_a_journal_are_told proves it"),
        (
            ("--env", "rehearsal", "--fault", "table-dropped", "--fault", "wrapper-killed"),
            "found faults of running, stopped, allowed those of one state of the system",
        ),
        (
            ("--env", "production", "--fault", "table-dropped"),
            "allowed only environments that are provided_by: rehearsal",
        ),
    ],
)
def test_mistake_is_a_usage_error(arguments: tuple[str, ...], sentence: str) -> None:
    code, output = suite(*arguments)
    assert code == 4
    assert sentence in output


def test_faults_named_on_the_command_line_are_applied_together(tmp_path) -> None:
    reports = (f"--junitxml={tmp_path / 'j.xml'}", f"--html={tmp_path / 'r.html'}")
    named = ("--fault", "superuser-added", "--fault", "rows-lost")
    only = ("-k", "database_rights or data_intact or database_connect")
    code, output = suite("--env", "rehearsal", *named, *only, *reports)
    assert code == 1
    assert "superuser: intruder, expected only postgres" in output
    assert "rows of care_records 138, before 150" in output
    assert "Broken on purpose: Somebody made a superuser." in output
    assert "1 normal, 0 warned, 2 alert" in output


def test_fault_of_a_stopped_system_brings_its_own_selection(tmp_path) -> None:
    reports = (f"--junitxml={tmp_path / 'j.xml'}", f"--html={tmp_path / 'r.html'}")
    code, output = suite("--env", "rehearsal", "--fault", "wrapper-killed", *reports)
    assert code == 1
    assert "5 normal, 0 warned, 1 alert" in output
