"""The command line: the wrong target never gets a green light, and mistakes are usage errors told in full."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from .conftest import ROOT, Project

HOST = "hosts: {here: {connection: 'local://'}}\n"
WIDE = "checks: {disk-usage: {band: {below: 100.5, alert_above: 101}}}\n"
DISK = ("-k", "disk_usage")


def test_no_environment_is_a_usage_error_that_lists_them(project: Project) -> None:
    project.environment("production", HOST)
    project.environment("staging", HOST)
    done = project.run()
    assert done.code == 4
    assert "known environments: production, staging" in done.output
    assert "Traceback" not in done.output


def test_an_unknown_environment_is_a_usage_error_that_lists_them(project: Project) -> None:
    project.environment("production", HOST)
    done = project.run("--env", "prodction")
    assert done.code == 4
    assert "found 'prodction'" in done.output
    assert "known environments: production" in done.output


def test_every_mistake_of_every_environment_is_told_before_anything_is_contacted(project: Project) -> None:
    project.environment("one", HOST + "apis: {a: {url: 'ftp://x'}}\ncolour: red\n")
    project.environment("two", "hosts: {here: {connection: 'telnet://x'}}\n")
    done = project.run("--env", "one", "--env", "two")
    assert done.code == 4
    for needle in ("one.yaml: apis.a.url", "one.yaml: colour", "two.yaml: hosts.here.connection"):
        assert needle in done.output
    assert not list(project.folder.glob("reports/*"))


def test_the_variable_names_the_environment_too(project: Project) -> None:
    project.environment("here", HOST + WIDE)
    done = project.run(*DISK, VERIFY_ENV="here")
    assert done.code == 0, done.output
    assert (project.folder / "reports/here/report.html").exists()
    assert (project.folder / "reports/here/junit.xml").exists()


@pytest.mark.parametrize("inside", [True, False])
def test_a_path_names_an_environment_file(
    project: Project, tmp_path_factory: pytest.TempPathFactory, inside: bool
) -> None:
    path = project.environment("elsewhere", HOST + WIDE)
    folder = project.folder / "deep" / "er" if inside else tmp_path_factory.mktemp("etc")
    folder.mkdir(parents=True, exist_ok=True)
    moved = path.rename(folder / "elsewhere.yaml")
    named = str(moved.relative_to(project.folder)) if inside else f"--env={moved}"
    done = project.run(*DISK, *(("--env", named) if inside else (named,)))
    assert done.code == 0, done.output


def test_several_environments_are_told_apart(project: Project) -> None:
    project.environment("one", HOST + WIDE)
    project.environment("two", HOST + WIDE)
    done = project.run("--env", "one", "--env", "two", *DISK)
    assert done.code == 0, done.output
    assert {"test_disk_usage[one:here]", "test_disk_usage[two:here]"} == set(done.cases)
    assert done.properties("test_disk_usage[two:here]")["environment"] == "two"


def test_pytest_habits_keep_working(project: Project) -> None:
    project.environment("here", HOST + WIDE)
    mine = project.folder / "mine"
    done = project.run("--env", "here", *DISK, f"--html={mine}/a.html", f"--junitxml={mine}/b.xml", "-q", "-x")
    assert done.code == 0, done.output
    assert (mine / "a.html").exists()
    assert (mine / "b.xml").exists()
    listed = project.run("--env", "here", "--collect-only", "-q", "-m", "smoke")
    assert "test_disk_usage[here]" in listed.output
    helped = project.run("--help")
    assert helped.code == 0
    assert "--fail-on" in helped.output
    marked = project.run("--markers")
    assert "@pytest.mark.smoke: right after a deployment" in marked.output


def test_a_slot_that_does_not_exist_is_a_usage_error(project: Project) -> None:
    project.environment("here", HOST)
    done = project.run("--env", "here", "--slot", "green")
    assert done.code == 4
    assert "--slot: found 'green'" in done.output


def test_an_unknown_level_is_a_usage_error(project: Project) -> None:
    project.environment("here", HOST)
    done = project.run("--env", "here", "--fail-on", "P9")
    assert done.code == 4
    assert "allowed P1, P2, P3, P4, warning" in done.output


def test_a_check_without_a_target_is_a_usage_error(project: Project) -> None:
    project.environment("here", HOST + "services: {nginx: {host: here, role: proxy, unit: nginx}}\n")
    done = project.run("--env", "here")
    assert done.code == 4
    assert "required-variables: found no" in done.output
    assert "not_applicable.required-variables" in done.output


def test_a_report_folder_that_cannot_be_written_is_a_usage_error(project: Project) -> None:
    project.environment("here", HOST + WIDE)
    (project.folder / "reports").write_text("a file where the folder should be")
    done = project.run("--env", "here", *DISK)
    assert done.code == 4
    assert "cannot be written" in done.output
    assert "Traceback" not in done.output


def test_a_path_that_pytest_takes_for_its_root_is_a_usage_error_that_says_how(
    project: Project, tmp_path_factory: pytest.TempPathFactory
) -> None:
    project.environment("here", HOST + WIDE)
    report = tmp_path_factory.mktemp("elsewhere") / "report"
    report.touch()  # an earlier run's
    for arguments in (DISK, ("--traceability",)):
        done = project.run("--env", "here", "--html", str(report), *arguments)
        assert done.code == 4, done.output
        assert "with =, as --html=PATH" in done.output
    assert project.run("--env", "here", f"--html={report}", *DISK).code == 0


HEAVY = ("alembic", "cryptography", "holidays", "hypothesis", "psycopg", "requests", "sqlalchemy", "testinfra")


def test_what_is_expensive_to_import_is_not_on_the_start_up_path(project: Project) -> None:
    path = project.environment("here", HOST)
    code = (
        "import sys, pytest\n"
        f"pytest.main(['--env={path}', '--collect-only', '-q'])\n"
        f"print('imported:', sorted(set(sys.modules) & set({HEAVY})))\n"
    )
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert "imported: []" in done.stdout, done.stdout + done.stderr
