"""Runs of the real plugin that notify: what is sent, what the reports say, and what the exit code is."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.plugin.conftest import Outcome, Project

from .conftest import Receiver

CHECKS = """
import os
from opsverify import runbook

@runbook("disk-usage")
def test_disk(filesystems, expect):
    expect(float(os.environ.get("USED", "10")), "/")

@runbook("memory-usage")
def test_memory(memory, expect):
    if os.environ.get("STOP"):
        raise KeyboardInterrupt
    expect(5)
"""


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    made = Project(tmp_path)
    made.own_checks(CHECKS)
    yield made


def notifying(project: Project, receiver: Receiver, more: str = "", **variables: str) -> Callable[..., Outcome]:
    text = "hosts: {here: {}, there: {}}\nnotify:\n  channels: {team: {webhook: '${HOOK}'}}\n  seconds: 20\n" + more
    project.environment("production", text)

    def run(*arguments: str, **others: str) -> Outcome:
        hook = f"{receiver.address}/s3cret-hook"
        return project.run("--env", "production", *arguments, **{"HOOK": hook, **variables, **others})

    return run


def test_a_change_is_told_once_and_the_reports_say_so(project: Project, receive: Callable[..., Receiver]) -> None:
    there = receive()
    run = notifying(project, there)
    assert run().code == 0
    assert there.asked == []
    failed = run(USED="97", n="2")
    assert failed.code == 1
    assert "Notified team: 2 new" in failed.output
    assert [body["title"] for body in there.bodies] == ["P2 production: 2 new"]
    assert "disk-usage[here]" in there.bodies[0]["text"]
    again = run("-n", "2", USED="97")
    assert again.code == 1
    assert len(there.asked) == 1
    assert "Notified" not in again.output
    assert "Notified team: 2 recovered" in run("-n", "2").output
    html = (project.folder / "reports/production/report.html").read_text()
    assert "Who was notified" in html
    assert "2 recovered" in html
    assert "s3cret-hook" not in failed.everything() + html


def test_who_asks_for_silence_gets_it(project: Project, receive: Callable[..., Receiver]) -> None:
    there = receive()
    run = notifying(project, there, "  heartbeat: '${BEAT}'\n", BEAT=f"{there.address}/beat")
    assert run("--no-notify", USED="97").code == 1
    assert run("--collect-only", "-q", USED="97").code == 0
    assert there.asked == []
    run(USED="97")
    assert there.paths == ["/beat/start", "/s3cret-hook", "/beat/fail"]


def test_a_message_that_was_not_delivered_fails_the_run(project: Project, receive: Callable[..., Receiver]) -> None:
    there = receive(404)
    run = notifying(project, there)
    failed = run("--fail-on", "P1", USED="97")
    assert failed.code == 1
    assert "notification[team]  2 new not delivered: it answered 404" in failed.output
    assert failed.properties("notification team")["verdict"] == "alert"
    assert "s3cret-hook" not in failed.everything()
    there.answers = [200]
    assert "Notified team: 2 new" in run("--fail-on", "P1", USED="97").output


def test_a_watcher_that_hears_nothing_is_said_and_changes_no_exit_code(
    project: Project, receive: Callable[..., Receiver]
) -> None:
    there = receive(404)
    done = notifying(project, there, "  heartbeat: '${BEAT}'\n", BEAT=f"{there.address}/beat-s3cret")()
    assert done.code == 0
    assert "HEARTBEAT NOT TAKEN: production: it answered 404" in done.output
    assert "beat-s3cret" not in done.everything()


def test_an_interrupted_run_tells_what_it_found_and_no_recovery(
    project: Project, receive: Callable[..., Receiver]
) -> None:
    there = receive()
    run = notifying(project, there, "  heartbeat: '${BEAT}'\n", BEAT=f"{there.address}/beat")
    run(USED="97")
    stopped = run(STOP="1")
    assert stopped.code == 2
    assert "Notified" not in stopped.output
    assert there.paths[-1] == "/beat/fail"
    assert "Notified team: 2 recovered" in run().output


def test_maintenance_is_shown_notifies_nobody_and_is_not_green(
    project: Project, receive: Callable[..., Receiver]
) -> None:
    there = receive()
    window = "{start: 00:00, end: 24:00, targets: [here], owner: us, reason: a new disk}"
    files = ("--summary=summary.md", "--json=run.json")
    done = notifying(project, there, f"  maintenance: [{window}]\n")(*files, USED="97")
    assert done.code == 1
    assert "In maintenance, nobody was notified: disk-usage[here] (us, 00:00 to 24:00: a new disk)" in done.output
    assert [body["title"] for body in there.bodies] == ["P2 production: 1 new"]
    assert "a new disk" in (project.folder / "reports/production/report.html").read_text()
    assert done.properties("test_disk[here]")["maintenance"] == "us, 00:00 to 24:00: a new disk"
    rows = [line for line in (project.folder / "summary.md").read_text().splitlines() if line.startswith("| P")]
    in_maintenance = [row for row in rows if "In maintenance, nobody was notified\\: us, 00\\:00 to 24\\:00" in row]
    assert [("\\[here\\]" in row, "\\[there\\]" in row) for row in in_maintenance] == [(True, False)]
    told = {
        (one["check"], one["target"]): one for one in json.loads((project.folder / "run.json").read_text())["results"]
    }
    assert told["disk-usage", "here"]["maintenance"] == "us, 00:00 to 24:00: a new disk"
    assert told["disk-usage", "there"]["maintenance"] is None


def test_channels_are_tried_by_hand(project: Project, receive: Callable[..., Receiver]) -> None:
    there = receive()
    run = notifying(project, there)
    done = run("--notify-test")
    assert (done.code, done.output.strip()) == (0, "production: channel team: taken")
    assert there.bodies[0]["kind"] == "test"
    there.answers = [404]
    done = run("--notify-test")
    assert (done.code, done.output.strip()) == (1, "production: channel team: NOT DELIVERED: it answered 404")
    project.environment("production", "hosts: {here: {}}\n")
    assert run("--notify-test").code == 4


def test_an_unusable_channel_is_a_mistake_before_anything_is_contacted(project: Project) -> None:
    text = "hosts: {here: {}}\nnotify: {channels: {team: {apprise: 'nosuch://${SLACK_TOKEN}/x'}}}\n"
    project.environment("production", text)
    done = project.run("--env", "production", SLACK_TOKEN="s3cret-token-1")
    assert done.code == 4
    assert "notify.channels.team.apprise: found a value that does not fit" in done.output
    assert "s3cret-token-1" not in done.output
    assert project.run("--env", "production", "--no-notify", SLACK_TOKEN="s3cret-token-1").code == 0


def test_what_was_told_holds_no_secret(project: Project, receive: Callable[..., Receiver]) -> None:
    notifying(project, receive())(USED="97")
    with closing(sqlite3.connect(project.folder / "reports/history.db")) as connection:
        assert "s3cret-hook" not in "\n".join(connection.iterdump())
        assert connection.execute("SELECT count(*) FROM notices").fetchone() == (2,)


def test_a_waiver_that_is_a_failure_itself_is_told_like_any_other(
    project: Project, receive: Callable[..., Receiver]
) -> None:
    there = receive()
    project.environment(
        "production",
        "hosts: {here: {}}\nnotify: {channels: {team: {webhook: '${HOOK}'}}}\n"
        "waivers: [{check: disk-usage, owner: us, reason: a new disk, expires: 2000-01-01}]\n",
    )
    done = project.run("--env", "production", HOOK=there.address)
    assert done.code == 1
    assert [body["title"] for body in there.bodies] == ["P2 production: 1 new"]
    assert "the waiver has expired" in there.bodies[0]["text"]


def test_each_environment_tells_its_own_channels(project: Project, receive: Callable[..., Receiver]) -> None:
    here, there = receive(), receive()
    for name, address in (("production", here.address), ("staging", there.address)):
        text = f"hosts: {{on-{name}: {{}}}}\nnotify: {{channels: {{team: {{webhook: '{address}/{name}'}}}}}}\n"
        project.environment(name, text)
    assert project.run("--env", "production", "--env", "staging", USED="97").code == 1
    assert [body["title"] for body in here.bodies] == ["P2 production: 1 new"]
    assert "disk-usage[on-staging]" in there.bodies[0]["text"]
