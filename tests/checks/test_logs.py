"""Logs and detection: real faults in real logs, and whether the checks tell them."""

from __future__ import annotations

import gzip
import os
import time
from collections.abc import Mapping
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from opsverify.errors import ProbeError
from opsverify.probes.host.logs.complaints import Complaints
from opsverify.probes.host.logs.log_state import LogStateFacts
from rehearsal.faults.doing import ago, appended, hit, holding, pino, sshd
from rehearsal.parts.logs import shell_date

LOGS = ("-k", "test_logs or failed_logins or denied_requests or abnormal or audit_")
APPLICATION, ALIVE = "test_application_log_errors[application]", "test_application_log_alive[application]"
SERVER, CLIENT = "test_access_log_server_errors[access]", "test_access_log_client_errors[access]"
LOGINS, DENIED, CALLS = "test_failed_logins[auth]", "test_denied_requests[access]", "test_abnormal_api_calls[access]"
HEALTH = "test_health_check_scheduled[health-check]"
ALERT, ARRIVES = "test_alert_path[main]", "test_alert_arrives[main]"
SETTINGS, TRAIL = "test_audit_settings[primary]", "test_audit_trail[database]"


def verdicts(result: Mapping[str, object], *names: str) -> dict[str, str]:
    return {name: result[name].verdict for name in names}  # type: ignore[attr-defined]


def test_whole_logs_are_well_and_say_what_was_seen(verify):
    done = verify(*LOGS)
    assert done.code == 0, done.output
    names = (APPLICATION, ALIVE, SERVER, CLIENT, LOGINS, DENIED, CALLS, HEALTH, ALERT, SETTINGS, TRAIL)
    assert verdicts(done, *names) == dict.fromkeys(names, "normal"), done.output
    assert "0 errors" in done[APPLICATION].observed or "backend.log: the last 24 h" in done[APPLICATION].observed
    assert done[SERVER].observed.startswith("0 % (0 of ")
    assert ARRIVES not in done.found


def test_errors_in_logs_turn_the_checks_red_and_are_shown(whole, verify):
    layout, now = whole.layout, ago(minutes=1)
    errors = (
        pino(now, "error", "Internal server error", context="Filter", path="/api/v1/cats?token=s3cret-query")
        + pino(now, 60, "out of heap")
        + "\x1b[31mprisma:error\x1b[39m \nInvalid `prisma.cat.findMany()` invocation:\n\nCan't reach database server\n"
        + pino(now, "info", "request completed")
    )
    served = "".join(hit(now, "/api/v1/pedigrees?secret=s3cret-query", 502, "192.0.2.77") for _ in range(40))
    served += "".join(hit(now, "/wp-admin/x", 403, "198.51.100.9", "203.0.113.5") for _ in range(501))
    served += hit(now, "/.env?x=s3cret-query", 200, "198.51.100.9")
    served += "".join(hit(now.replace(second=1), "/api/v1/cats", 200, "198.51.100.8") for _ in range(700))
    guesses = "".join(sshd(now, "Failed password for root from 203.0.113.66 port 2 ssh2") for _ in range(101))
    guesses += "".join(sshd(now, "Failed password for bob from 192.0.2.50 port 2 ssh2") for _ in range(21))
    guesses += sshd(now, "Accepted password for bob from 192.0.2.50 port 2 ssh2")
    health = f"{shell_date(now)}: API Health FAILED - Status: 503\n{shell_date(now)}: Database Connection OK\n"
    whole.health_checks.stop()
    alert = layout.scripts / "send-alert.sh"
    alert.chmod(0o644)
    try:
        with (
            appended(layout.app_log, errors),
            appended(layout.access_log, served),
            appended(layout.auth_log, guesses),
            appended(layout.health_check_log, health),
        ):
            done = verify(*LOGS)
    finally:
        alert.chmod(0o755)
        whole.health_checks.start()
    names = (APPLICATION, SERVER, CLIENT, LOGINS, DENIED, CALLS, HEALTH, ALERT)
    assert verdicts(done, *names) == dict.fromkeys(names, "alert"), done.output
    assert done.code == 1
    output = done[APPLICATION].sentence
    assert "3 errors" in output
    assert "[Filter] Internal server error /api/v1/cats?..." in output
    assert "out of heap" in output
    assert "prisma:error Invalid `prisma.cat.findMany()` invocation: Can't reach database server" in output
    assert "/api/v1/pedigrees 40 ×" in done[SERVER].sentence
    assert "192.0.2.77 40 ×" in done[SERVER].sentence
    assert "/wp-admin/x 501 ×" in done[CLIENT].sentence
    assert "198.51.100.9 501 ×, as it says for 203.0.113.5" in done[DENIED].sentence
    assert "203.0.113.66 101 ×" in done[LOGINS].sentence
    assert "192.0.2.50 21 ×, and got in as bob" in done[LOGINS].sentence
    assert "answered: /.env to 198.51.100.9 1 ×" in done[CALLS].sentence
    assert "198.51.100.8 700 × in the minute of" in done[CALLS].sentence
    assert "API Health FAILED" in done[HEALTH].sentence
    assert "mode 644" in done[ALERT].sentence
    everything = done.output + "".join(p.read_text() for p in done.reports.glob("*.*"))
    assert "s3cret-query" not in everything


def test_few_errors_short_and_malformed_logs_are_warnings(whole, verify):
    layout, now = whole.layout, ago(minutes=1)
    young = "".join(hit(now) for _ in range(20)) + hit(now, "/x", 500) + hit(now, "/y", 401) + "no line\n" * 3
    guesses = "".join(sshd(ago(minutes=2), "Failed password for bob from 192.0.2.50 port 2 ssh2") for _ in range(30))
    with holding(layout.access_log, young), appended(layout.auth_log, guesses):
        done = verify(*LOGS)
    names = (SERVER, CLIENT, DENIED, CALLS, LOGINS)
    assert verdicts(done, *names) == dict.fromkeys(names, "warning"), done.output
    assert "the last 0.0 h of 24 h (it begins only then)" in done[CALLS].sentence
    assert "of 3 errors or more an alert" in done[SERVER].sentence
    assert "3 of 25 lines are not of the combined format" in done[SERVER].sentence
    assert "192.0.2.50 30 ×" in done[LOGINS].sentence


def test_missing_and_silent_logs_are_no_good_logs(whole, verify):
    layout = whole.layout
    whole.health_checks.stop()
    old = "".join(hit(ago(days=3, minutes=n)) for n in range(5))
    stale = f"{shell_date(ago(minutes=40))}: API Health OK\n"
    moved = layout.auth_log.rename(layout.auth_log.with_suffix(".away"))
    try:
        with (
            holding(layout.access_log, old),
            holding(layout.app_log, pino(ago(days=2), "info", "long ago")),
            holding(layout.health_check_log, stale),
        ):
            done = verify(*LOGS)
            layout.health_check_log.unlink()
            gone = verify("-k", "health_check_scheduled")
            layout.health_check_log.touch()
    finally:
        moved.rename(layout.auth_log)
        whole.health_checks.start()
    assert verdicts(done, ALIVE, SERVER, LOGINS, HEALTH) == dict.fromkeys((ALIVE, SERVER, LOGINS, HEALTH), "alert")
    assert verdicts(done, APPLICATION, CLIENT, DENIED, CALLS) == dict.fromkeys(
        (APPLICATION, CLIENT, DENIED, CALLS), "warning"
    )
    assert "last entry 48.0 h ago" in done[ALIVE].sentence
    assert "not one entry in the last 24 h" in done[SERVER].sentence
    assert "no " in done[LOGINS].sentence
    assert "last result 40 min ago: API Health OK" in done[HEALTH].sentence
    assert "no " in gone[HEALTH].sentence
    assert gone[HEALTH].verdict == "alert"


def test_window_reaches_into_rotated_files_and_no_further(whole, verify):
    log = whole.layout.access_log
    first, second = log.with_name("access.log.1"), log.with_name("access.log.2.gz")
    third = log.with_name("access.log.3.gz")
    first.write_text("".join(hit(ago(hours=9 - n / 100), "/one", 502) for n in range(100)))
    second.write_bytes(gzip.compress("".join(hit(ago(hours=27.05 - n / 10), "/two", 503) for n in range(100)).encode()))
    third.write_bytes(b"not even gzip")
    for path, hours in ((first, 8), (second, 17), (third, 30)):
        stamp = time.time() - hours * 3600
        os.utime(path, (stamp, stamp))
    try:
        with holding(log, "".join(hit(ago(minutes=n)) for n in range(60, 0, -1))):
            seen = verify("-k", "access_log_server_errors")[SERVER]
    finally:
        for path in (first, second, third):
            path.unlink()
    assert "169 of 229 requests in the last 24 h" in seen.observed
    assert "/one 100 ×, /two 69 ×" in seen.observed


def test_bound_that_cuts_the_window_is_told(whole, verify, changed):
    path = changed({"logs": {"access": {"read_mib": 1}}})
    much = "".join(hit(ago(minutes=n), f"/{'x' * 100}") for n in range(1400, 0, -1) for _ in range(9))
    with holding(whole.layout.access_log, much):
        done = verify("-k", "access_log_server_errors", environment=path)
    assert done[SERVER].verdict == "warning"
    assert "h of 24 h (more than may be read)" in done[SERVER].sentence


def test_known_messages_can_be_ignored_and_only_they(whole, verify, changed):
    path = changed({"checks": {"application-log-errors": {"settings": {"ignore": ["known trouble"]}}}})
    names = pino(ago(minutes=1), "error", "known trouble 17") + pino(ago(minutes=1), "error", "known trouble 18")
    with appended(whole.layout.app_log, names):
        seen = verify("-k", "application_log_errors", environment=path)[APPLICATION]
    assert seen.verdict == "normal"
    with appended(whole.layout.app_log, names + pino(ago(minutes=1), "error", "new trouble")):
        seen = verify("-k", "application_log_errors", environment=path)[APPLICATION]
    assert seen.verdict == "alert"
    assert "1 errors (2 ignored): new trouble" in seen.sentence


def test_drill_sends_an_alert_only_when_it_is_asked_for(whole, verify):
    spool = whole.layout.alert_spool
    before = spool.read_text() if spool.exists() else ""
    for arguments in (("-k", "alert"), ("-m", "weekly", "-k", "alert"), ("-m", "not smoke", "-k", "alert_arrives")):
        assert ARRIVES not in verify(*arguments).found
    assert (spool.read_text() if spool.exists() else "") == before
    done = verify("-m", "drill", "-k", "alert")
    assert done[ARRIVES].verdict == "normal", done.output
    assert "Test alert of the operational verification" in spool.read_text().removeprefix(before)
    assert "Test alert of the operational verification" in done[ARRIVES].observed


@pytest.mark.parametrize(
    ("body", "sentence"),
    [("exit 3", "exit status 3"), ("exit 0", "not in "), ("exec sleep 60", "exit status 124")],
)
def test_drill_tells_an_alert_that_does_not_arrive(whole, verify, changed, body, sentence):
    script = whole.layout.scripts / "send-alert.sh"
    path = changed({"checks": {"alert-path": {"settings": {"arrival_seconds": 2}}}})
    with holding(script, f"#!/bin/sh\n{body}\n"):
        seen = verify("-m", "drill", "-k", "alert_arrives", environment=path)[ARRIVES]
    assert seen.verdict == "alert"
    assert sentence in seen.sentence


def test_drill_without_a_place_of_arrival_is_a_warning(verify, changed):
    path = changed({"alerts": {"main": {"arrives_in": None}}})
    seen = verify("-m", "drill", "-k", "alert_arrives", environment=path)[ARRIVES]
    assert seen.verdict == "warning"
    assert "ask those on duty" in seen.sentence


def test_audit_trail_that_is_off_or_not_kept(whole, verify):
    folder = whole.postgres.log_folder
    kept = {path: path.read_bytes() for path in folder.glob("*.log") if path.stat().st_mtime < time.time() - 86400}
    for path in kept:
        path.unlink()
    whole.postgres.restart(log_connections="off", log_statement="none")
    try:
        done = verify("-k", "audit_")
    finally:
        whole.postgres.restart()
        for path, content in kept.items():
            path.write_bytes(content)
    assert done[SETTINGS].verdict == "alert"
    assert "log_statement is none" in done[SETTINGS].sentence
    assert "log_connections is " in done[SETTINGS].sentence
    assert done[TRAIL].verdict == "warning"
    assert "the oldest entry 0 days old" in done[TRAIL].sentence


OPERATIONS = "test_operations_log[operations-log]"


def test_operations_log_without_what_was_done(whole, verify):
    log, now = whole.layout.operations_log, datetime.now(UTC)
    stale = f"{shell_date(now - timedelta(days=9))}: Database maintenance completed\n{shell_date(now)}: Deployed version 0.9.9\n"
    with holding(log, stale):
        seen = verify("-k", "operations_log")[OPERATIONS]
    assert seen.verdict == "alert"
    assert "last entry Deployed version 0.9.9" in seen.sentence
    assert "Database maintenance completed 9.0 days ago" in seen.sentence
    text = log.read_text() + "yesterday: Deployed version 1.0\n" + log.read_text().splitlines()[-1] + "\n"
    with holding(log, text):
        seen = verify("-k", "operations_log")[OPERATIONS]
    assert seen.verdict == "warning"
    assert "1 entries without a date that is known: Deployed version 1.0" in seen.sentence
    with holding(log, ""):
        assert "no 'Deployed version'" in verify("-k", "operations_log")[OPERATIONS].sentence


NOW = datetime(2026, 11, 25, 3, 0, tzinfo=UTC)
TO_COME = NOW + timedelta(hours=9)


@pytest.mark.parametrize(
    ("chapter", "item", "function", "fact"),
    [
        ("logs", "application-log-alive", "", "application_log_state"),
        ("security", "audit-log", "test_audit_trail", "audit_trail"),
    ],
)
def test_entry_that_is_still_to_come_is_not_fresh(judged, chapter, item, function, fact):
    state = LogStateFacts("/var/log/x.log", True, NOW, 1, "x.log", 9, TO_COME, NOW - timedelta(days=400))
    with pytest.raises(ProbeError, match=r"the last entry of /var/log/x.log lies 9.0 h in the future"):
        judged(chapter, item, function, **{fact: state})


def test_last_entry_of_a_log_that_was_just_rotated(whole, verify):
    """At midnight logrotate made an empty file, and the night is quiet."""
    log = whole.layout.app_log
    rotated = log.with_name(f"{log.name}.1")
    rotated.write_text(pino(ago(hours=3), "info", "good night"))
    os.utime(rotated, (time.time() - 10800, time.time() - 10800))
    try:
        with holding(log, ""):
            seen = verify("-k", "application_log_alive")[ALIVE]
            rotated.write_text("")
            empty = verify("-k", "application_log_alive")[ALIVE]
    finally:
        rotated.unlink()
    assert seen.verdict == "normal", seen
    assert seen.observed.startswith("last entry 3.0 h ago in ")
    assert seen.observed.endswith(f"/{rotated.name}")
    assert empty.verdict == "alert"
    assert " is empty, expected an entry in the last 24 h" in empty.sentence


def test_access_log_of_another_format_is_not_called_silent(whole, verify):
    lines = "".join(f'{{"time":"{ago(minutes=n):%Y-%m-%dT%H:%M:%S+00:00}","token":"s3cret"}}\n' for n in range(9))
    with holding(whole.layout.access_log, lines):
        done = verify("-k", "access_log or denied_requests or abnormal")
    names = (SERVER, CLIENT, DENIED, CALLS)
    assert verdicts(done, *names) == dict.fromkeys(names, "undetermined"), done.output
    assert all("none of its last 9 lines is of nginx's format combined" in done[name].sentence for name in names)
    assert "s3cret" not in done.output


@pytest.mark.parametrize("kind", ["timer", "log"])
def test_health_check_that_is_still_to_come_is_no_run(judged, kind):
    timer = SimpleNamespace(timer="x.timer", exists=True, active=True, elapsed=False, observed_at=NOW, last_run=TO_COME)
    line = SimpleNamespace(when=TO_COME, what="API OK")
    log = SimpleNamespace(path="/x.log", exists=True, observed_at=NOW, lines=(line,), total=1)
    with pytest.raises(ProbeError, match=r"the last (run|result) .* lies 9.0 h in the future"):
        judged("logs", "health-check-scheduled", health_checks={kind: {"timer": timer, "log": log}[kind]})


def test_maintenance_that_is_still_to_come_was_not_done(judged):
    line = SimpleNamespace(when=TO_COME, what="Database maintenance completed")
    log = SimpleNamespace(path="/x.log", exists=True, observed_at=NOW, lines=(line,))
    with pytest.raises(ProbeError, match="lies 9.0 h in the future"):
        judged("documents", "operations-log", operations=log, deployed_version=None)


@pytest.mark.parametrize(("unlevelled", "known"), [(10, True), (11, False)])
def test_a_log_whose_entries_have_no_level_is_not_known(judged, unlevelled, known):
    window = SimpleNamespace(source="/x.log", exists=True, silent=False, complete=True, in_words="the last 24 h", hours=24,
                             lines=100)  # fmt: skip
    log = SimpleNamespace(window=window, errors=Complaints(), own=0, unlevelled=unlevelled)
    with nullcontext() if known else pytest.raises(ProbeError, match="11 of 100 entries are JSON without a level"):
        judged("logs", "application-log-errors", application_log=log).conclude()
