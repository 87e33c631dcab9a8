"""Checks that change something on purpose: asked for by name, or left out."""

from __future__ import annotations

from .conftest import Project

ALERTS = """
hosts: {here: {connection: 'local://'}}
alerts: {main: {host: here, script: /nowhere/send-alert.sh}}
"""
DRILL = """
from opsverify import runbook

@runbook("alert-path", only="drill")
def test_writes(alert_script, expect):
    expect.that(True, observed="written", expected="written")

@runbook("alert-path")
def test_looks(alert_script, expect):
    expect.that(True, observed="looked", expected="looked")
"""


def test_drill_runs_only_when_the_run_names_it(project: Project) -> None:
    project.own_checks(DRILL)
    project.environment("here", ALERTS)
    for arguments in ((), ("-m", "weekly"), ("-m", "not smoke"), ("-k", "writes or looks")):
        done = project.run("--env", "here", *arguments)
        assert set(done.cases) == {"test_looks[main]"}, done.output
        assert done.code == 0
    by_name = project.run("--env", "here", "checks/test_own.py::test_writes")
    assert not by_name.cases
    assert by_name.code == 5
    done = project.run("--env", "here", "-m", "drill")
    assert set(done.cases) == {"test_writes[main]", "test_looks[main]"}, done.output
    assert done.properties("test_writes[main]")["schedule"] == "drill"
    assert done.properties("test_looks[main]")["schedule"] == "weekly drill"


def test_drill_of_a_schedule_that_the_item_does_not_have_is_a_usage_error(project: Project) -> None:
    project.own_checks(DRILL.replace('only="drill"', 'only="smoke"'))
    project.environment("here", ALERTS)
    done = project.run("--env", "here")
    assert done.code == 4
    assert "test_writes: found only='smoke', allowed weekly, drill" in done.output
