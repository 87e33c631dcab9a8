"""What a failure brings along: the runbook's first steps on the host it is about, redacted, and only then."""

from __future__ import annotations

import os
import stat
import xml.etree.ElementTree as ET
from types import SimpleNamespace

import pytest
from psycopg.conninfo import conninfo_to_dict

from opsverify.config.environment import Environment
from opsverify.plugin import first_diagnostics
from opsverify.plugin.first_diagnostics import Diagnostics, Taken, first_steps, hosts_in_trouble, take
from opsverify.reporting.results import Result
from opsverify.reporting.text import Redactor

FILE = "diagnostics-here.txt"


@pytest.fixture
def broken(whole):
    """The blue backend is down, and its log holds secrets: one that the suite knows, and one that looks like one."""
    log = whole.layout.app_log
    before = log.read_bytes()
    password = conninfo_to_dict(whole.postgres.dsn("mycats_monitor"))["password"]
    with log.open("a") as file:
        file.write(f"could not connect with {password}\n")
        file.write("request with Authorization: Bearer pl4nted.S3cret.token\n\x1b[31mred <b>line</b>\x1b[0m\n")
    whole.backends["blue"].kill()
    yield password
    whole.backends["blue"].start()
    log.write_bytes(before)


def test_a_failure_brings_the_first_steps_along(whole, verify, broken, tmp_path):
    ran = verify("-k", "test_api_health or test_memory")
    assert ran.code == 1
    assert f"First diagnostics: {tmp_path / FILE}" in ran.output
    file = tmp_path / FILE
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    text = file.read_text()
    assert "=== the process of " in text
    assert f"=== the last 100 lines of {whole.layout.app_log} ===" in text
    assert "=== the busiest processes ===" in text
    assert "could not connect with •••" in text
    assert "red <b>line</b>" in text
    html = (tmp_path / "report.html").read_text()
    assert "First diagnostics: here" in html
    assert "could not connect with •••" in html
    assert "&lt;b&gt;line&lt;/b&gt;" in html
    assert "<b>line</b>" not in html
    named = [
        p.get("value") for p in ET.parse(tmp_path / "junit.xml").iter("property") if p.get("name") == "diagnostics"
    ]
    assert named == [str(file)]
    for shown in (text, html, ran.output):
        assert broken not in shown
        assert "pl4nted" not in shown
        assert "\x1b[31m" not in shown.replace(ran.output, "")


def test_workers_leave_them_to_the_process_that_reports(verify, broken, tmp_path):
    verify("-n", "2", "-k", "test_api_health or test_memory")
    assert "could not connect with •••" in (tmp_path / FILE).read_text()
    assert "First diagnostics: here" in (tmp_path / "report.html").read_text()


def test_a_good_run_asks_nothing_and_keeps_nothing_old(verify, tmp_path):
    (tmp_path / FILE).write_text("yesterday's")
    ran = verify("-k", "test_api_health")
    assert ran.code == 0, ran.output
    assert not (tmp_path / FILE).exists()
    assert "First diagnostics" not in ran.output + (tmp_path / "report.html").read_text()


def test_a_host_that_cannot_be_reached_is_not_asked_again(project):
    project.environment("own", "hosts: {away: {connection: 'ssh://127.0.0.1:1'}}\n")
    ran = project.run("--env", "own", "-k", "test_memory", "--history=none")
    assert ran.verdicts() == {"test_memory_usage[away]": "blocked"}
    assert not list(project.folder.glob("reports/own/diagnostics-*"))


def test_a_log_that_is_none_costs_no_other_step(tmp_path):
    os.mkfifo(tmp_path / "hung.log")
    environment = made(
        hosts={"here": {"connection": "local://"}},
        logs={"app": {"host": "here", "holds": "application", "path": str(tmp_path / "hung*")}},
    )
    failed = Result("id", environment="e", target_kind="hosts", target="here", verdict="alert")
    (taken,) = take([environment], [failed], Redactor())
    texts = dict(taken.excerpts)
    assert "it is no regular file" in texts[f"the last 100 lines of {tmp_path}/hung*"]
    assert "COMMAND" in texts["the busiest processes"]


def test_many_hosts_are_one_line_and_one_section(project):
    hosts = "".join(f"  app{n}: {{connection: 'local://'}}\n" for n in range(1, 6))
    project.environment("own", f"hosts:\n{hosts}checks: {{memory-usage: {{band: {{below: 0, alert_above: 0}}}}}}\n")
    ran = project.run("--env", "own", "-k", "test_memory", "--history=none")
    folder = project.folder / "reports" / "own"
    assert len(list(folder.glob("diagnostics-app?.txt"))) == 5
    told = [line for line in ran.output.splitlines() if line.startswith("First diagnostics")]
    assert told == [f"First diagnostics: {folder / 'diagnostics-*.txt'} (app1-app5)"]
    html = (folder / "report.html").read_text()
    assert html.count("First diagnostics: app1-app5") == 1
    assert html.count('<details class="ov-host" id=') == 5
    assert html.count("<summary>the busiest processes</summary>") == 5


def test_the_report_has_as_many_as_fit_and_says_where_the_others_are(tmp_path, monkeypatch):
    monkeypatch.setattr(first_diagnostics, "MOST_IN_REPORT", 2500)
    hosts = [f"app{n}" for n in range(1, 6)]
    taken = [Taken("e", host, (("the log", "<x>" * 200),)) for host in hosts]
    monkeypatch.setattr(first_diagnostics, "take", lambda *_: taken)
    added: dict[str, str] = {}
    steps = Diagnostics([made()], Redactor(), tmp_path, "en", lambda: [], added.__setitem__)
    config = SimpleNamespace(stash={})
    steps.pytest_sessionfinish(SimpleNamespace(config=config), pytest.ExitCode.TESTS_FAILED)
    assert list(added) == ["app1", "app2-app5"]
    assert "those of app2-app5 are only in diagnostics-*.txt" in added["app2-app5"]
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"diagnostics-{host}.txt" for host in hosts]
    # What no file could take is in the report, whatever its size.
    added.clear()
    monkeypatch.setattr(steps, "_write", lambda *_: False)
    steps.pytest_sessionfinish(SimpleNamespace(config=config), pytest.ExitCode.TESTS_FAILED)
    assert list(added) == hosts


def made(**kinds) -> Environment:
    named = {
        kind: {n: {**body, "name": n, "environment": "e"} for n, body in targets.items()}
        for kind, targets in kinds.items()
    }
    return Environment.model_validate({"name": "e", **named})


def test_which_host_a_failure_is_about():
    unit = {"role": "backend", "unit": "mycats-backend"}
    environment = made(
        hosts={"app1": {}, "app2": {}, "db": {}},
        services={
            "blue": {**unit, "host": "app1", "slot": "blue"},
            "green": {**unit, "host": "app2", "slot": "green"},
            "pg": {"role": "database", "unit": "postgresql", "host": "db"},
        },
        apis={"blue": {"url": "http://a", "slot": "blue"}},
        databases={"main": {"dsn": "postgresql://u@db/x"}},
        logs={"app": {"host": "app1", "holds": "application", "path": "/srv/*.log"}},
        certificates={"public": {"address": "x"}},
    )

    def failed(kind: str, target: str, verdict: str = "alert", cause: str = "") -> Result:
        return Result("id", environment="e", target_kind=kind, target=target, verdict=verdict, cause=cause)

    def about(*results: Result) -> set[str]:
        return set(hosts_in_trouble(environment, results))

    assert about(failed("apis", "blue")) == {"app1"}
    assert about(failed("databases", "main")) == {"db"}
    assert about(failed("services", "green", "undetermined")) == {"app2"}
    assert about(failed("hosts", "app1"), failed("certificates", "public")) == {"app1"}
    assert about(failed("hosts", "app1", "normal"), failed("hosts", "db", "warning")) == set()
    assert about(failed("hosts", "app2", "blocked", "host app2: connection refused")) == set()
    steps = [(step.kind, step.of) for step in first_steps(environment, environment.hosts["app1"])]
    assert steps == [
        ("state", "mycats-backend"),
        ("log", "/srv/*.log"),
        ("journal", "mycats-backend"),
        ("processes", ""),
        ("space", ""),
    ]
