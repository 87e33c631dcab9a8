"""Reading the end of logs: formats, bounds, shells, and what it costs."""

from __future__ import annotations

import gzip
import json
import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsverify.config.environment import Host
from opsverify.drills.alert import SendAlert
from opsverify.errors import MissingPrivilege, ProbeError
from opsverify.evidence.deadline import Deadline
from opsverify.probes.host.logs.access import AccessLog
from opsverify.probes.host.logs.application import ApplicationLog
from opsverify.probes.host.logs.calls import ApiCalls
from opsverify.probes.host.logs.complaints import Complaint, Complaints
from opsverify.probes.host.logs.dates import printed_date
from opsverify.probes.host.logs.journal import JournalErrors
from opsverify.probes.host.logs.log_state import LogState
from opsverify.probes.host.logs.logins import SshLogins
from opsverify.probes.host.logs.window import Source
from opsverify.probes.host.logs.written import WrittenLines
from opsverify.probes.host.probe import judge, probe
from opsverify.probes.host.question import MIB, Answer
from opsverify.probes.host.release.package_version import PackageVersion
from opsverify.probes.host.system.alert_script import ScriptFile
from opsverify.probes.host.system.cron import Cron
from opsverify.probes.host.system.timer import Timer

RECORDED = Path(__file__).parent / "recorded"
LOCAL = Host(connection="local://")


def ask(question):
    fact = probe(LOCAL, frozenset([question]), Deadline(60))[question]
    if isinstance(fact, ProbeError):
        raise fact
    return fact


def ago(**much):
    return datetime.now(UTC) - timedelta(**much)


def hit(when, path="/", status=200, client="192.0.2.1", agent="x", forwarded="-"):
    return (
        f'{client} - - [{when:%d/%b/%Y:%H:%M:%S +0000}] "GET {path} HTTP/1.1" {status} 20 "-" "{agent}" "{forwarded}"\n'
    )


def test_all_logs_are_read_in_every_shell(shell, tmp_path):
    now = ago(minutes=5)
    access, app, auth, note = (tmp_path / name for name in ("access.log", "app.log", "auth.log", "note.log"))
    access.write_text(
        hit(ago(hours=30))
        + hit(now, "/a?t=1", 404)
        + "garbage\n"
        + hit(now, "/.ENV", 200, "2001:db8::1", "\\x22", "10.0.0.1")
    )
    rotated = tmp_path / "access.log.1.gz"
    rotated.write_bytes(gzip.compress(hit(ago(hours=40)).encode()))
    os.utime(rotated, (time.time() - 100, time.time() - 100))
    old, new = (int(when.timestamp() * 1000) for when in (ago(hours=25), now))
    app.write_text(
        f'{{"level":30,"time":{old},"msg":"info"}}\n{{"level":"fatal","time":{new},"msg":"gone 1"}}\nprisma:error \nbroken\n'
    )
    auth.write_text(
        f"{now:%Y-%m-%dT%H:%M:%S.123456+00:00} host sshd-session[7]: Failed password for x from 10.1.1.1 port 9 ssh2\n"
    )
    note.write_text(f"{now:%a %b %d %H:%M:%S} UTC {now:%Y}: all OK\n== end\nelse\n")
    seen = {
        AccessLog(Source(str(access)), 24, 5): lambda f: (
            f.statuses == ((200, 1), (404, 1)) and f.paths[0][1] == "/a" and f.malformed == 1 and f.window.complete
        ),
        ApiCalls(Source(str(access)), 24, 5, "/", ("/.env",)): lambda f: (
            f.finds[0].client.address == "2001:db8::1" and f.peaks[0].client.count == 1 and f.tried == 1
        ),
        ApplicationLog(Source(str(app)), 24): lambda f: (
            [c.text for c in f.errors.listed] == ["prisma:error broken", "gone 1"] and f.window.complete
        ),
        SshLogins(Source(str(auth)), 24, 5): lambda f: (
            f.clients[0].address == "10.1.1.1" and f.window.short and not f.window.complete
        ),
        LogState(Source(str(access))): lambda f: f.files == 2 and 0.05 < f.silent_hours < 0.2 and f.kept_days > 1.5,
        WrittenLines(str(note), ("OK",)): lambda f: (
            f.lines[0].what == "all OK" and abs((f.lines[0].when - now).total_seconds()) < 2
        ),
        ScriptFile(str(note)): lambda f: f.exists and not f.executable,
        PackageVersion(None): lambda f: f is None,
    }
    answers, whole, _ = shell(*seen)
    assert whole
    for question, right in seen.items():
        fact = judge(question, answers[question])
        assert not isinstance(fact, ProbeError), (question, fact, answers[question].errors)
        assert right(fact), fact


def _read() -> int:
    """Bytes read so far by this process and all that it has waited for."""
    try:
        lines = Path("/proc/self/io").read_text().splitlines()
    except OSError:
        pytest.skip("this kernel does not account for input and output")
    return int(next(line.split()[1] for line in lines if line.startswith("rchar")))


def test_huge_log_costs_no_more_than_its_last_hours(tmp_path):
    lines = "".join(hit(ago(hours=26 - n / 1000), f"/{n}") for n in range(25_900)).encode()
    question = AccessLog(Source(str(tmp_path / "access.log")), 24, 5)
    costs = []
    for size in (10 * MIB, 5_000 * MIB):
        with (tmp_path / "access.log").open("wb") as log:
            log.truncate(size)  # sparse: it has that size for whoever reads it
            log.seek(size)
            log.write(b"\n" + lines)
        before = _read()
        fact = ask(question)
        costs.append(_read() - before)
        assert fact.window.complete
        assert 23_800 < fact.requests < 24_000
    assert costs[1] < costs[0] * 1.2 + MIB
    assert costs[1] < 40 * MIB  # a few times the window itself, which is copied from program to program


def test_the_last_entry_of_a_huge_log_costs_no_more_than_its_end(tmp_path):
    question, costs = LogState(Source(str(tmp_path / "access.log"))), []
    for size in (10 * MIB, 5_000 * MIB):
        with (tmp_path / "access.log").open("wb") as log:
            log.truncate(size)
            log.seek(size)
            log.write(f"\n{hit(ago(hours=3))}".encode())
        before = _read()
        fact = ask(question)
        costs.append(_read() - before)
        assert 2.9 < fact.silent_hours < 3.1
    assert costs[1] < costs[0] * 1.2 + MIB


def test_bound_is_kept_and_told(tmp_path):
    log = tmp_path / "access.log"
    log.write_text("".join(hit(ago(seconds=n), "/" + "x" * 90) for n in range(80_000, 0, -4)))
    fact = ask(AccessLog(Source(str(log)), 24, 5, MIB))
    assert fact.window.bounded
    assert not fact.window.complete
    assert 0 < fact.window.covered_hours < 24
    assert f"the last {fact.window.covered_hours:.1f} h of 24 h (more than may be read)" == fact.window.in_words


def test_unreadable_missing_and_timeless_logs(tmp_path):
    missing = ask(SshLogins(Source(str(tmp_path / "*.log")), 24, 5))
    assert not missing.window.exists
    (tmp_path / "a.log").write_text("no time in here\nnor here\n")
    with pytest.raises(ProbeError, match="none of its 2 lines begins with a time"):
        ask(ApplicationLog(Source(str(tmp_path / "a.log")), 24))
    (tmp_path / "a.log.1.gz").write_bytes(b"not gzip at all")
    with pytest.raises(ProbeError, match="could not be read whole"):
        ask(AccessLog(Source(str(tmp_path / "a.log")), 24, 5))
    denied = Answer(b"== window 1 2\n== unreadable /var/log/x\n")
    for question in (AccessLog(Source("/var/log/x"), 24, 5), ApplicationLog(Source("/var/log/x"), 24)):
        with pytest.raises(MissingPrivilege, match="/var/log/x may not be read"):
            question.parse(denied)


def test_files_written_in_the_same_second_are_all_read(tmp_path):
    for name, status in (("access.log", 500), ("access.log.1", 502), ("access.log.2", 503)):
        (tmp_path / name).write_text(hit(ago(hours=30)) + hit(ago(hours=1), "/", status))
    now = time.time() - 5
    for name in ("access.log", "access.log.1", "access.log.2"):
        os.utime(tmp_path / name, (now, now))
    assert ask(AccessLog(Source(str(tmp_path / "access.log")), 24, 5)).statuses == ((500, 1), (502, 1), (503, 1))


def test_a_log_of_files_by_day_is_one_log(tmp_path):
    for day in range(3):
        when = ago(days=day, hours=1)
        path = tmp_path / f"access it's-{when:%Y-%m-%d}.log"
        path.write_text(hit(when, f"/{day}"))
        os.utime(path, (when.timestamp(), when.timestamp()))
    fact = ask(AccessLog(Source(f"{tmp_path}/access it's-*.log"), 24, 5))
    assert (fact.requests, fact.window.complete) == (1, True)
    fact = ask(AccessLog(Source(f"{tmp_path}/access it's-*.log"), 48, 5))
    assert fact.requests == 2


def test_request_cannot_forge_a_line_or_its_time(tmp_path):
    log = tmp_path / "access.log"
    forged = hit(ago(minutes=1), "/x\\x22 200 [01/Jan/2000:00:00:00 +0000]?a=\\x22", 500)
    log.write_text(hit(ago(hours=25)) + forged + forged.replace(" - - [", " - [01/Jan/2000:00:00:00 +0000] ["))
    assert ask(AccessLog(Source(str(log)), 24, 5)).statuses == ((500, 2),)


SSHD = """\
Failed password for invalid user x from 6.6.6.6 port 2 ssh2 from 10.0.0.1 port 22 ssh2
Failed password for root from 10.0.0.2 port 22 ssh2
message repeated 2 times: [ Failed password for root from 10.0.0.2 port 22 ssh2]
Connection closed by authenticating user root 10.0.0.2 port 22 [preauth]
Connection closed by authenticating user root 2001:db8::7 port 4 [preauth]
Invalid user admin from 10.0.0.3 port 5
Connection reset by invalid user admin 10.0.0.3 port 5 [preauth]
Failed publickey for deploy from 10.0.0.4 port 6 ssh2: RSA SHA256:4qf0bM1nQxv7cEw2yKj9sTzHk3RdLuPoVaYiXgNmB5E
Accepted publickey for deploy from 10.0.0.2 port 40001 ssh2: ED25519 SHA256:4qf0bM1nQxv7cEw2yKj9sTzHk3RdLuPoVaYiXgNmB5E
"""


@pytest.mark.parametrize("stamp", ["%b %e %H:%M:%S", "%Y-%m-%dT%H:%M:%S.123456+00:00", "%Y-%m-%dT%H:%M:%SZ"])
def test_failed_logins_count_per_client(tmp_path, stamp):
    log = tmp_path / "auth.log"
    when = datetime.now().astimezone() if "%b" in stamp else datetime.now(UTC)
    log.write_text("".join(f"{when:{stamp}} host sshd[9]: {line}\n" for line in SSHD.splitlines()))
    fact = ask(SshLogins(Source(str(log)), 24, 9))
    assert {client.address: client.failures for client in fact.clients} == {
        "10.0.0.2": 3, "10.0.0.1": 1, "10.0.0.3": 1, "2001:db8::7": 1,
    }  # fmt: skip
    assert fact.clients[0].accepted_as == "deploy"
    assert (fact.failures, fact.accepted) == (6, 1)


def test_application_errors_in_every_form(tmp_path):
    log, now = tmp_path / "app.log", ago(minutes=3)
    ms = int(now.timestamp() * 1000)
    local = datetime.now().astimezone() - timedelta(minutes=2)
    log.write_text(
        f'{{"level":"info","time":{ms},"message":"all ERROR talk is harmless here"}}\n'
        f'{{"level":50,"time":{ms},"msg":"numeric \\"quoted\\""}}\n'
        f'{{"level":40,"time":"{now:%Y-%m-%dT%H:%M:%S.000Z}","msg":"a warning"}}\n'
        f'{{"level":"error","time":"{now:%Y-%m-%dT%H:%M:%S.000Z}","msg":"iso time"}}\n'
        f"\x1b[31m[Nest] 1  - \x1b[39m{local:%m/%d/%Y, %I:%M:%S %p} \x1b[31m  ERROR\x1b[39m [Handler] boom\n"
        "Error: boom\n    at f (x.js:1)\n"
        f'{{"level":30,"time":{ms},"msg":"request"}}\n'
        "TypeError: x is not a function\n    at g (y.js:2)\n"
        f'{{"level":30,"time":{ms},"msg":"request"}}\n'
    )
    texts = {complaint.text: complaint.count for complaint in ask(ApplicationLog(Source(str(log)), 24)).errors.listed}
    assert texts == {
        'numeric "quoted"': 1, "iso time": 1, "ERROR [Handler] boom": 1,
        "TypeError: x is not a function at g (y.js:2)": 1,
    }  # fmt: skip


@pytest.mark.parametrize("prefix", ["{:%Y-%m-%dT%H:%M:%S}: ", "{:%b %d %H:%M:%S} app1 mycats-backend[123]: "])
def test_application_errors_behind_what_others_write_before_them(shell, tmp_path, prefix):
    now = ago(minutes=5)
    before = prefix.format(now)
    entry = json.dumps({"level": "error", "time": int(now.timestamp() * 1000), "message": "INTERNAL_SERVER_ERROR"})
    other = json.dumps({"level": "info", "time": int(now.timestamp() * 1000), "message": "no error"})
    (tmp_path / "app.log").write_text(f"{before}{entry}\n{before}{other}\n")
    question = ApplicationLog(Source(str(tmp_path / "app.log")), 24)
    answers, _, _ = shell(question)
    assert [c.text for c in judge(question, answers[question]).errors.listed] == ["INTERNAL_SERVER_ERROR"]


def test_text_that_complains_of_json_stays_an_error(shell, tmp_path):
    now = ago(minutes=5)
    (tmp_path / "app.log").write_text(f'{now:%Y-%m-%dT%H:%M:%SZ} ERROR [Cats] no such: {{"level":2,"cat":"x"}}\n')
    question = ApplicationLog(Source(str(tmp_path / "app.log")), 24)
    answers, _, _ = shell(question)
    (complaint,) = judge(question, answers[question]).errors.listed
    assert complaint.text.startswith("ERROR [Cats] no such: ")


def test_hidden_files_are_asked_for_in_any_folder(tmp_path):
    paths = (
        "/backend/.env",
        "/static/../.env",
        "/app/.git/config",
        "/static..%2F%2eenv",
        "/x/wp-login.php",
        "/search?q=/.env",
        "/wp-login.php",
    )
    (tmp_path / "access.log").write_text("".join(hit(ago(minutes=5), path) for path in paths))
    seen = ask(ApiCalls(Source(str(tmp_path / "access.log")), 24, 9, "/api", ("/.env", "/.git/", "/wp-login.php")))
    assert seen.tried == 5
    assert {find.path for find in seen.finds} == {*paths[:4], "/wp-login.php"}


@pytest.mark.parametrize(
    "line",
    ['{{"time":"{:%Y-%m-%dT%H:%M:%S+00:00}","status":200}}', "mycats.example.com:443 {hit}"],
    ids=["json", "vhost"],
)
def test_an_access_log_of_another_format_is_not_understood(tmp_path, line):
    now = ago(minutes=5)
    (tmp_path / "access.log").write_text((line.format(now, hit=hit(now).strip()) + "\n") * 3)
    source = Source(str(tmp_path / "access.log"))
    for question in (AccessLog(source, 24, 5), ApiCalls(source, 24, 5, "/api", ("/.env",))):
        with pytest.raises(ProbeError, match="none of its last 3 lines is of nginx's format combined"):
            ask(question)


@pytest.mark.parametrize("question", [AccessLog, ApiCalls])
def test_an_access_log_whose_format_was_changed_is_not_taken_for_a_silent_one(tmp_path, question):
    log, rest = tmp_path / "access.log", () if question is AccessLog else ("/api", ("/.env",))
    log.write_text(hit(ago(hours=30)) + "mycats.example.com:443 " + hit(ago(hours=1)))
    with pytest.raises(ProbeError, match="none of its last 1 lines is of nginx's format combined"):
        ask(question(Source(str(log)), 24, 5, *rest))
    # That garbage is of no known time: of the last day, the log has nothing to say.
    log.write_text(hit(ago(hours=30)) + "garbage\n" + "mycats.example.com:443 " + hit(ago(hours=29)))
    assert ask(question(Source(str(log)), 24, 5, *rest)).window.silent


def test_a_log_that_was_just_rotated_is_not_silent(shell, tmp_path):
    entry = hit(ago(hours=3)).encode()
    for number, content in enumerate(
        (b"", gzip.compress(b""), gzip.compress(entry), gzip.compress(hit(ago(hours=40)).encode()))
    ):
        file = tmp_path / (f"access.log.{number}.gz" if number else "access.log")
        file.write_bytes(content)
        os.utime(file, (time.time() - 600 * number, time.time() - 600 * number))
    question = LogState(Source(str(tmp_path / "access.log")))
    answers, _, _ = shell(question)
    seen = judge(question, answers[question])
    assert (round(seen.silent_hours, 1), round(seen.kept_days * 24), seen.size_bytes) == (3.0, 40, 0)
    assert seen.newest.endswith("/access.log.2.gz")


def test_alike_errors_are_one_and_many_kinds_are_counted(tmp_path):
    log, ms = tmp_path / "app.log", int(ago(minutes=3).timestamp() * 1000)
    words = [f"{chr(97 + n % 26)}{chr(97 + n // 26)}{'ghijklmnop'[n % 10]}zz" for n in range(260)]
    log.write_text("".join(f'{{"level":50,"time":{ms},"msg":"id {n} took {n}ms"}}\n' for n in range(50))
                   + "".join(f'{{"level":50,"time":{ms},"msg":"{word}"}}\n' for word in words))  # fmt: skip
    errors = ask(ApplicationLog(Source(str(log)), 24)).errors
    assert errors.count == 310
    assert max(complaint.count for complaint in errors.listed) == 50
    assert errors.more > 0


def test_ignored_complaints():
    now = datetime.now(UTC)
    all_of_them = Complaints((Complaint("known one", 3, now), Complaint("new", 1, now)), 2)
    assert all_of_them.without(["^known"]).count == 3
    assert "and 2 more" in all_of_them.without(["^known"]).newest(5)
    with pytest.raises(ProbeError, match="no regular expression"):
        all_of_them.without(["("])


JOURNAL = (RECORDED / "debian12-journal-errors.txt").read_text()


def test_journal_recorded_on_debian_12():
    fact = JournalErrors(24).parse(Answer(JOURNAL.encode()))
    assert [(c.text, c.count) for c in fact.errors.listed] == [
        ("raw: bin �� ary", 1), ("app: GET /x?… failed 13", 2), ("storage: disk error sda1 lost", 1),
    ]  # fmt: skip
    assert fact.complete
    assert fact.window.short
    assert fact.window.in_words == "the last 0.0 h of 24 h (it begins only then)"


def test_journal_of_a_unit_counts_systemds_word_that_it_failed():
    entries = [
        {
            "__REALTIME_TIMESTAMP": "1795570825000000",
            "PRIORITY": "4",
            "_PID": "1",
            "SYSLOG_IDENTIFIER": "systemd",
            "MESSAGE": "x.service: Failed with result 'exit-code'.",
        },
        {
            "__REALTIME_TIMESTAMP": "1795570825000000",
            "PRIORITY": "4",
            "_PID": "7",
            "SYSLOG_IDENTIFIER": "node",
            "MESSAGE": "a warning: Failed with result x",
        },
        {"__REALTIME_TIMESTAMP": "1795570825000000", "PRIORITY": "3", "_PID": "7", "MESSAGE": None},
    ]
    text = "== window 1795480000 1795570900\n== oldest 1795400000\n== newest 1795570890\n== entries\n"
    text += "".join(json.dumps(entry) + "\n" for entry in entries)
    question = JournalErrors(24, "x")
    assert "entries -p err\n" in question.shell.text  # a unit's own warnings, however many, hide no error
    fact = question.parse(Answer((text + "== end\n").encode()))
    assert fact.errors.count == 2
    assert fact.window.complete
    cut = question.parse(Answer(text[:-9].encode(), truncated=True))
    assert not cut.complete
    assert cut.errors.count == 1
    for output, why in (
        ("== nosystemd\n", "no systemd"),
        ("== hidden\n", "systemd-journal"),
        ("== nojournal\n", "no journal"),
    ):
        with pytest.raises(ProbeError, match=why):
            question.parse(Answer(("== window 1 2\n" + output).encode()))
    with pytest.raises(ProbeError, match="no such unit"):
        question.parse(Answer(text.replace("== oldest", "== unit LoadState=not-found\n== oldest").encode()))


TIMER = "== clock 1795568065\n== zone +0900 JST\n== up 99.5\n== timer\nLoadState=loaded\nActiveState=active\nUnitFileState=enabled\nUnit=a.service\n"


@pytest.mark.parametrize(
    ("last", "seconds"),
    [("@1795568000", 1795568000), ("Wed 2026-11-25 09:53:20 JST", 1795568000), ("n/a", None), ("", None)],
)
def test_timers_of_new_and_old_systemd(last, seconds):  # sample: systemd 252 and 239
    fact = Timer("a").parse(
        Answer((TIMER + f"LastTriggerUSec={last}\n== unit\nResult=exit-code\nExecMainStatus=1\n").encode())
    )
    assert (fact.last_run and fact.last_run.timestamp()) == seconds
    assert (fact.active, fact.enabled, fact.result, fact.exit_status) == (True, True, "exit-code", 1)


def test_cron_jobs_are_found_without_showing_their_lines(tmp_path):
    fact = Cron("x").parse(
        Answer(b"== place /etc/cron.d/mycats\n== hidden /var/spool/cron/crontabs\n== daemon running\n== end\n")
    )
    assert (fact.places, fact.hidden, fact.daemon) == (("/etc/cron.d/mycats",), ("/var/spool/cron/crontabs",), True)
    assert ask(Cron("no such job anywhere 7f3a")).places == ()


UTC9 = timedelta(hours=9)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Wed Nov 25 00:47:04 UTC 2026", "2026-11-25T00:47:04"),  # C
        ("Wed Nov  4 00:47:04 JST 2026", "2026-11-03T15:47:04"),
        ("Wed Nov 25 12:47:04 AM UTC 2026", "2026-11-25T00:47:04"),  # en_US.UTF-8
        ("Wed 25 Nov 2026 01:47:04 PM UTC", "2026-11-25T13:47:04"),
        ("2026年 11月 25日 水曜日 09:47:04 JST", "2026-11-25T00:47:04"),  # ja_JP.UTF-8
        ("Mi 25. Nov 09:47:04 JST 2026", "2026-11-25T00:47:04"),  # de_DE.UTF-8
        ("mer. 25 nov. 2026 00:47:04 UTC", "2026-11-25T00:47:04"),  # fr_FR.UTF-8
        ("2026-11-25T09:47:04+09:00", "2026-11-25T00:47:04"),
        ("2026-11-25 09:47:04", "2026-11-25T00:47:04"),  # the host's own time
        ("Wed Nov 25 00:47:04 PST 2026", None),  # a zone that is neither known nor the host's
        ("Wed Feb 31 00:47:04 UTC 2026", None),
        ("yesterday", None),
        ("", None),
    ],
)
def test_dates_as_shells_print_them(text, expected):
    moment = printed_date(text, UTC9, "JST")
    assert (moment and moment.replace(tzinfo=None).isoformat()) == expected


@given(st.text(max_size=60))
def test_any_text_is_a_date_or_none(text):
    moment = printed_date(text, UTC9, "JST")
    assert moment is None or moment.tzinfo is not None


ALL = [
    AccessLog(Source("/l"), 24, 5), ApiCalls(Source("/l"), 24, 5, "/api/", ("/.env",)), SshLogins(Source("/l"), 24, 5),
    SshLogins(Source(unit="ssh"), 24, 5), ApplicationLog(Source("/l"), 24), LogState(Source("/l")), LogState(Source(unit="x")),
    JournalErrors(24), JournalErrors(24, "x"), WrittenLines("/l", ("OK",)), Timer("t"), Cron("c"), ScriptFile("/s"),
    SendAlert("/s", "/a", 2), PackageVersion("/p"),
]  # fmt: skip
PIECES = st.sampled_from([
    "== window 1 2\n", "== window x\n", "== read \n", "== read bound\n", "== lines 1 0 0 5 6\n", "== lines 0 2 0 0 0\n",
    "== lines x\n", "== malformed 0\n", "== status 5 200\n", "== status 5 x\n", "== path 4 2 /x\n", "== client 5 1 10.0.0.1\n",
    "== denied 4 1 x\n", "== behalf a b\n", "== end\n", "== calls 3\n", "== tried 0\n", "== peak 5 10.0.0.1 99\n",
    "== find 1 a /x\n", "== failures 3\n", "== accepted 0\n", "== failed 3 a\n", "== user a b\n", "== more 0\n",
    "== error 3 99 text\n", "== error 3 99999999999999999999 t\n", "== clock 9\n", "== files 2\n", "== newest 3 x\n", "== last 5\n",
    "== first x\n", "== oldest 0\n", "== newest 9\n", "== entries\n", '{"__REALTIME_TIMESTAMP":"5"}\n', "[]\n", "== zone +0900 J\n",
    "== zone x\n", "== total 3\n", "== lines\n", "| a: b\n", "== timer\n", "LoadState=x\n", "LastTriggerUSec=@x\n", "== unit\n",
    "== file 755 root 3\n", "== file x\n", "== message m\n", "== status 0\n", "== arrived 1 0\n", "== arrived\n", '{"version":1}',
])  # fmt: skip


@pytest.mark.parametrize("question", ALL, ids=lambda q: type(q).__name__)
@given(data=st.one_of(st.binary(max_size=200), st.lists(st.one_of(PIECES, st.text(max_size=6))).map(
    lambda parts: "".join(parts).encode("utf-8", "replace"))), status=st.sampled_from([0, 1]))  # fmt: skip
def test_whatever_a_host_says_of_its_logs_is_a_fact_or_a_probe_error(question, data, status):
    try:
        question.parse(Answer(data, status, data.decode("utf-8", "replace")))
    except ProbeError as error:
        assert str(error)


@pytest.mark.parametrize("question", ALL, ids=lambda q: type(q).__name__)
def test_silence_of_a_host_is_never_a_fact(question):
    assert isinstance(judge(question, Answer(b"", 1, "sh: x: Permission denied")), ProbeError)


def test_a_window_of_many_lines_is_read_whole(tmp_path):
    log = tmp_path / "access.log"
    log.write_text("".join(hit(ago(seconds=n), f"/{n % 50}") for n in range(86_000, 0, -1)))
    assert ask(AccessLog(Source(str(log)), 24, 5)).requests > 85_000
