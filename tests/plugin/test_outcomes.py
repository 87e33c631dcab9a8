"""Outcomes: wrong, undetermined and misconfigured stay distinct, and silence is never health."""

from __future__ import annotations

import json
import socket
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from typing import Any, ClassVar

import pytest

from .conftest import Project

HOST = "hosts: {here: {connection: 'local://'}}\n"
DISK = ("--env", "here", "-k", "disk_usage")
NAME = "test_disk_usage[here]"


def disk(below: float, above: float, more: str = "") -> str:
    return HOST + f"checks: {{disk-usage: {{band: {{below: {below}, alert_above: {above}}}}}}}\n" + more


NORMAL, WARNED, ALERT = disk(100.5, 101), disk(0, 101), disk(-2, -1)


def waiver(days: float) -> str:
    expires = (datetime.now(UTC) + timedelta(days=days)).isoformat(timespec="seconds")
    return f"waivers: [{{check: disk-usage, owner: ops, reason: disk is ordered, expires: '{expires}'}}]\n"


@pytest.mark.parametrize(
    ("text", "arguments", "code", "verdict"),
    [
        (NORMAL, (), 0, "normal"),
        (WARNED, (), 0, "warning"),
        (WARNED, ("--fail-on", "warning"), 1, "warning"),
        (ALERT, (), 1, "alert"),
        (ALERT, ("--fail-on", "P2"), 1, "alert"),
        (ALERT, ("--fail-on", "P1"), 0, "alert"),
        (ALERT + waiver(1), (), 0, "waived"),
        (ALERT + waiver(-1), (), 1, "alert"),
        (NORMAL + waiver(1), (), 1, "normal"),
        (NORMAL + waiver(-1), (), 1, "normal"),
        (WARNED + waiver(1), (), 1, "warning"),
    ],
)
def test_outcome_and_exit_code(
    project: Project, text: str, arguments: tuple[str, ...], code: int, verdict: str
) -> None:
    project.environment("here", text)
    done = project.run(*DISK, *arguments)
    assert (done.code, done.properties(NAME)["verdict"]) == (code, verdict), done.output


def test_a_result_carries_all_that_a_reader_needs(project: Project) -> None:
    project.environment("here", ALERT)
    done = project.run(*DISK)
    result = done.properties(NAME)
    assert result["runbook"] == "disk-usage"
    assert result["severity"] == "P2"
    assert result["schedule"] == "smoke daily"
    assert result["expected"] == "< -2 % (alert > -1 %)"
    assert result["unit"] == "%"
    assert result["target"] == "here"
    assert 0 <= float(result["value"]) <= 100
    assert "%" in result["observed"]
    failure = done.cases[NAME].find("failure")
    assert failure is not None
    assert str(failure.get("message")).startswith("observed ")
    assert any(line.startswith("P2  disk-usage[here]  observed ") for line in done.output.splitlines()), done.output


@pytest.mark.parametrize("arguments", [("-k", "no_such_check"), ("-m", "smoke and weekly and not smoke")])
def test_nothing_selected_is_not_green(project: Project, arguments: tuple[str, ...]) -> None:
    project.environment("here", NORMAL)
    assert project.run("--env", "here", *arguments).code != 0


def test_nothing_judged_is_not_green(project: Project) -> None:
    project.environment("here", "title: Nothing at all\n")
    done = project.run("--env", "here")
    assert done.code != 0
    assert set(done.verdicts().values()) == {"not applicable"}
    assert "judged" in done.output


def test_an_unreachable_host_is_one_cause_and_many_blocked_checks(project: Project) -> None:
    with socket.socket() as closed:  # bound and not listening: nobody else takes the port, and it refuses
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        project.environment("here", f"hosts: {{far: {{connection: 'ssh://nobody@127.0.0.1:{port}'}}}}\n")
        done = project.run("--env", "here")
    assert done.code == 1
    verdicts = Counter(v for v in done.verdicts().values() if v != "not applicable")
    assert set(verdicts) == {"blocked"}
    assert verdicts["blocked"] >= 3
    assert all(c.find("error") is not None for n, c in done.cases.items() if "[far]" in n)
    causes = [line for line in done.output.splitlines() if "host far" in line]
    assert len(causes) == 1, done.output
    assert "refused" in causes[0]
    assert "Traceback" not in done.everything()


class Well(BaseHTTPRequestHandler):
    """A stand-in that counts what it is asked."""

    counts: ClassVar[Counter[str]] = Counter()

    def do_GET(self) -> None:
        type(self).counts[self.path] += 1
        body = b'{"success":true,"data":[],"meta":{"total":0,"page":1,"limit":20,"totalPages":0}}'
        if self.path == "/health":
            data = {
                "status": "ok", "timestamp": datetime.now(UTC).isoformat(), "service": "Cat Management System API",
                "version": "1.0.0", "environment": "production", "uptime": 5, "memory": {"used": 1, "total": 2},
                "database": "ok",
            }  # fmt: skip
            body = json.dumps({"success": True, "data": data}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.mark.parametrize("workers", [(), ("-n", "2"), ("-n", "4")])
def test_evidence_is_collected_once_whatever_the_number_of_workers(
    project: Project, serve: Callable[[Any], str], workers: tuple[str, ...]
) -> None:
    handler = type("Well", (Well,), {"counts": Counter()})
    project.environment("here", f"apis: {{a: {{url: '{serve(handler)}', samples: 3}}}}\n")
    done = project.run("--env", "here", "-k", "api_health or api_response_time or api_smoke", *workers)
    assert done.code == 0, done.output
    assert handler.counts == {"/health": 3, "/api/v1/pedigrees": 1}
    assert done.verdicts()["test_api_health[a]"] == "normal"


def test_a_dead_api_is_one_finding_and_blocks_the_rest(project: Project) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        project.environment("here", f"apis: {{blue: {{url: 'http://127.0.0.1:{closed.getsockname()[1]}'}}}}\n")
        done = project.run("--env", "here", "-m", "smoke")
    verdicts = {n: v for n, v in done.verdicts().items() if v != "not applicable"}
    assert verdicts.pop("test_api_health[blue]") == "alert"
    assert set(verdicts.values()) == {"blocked"}
    assert done.code == 1


CHECKS = """
from opsverify import runbook

@runbook("disk-usage")
def test_vacuous(filesystems, expect):
    pass

@runbook("cpu-usage")
def test_without_expect(cpu):
    pass

@runbook("memory-usage")
def test_with_a_bug(memory, expect):
    secret = "hunter2hunter2"
    raise KeyError(secret)
"""


def test_a_check_that_judges_nothing_or_breaks_is_never_green(project: Project) -> None:
    project.own_checks(CHECKS)
    project.environment("here", HOST + "apis: {a: {url: 'http://127.0.0.1:9', token: '${TOKEN}'}}\n")
    done = project.run("--env", "here", TOKEN="hunter2hunter2")
    assert done.code == 1
    assert set(done.verdicts().values()) == {"broken"}
    assert "hunter2" not in done.everything()
    assert "KeyError" in done.output


def test_an_item_that_does_not_exist_is_a_usage_error(project: Project) -> None:
    project.own_checks(
        'from opsverify import runbook\n\n@runbook("disk-usge")\ndef test_x(filesystems, expect): pass\n'
    )
    project.environment("here", HOST)
    done = project.run("--env", "here")
    assert done.code == 4
    assert "disk-usge" in done.output


def test_a_waiver_is_needed_as_long_as_one_of_its_targets_fails(project: Project) -> None:
    band = "checks: {disk-usage: {band: {below: -2, alert_above: -1}}, memory-usage: {band: {below: 100, alert_above: 101}}}\n"
    hosts = "hosts: {here: {connection: 'local://'}, there: {connection: 'ssh://nobody@127.0.0.1:1'}}\n"
    project.environment("here", hosts + band + waiver(1))
    done = project.run(*DISK)
    assert done.verdicts() == {"test_disk_usage[here]": "waived", "test_disk_usage[there]": "blocked"}, done.output


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (ALERT + waiver(1), "hides 1 failure"),
        (ALERT + waiver(-1), "expired"),
        (NORMAL + waiver(-1), "the waiver has expired, renew or remove it"),
        (NORMAL + waiver(1), "the waiver hides nothing, remove it"),
    ],
)
def test_every_waiver_is_told_in_every_report(project: Project, text: str, sentence: str) -> None:
    project.environment("here", text)
    done = project.run(*DISK, "-n", "2")
    assert sentence in done.output
    assert sentence in (done.folder / "reports/here/report.html").read_text()
    assert "disk is ordered" in done.output
    stale = [name for name in done.cases if name.startswith("waiver ")]
    assert len(stale) == ("hides 1" not in sentence)
    assert done.code == (1 if stale else 0)


def test_a_waiver_of_a_check_that_is_not_looked_at_is_told_and_no_failure(project: Project) -> None:
    project.environment("here", NORMAL + waiver(-1))
    done = project.run("--env", "here", "-k", "memory-usage", "--fail-on", "P1")
    assert done.code == 0, done.output
    assert "Waiver disk-usage: not looked at in this run" in done.output
    assert "Waivers in the environment file" in (done.folder / "reports/here/report.html").read_text()
    assert 'name="waiver" value="disk-usage waived by ops until' in (done.folder / "reports/here/junit.xml").read_text()
