"""What a real run leaves for machines: limits, waivers, what is not applicable, and where it goes."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker

from .conftest import ROOT, Outcome, Project

HOST = "hosts: {here: {connection: 'local://'}}\nhistory: none\n"
DISK = ("--env", "here", "-k", "disk_usage")


def waived(below: float, above: float) -> str:
    expires = (datetime.now(UTC) + timedelta(days=1)).isoformat(timespec="seconds")
    band = f"checks: {{disk-usage: {{band: {{below: {below}, alert_above: {above}}}}}}}\n"
    return f"{band}waivers: [{{check: disk-usage, owner: \"operations 'team'\", reason: 'ディスク増設 \"済\"', expires: '{expires}'}}]\n"


def document(done: Outcome, name: str = "run.json") -> dict[str, Any]:
    whole: dict[str, Any] = json.loads((done.folder / name).read_text("utf-8"))
    schema = json.loads((ROOT / "opsverify" / "reporting" / "run.schema.json").read_text("utf-8"))
    Draft202012Validator(schema, format_checker=FormatChecker()).validate(whole)
    return whole


def test_a_waived_failure_has_its_terms_and_limits(project: Project) -> None:
    project.environment("here", HOST + waived(-2, -1))
    done = project.run(*DISK, "-n", "2", "--json=run.json", "--revision=0123abc")
    assert done.code == 0, done.output
    whole = document(done)
    (result,) = whole["results"]
    assert result["verdict"] == "waived"
    assert (result["waiver"]["owner"], result["waiver"]["reason"]) == ("operations 'team'", 'ディスク増設 "済"')
    assert datetime.fromisoformat(result["waiver"]["expires"]) > datetime.now(UTC)
    assert result["limits"] == {"warning": -2, "alert": -1, "worse": "above"}
    assert {one["about"] for one in result["measurements"]} >= {"/"}
    assert (whole["revision"], whole["exit_code"], whole["environments"]) == ("0123abc", 0, ["here"])


def test_a_waiver_that_must_go_is_a_result_of_its_own(project: Project) -> None:
    project.environment("here", HOST + waived(100.5, 101))
    done = project.run(*DISK, "--json=run.json")
    stale = document(done)["results"][0]
    assert (stale["check"], stale["verdict"], stale["line"]) == ("waiver-of-disk-usage", "alert", None)
    assert stale["file"] == "environments/here.yaml"


def test_the_json_of_an_earlier_run_goes_whatever_becomes_of_this_one(project: Project) -> None:
    project.environment("here", HOST)
    (project.folder / "run.json").write_text("{}")
    assert project.run(*DISK[:3], "no_such_check", "--json=run.json").code != 0
    assert document(project.run(*DISK[:3], "no_such_check", "--json=run.json"))["results"] == []
    refused = project.run(*DISK, "--json=.")
    assert refused.code == 4
    assert "cannot be written (Is a directory)" in refused.output


def test_listing_writes_nothing(project: Project) -> None:
    project.environment("here", HOST)
    assert project.run(*DISK, "--collect-only", "--json=run.json").code == 0
    assert not (project.folder / "run.json").exists()


def test_every_check_is_found_where_it_is_written(project: Project) -> None:
    project.environment("here", "databases: {main: {dsn: 'postgresql://nobody@127.0.0.1:1/mycats'}}\nhistory: none\n")
    done = project.run("--env", "here", "-k", "long_transactions or connection_usage", "--json=run.json")
    for result in document(done)["results"]:
        case = done.cases[result["nodeid"].partition("::")[2]]
        assert (case.get("file"), case.get("line")) == (result["file"], str(result["line"]))
        line = (project.folder / result["file"]).read_text("utf-8").splitlines()[result["line"] - 1]
        declared = result["file"] == "checks/runbook.yaml"
        assert line == f"{result['check']}:" if declared else line == f'@runbook("{result["check"]}")'
    assert {result["file"] for result in document(done)["results"]} == {
        "checks/runbook.yaml",
        "checks/test_resources.py",
    }


def test_metrics_stay_until_there_are_new_ones(project: Project) -> None:
    project.environment("here", HOST)
    metrics = project.folder / "run.prom"
    metrics.write_text("# those of last night\n")
    refused = project.run(*DISK, "--metrics=run.prom", "--json=.")
    assert refused.code != 0
    assert metrics.read_text() == "# those of last night\n"
    done = project.run(*DISK, "-m", "daily", "--metrics=run.prom")
    text = metrics.read_text("utf-8")
    assert f'opsverify_run_exit_code{{environment="here",selection="daily",slot=""}} {done.code}\n' in text
    assert 'check="disk-usage",target="here",target_kind="hosts",severity="P2",unit="%"' in text


def test_a_run_that_was_refused_after_its_start_is_not_complete(project: Project) -> None:
    project.own_checks(
        'from opsverify import runbook\n\n@runbook("disk-usge")\ndef test_x(filesystems, expect): pass\n'
    )
    project.environment("here", HOST)
    done = project.run("--env", "here", "--json=run.json")
    whole = document(done)
    assert (whole["exit_code"], whole["complete"], whole["results"]) == (done.code, False, [])
    assert done.code == 4


def test_two_reports_in_one_file_are_a_usage_error(project: Project) -> None:
    project.environment("here", HOST)
    refused = project.run(*DISK, "--json=run.txt", "--metrics=run.txt")
    assert (refused.code, "--json and --metrics: found one file for two reports" in refused.output) == (4, True)
