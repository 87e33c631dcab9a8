"""Journals, timers and cron jobs: what systemd and cron say of a sick system, said here by stand-ins for them."""

from __future__ import annotations

import json
import os
import shutil
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from opsverify.config.bands import Verdict
from opsverify.config.environment import KINDS, Job
from opsverify.config.loading import load_items
from opsverify.errors import ProbeError
from opsverify.probes.host.logs.log_state import LogStateFacts
from opsverify.probes.host.system.cron import CronFacts
from opsverify.probes.host.system.filesystems import Filesystem
from opsverify.probes.host.system.timer import TimerFacts
from tests.plugin.conftest import ROOT, Project

SERVICE, SYSTEM = "test_service_journal_errors[backend]", "test_system_log_errors[here]"
ACTIVE = "test_service_active[backend]"
HEALTH = "test_health_check_scheduled[job]"
BASE = "hosts: {here: {connection: 'local://'}}\n"
SERVICES = "services: {backend: {host: here, role: backend, unit: mycats-backend}}\n"


class Host:
    """Programs in front of the real ones, which say what a test wants."""

    def __init__(self, project: Project, folder: Path) -> None:
        self.project, self.folder = project, folder
        folder.mkdir()

    def program(self, name: str, body: str) -> None:
        path = self.folder / name
        path.write_text(f"#!/bin/sh\n{body}\n")
        path.chmod(0o755)

    def journal(self, *entries: dict[str, object], oldest_hours: float = 48, newest_hours: float = 0.1) -> None:
        (self.folder / "entries").write_text("".join(json.dumps(entry) + "\n" for entry in entries))
        now = time.time()
        ours, errors = """grep '"PRIORITY": "4".*"_PID": "1"'""", """grep '"PRIORITY": "[0-3]"'"""
        self.program(
            "journalctl",
            f'case "$*" in *"-p warning..warning"*) {ours} < {self.folder}/entries | head -n 1000;; '
            f'*"-o json"*) {errors} < {self.folder}/entries | head -n 1000;; *"-n 1 -o short-unix"*) '
            f'echo "{now - newest_hours * 3600:.6f} h x: y";; *short-unix*) '
            f'echo "{now - oldest_hours * 3600:.6f} h x: y";; *"-o cat"*) echo said;; esac',
        )

    def verify(self, environment: str, *arguments: str):
        items = load_items(ROOT / "checks/runbook.yaml")
        mine = (
            "service-active",
            "service-journal-errors",
            "system-log-errors",
            "health-check-scheduled",
            "scheduled-jobs",
        )
        kinds = [kind for kind in KINDS if f"{kind}:" not in environment]
        excuses = "".join(f"  {name}: not part of this test\n" for name in [*kinds, *(set(items) - set(mine))])
        self.project.environment("own", f"{environment}not_applicable:\n{excuses}", excused=False)
        path = f"{self.folder}:{os.environ['PATH']}"
        return self.project.run("--env", "own", "--history=none", *arguments, PATH=path)


@pytest.fixture
def host(project: Project, tmp_path: Path) -> Host:
    return Host(project, tmp_path / "bin")


def entry(message: str, priority: int = 3, **fields: str) -> dict[str, object]:
    stamp = {"__REALTIME_TIMESTAMP": str(int(time.time() * 1e6)), "PRIORITY": str(priority), "MESSAGE": message}
    return {**stamp, "SYSLOG_IDENTIFIER": "app", **fields}


JOURNALS = ("-k", "journal_errors or system_log")


def test_quiet_journal_is_well(host):
    host.program("systemctl", "echo LoadState=loaded")
    host.journal()
    done = host.verify(BASE + SERVICES, *JOURNALS)
    assert (done.code, done.verdicts()) == (0, {SERVICE: "normal", SYSTEM: "normal"}), done.output
    assert "0 errors" in str(done.properties(SERVICE)) or "the last 24 h" in done.properties(SERVICE)["observed"]


def test_errors_in_a_journal_are_told(host):
    host.program("systemctl", "echo LoadState=loaded")
    host.journal(
        *(entry(f"I/O error, dev sda, sector {n}") for n in range(250)),
        entry("mycats-backend.service: Failed with result 'exit-code'.", 4, _PID="1", SYSLOG_IDENTIFIER="systemd"),
        entry("GET /x?token=s3cret-query failed"),
    )
    done = host.verify(BASE + SERVICES, *JOURNALS)
    assert done.verdicts() == {SERVICE: "alert", SYSTEM: "alert"}, done.output
    output = done.properties(SERVICE)["sentence"]
    assert "250 × app: I/O error, dev sda, sector 0" in output
    assert "Failed with result 'exit-code'" in output
    assert "251 entries" in done.properties(SYSTEM)["sentence"]
    assert "s3cret-query" not in done.everything()


def test_many_warnings_hide_no_error(host):
    host.program("systemctl", "echo LoadState=loaded")
    host.journal(*(entry("slow query", 4) for _ in range(1200)), entry("cat lost"))
    done = host.verify(BASE + SERVICES, "-k", "journal_errors")
    assert done.verdicts() == {SERVICE: "alert"}, done.output
    assert "cat lost" in done.properties(SERVICE)["sentence"]


def test_more_errors_than_are_read_prove_nothing_where_all_of_them_are_harmless(host):
    host.program("systemctl", "echo LoadState=loaded")
    host.journal(*(entry("harmless") for _ in range(1200)), entry("cat lost"))
    settings = "{settings: {ignore: [harmless]}}"
    checks = f"checks: {{service-journal-errors: {settings}, system-log-errors: {settings}}}\n"
    done = host.verify(BASE + SERVICES + checks, *JOURNALS)
    assert done.verdicts() == {SERVICE: "undetermined", SYSTEM: "undetermined"}, done.output
    assert "the journal holds more than are read" in done.properties(SERVICE)["sentence"]


def test_more_errors_than_are_read_and_a_young_journal_are_warnings(host):
    host.program("systemctl", "echo LoadState=loaded")
    host.journal(entry("once"), oldest_hours=3.2)
    done = host.verify(BASE + SERVICES, "-k", "system_log")
    assert done.verdicts() == {SYSTEM: "warning"}, done.output
    assert "the last 3.2 h of 24 h (it begins only then)" in done.properties(SYSTEM)["sentence"]


def test_dead_and_hidden_journals_are_no_good_ones(host):
    host.program("systemctl", "echo LoadState=loaded")
    host.journal(oldest_hours=99, newest_hours=30)
    done = host.verify(BASE + SERVICES, *JOURNALS)
    assert done.verdicts() == {SERVICE: "warning", SYSTEM: "warning"}, done.output
    assert "not one entry in the last 24 h" in done.properties(SYSTEM)["sentence"]
    host.program("journalctl", KEPT_BACK)
    done = host.verify(BASE + SERVICES, *JOURNALS)
    assert done.verdicts() == {SERVICE: "undetermined", SYSTEM: "undetermined"}, done.output
    assert "add it to the group systemd-journal" in done.output
    assert done.code == 1


def test_wrapper_of_which_nothing_runs(host):
    output = "Id=mycats-backend.service LoadState=loaded ActiveState=active SubState=exited UnitFileState=enabled NRestarts=0"
    host.program("systemctl", f"printf '%s\\n' {output}")
    other = SERVICES.replace("}}", "}, mount: {host: here, unit: mycats-backend}}")
    done = host.verify(BASE + other, "-k", "test_service_active")
    assert done.verdicts() == {ACTIVE: "alert", ACTIVE.replace("backend", "mount"): "normal"}, done.output
    message = "observed mycats-backend.service active (exited), expected a process that runs"
    assert message in done.properties(ACTIVE)["sentence"]


def unit(**values: str) -> str:
    output = {"Id": "mycats-backend.service", "LoadState": "loaded", "ActiveState": "active", "SubState": "running"}
    output |= {"UnitFileState": "enabled", "ActiveEnterTimestamp": f"@{time.time() - 600:.0f}", **values}
    lines = "\n".join(f"{key}={value}" for key, value in output.items())
    return f"cat <<E\n{lines}\nE"


HIDDEN = "echo 'Hint: You are currently not seeing messages from other users.' >&2"


# As journalctl does: what is asked for without more words comes without this one, too.
KEPT_BACK = """case " $* " in *" -q "*|*" cat "*|*" json "*) ;;
*) echo 'Hint: You are currently not seeing messages from other users and the system.' >&2;; esac"""


@pytest.mark.parametrize(
    ("counted", "journal", "verdict", "sentence"),
    [
        (120, "echo once", "normal", "restarted 1 times in the last 60 min"),  # RuntimeMaxSec=1d, for months
        (4, "seq 9", "alert", "restarted 4 times in the last 60 min"),
        (0, "seq 9", "normal", "restarted 0 times in the last 60 min"),  # mended, and started by hand
        (120, HIDDEN, "warning", "no journal that this account may read tells when the others were"),
        (3, HIDDEN, "normal", "restarted 3 times since it was last started by hand"),
    ],
)
def test_restarts_of_the_last_hour_count(host, counted, journal, verdict, sentence):
    host.program("systemctl", unit(NRestarts=str(counted)))
    restarts_of(host, journal)
    done = host.verify(BASE + SERVICES, "-k", "test_service_active")
    assert done.verdicts() == {ACTIVE: verdict}, done.output
    assert sentence in done.properties(ACTIVE)["observed"]


def restarts_of(host: Host, journal: str, oldest_minutes: float = 5000) -> None:
    """A journal that goes back that far, and what it says of restarts."""
    oldest = f"{time.time() - 60 * oldest_minutes:.6f} h x: y"
    # What was restarted since a boot of late needs no journal: this host was booted long ago.
    host.program("cut", f'case "$*" in *uptime*) echo 99999;; *) exec {shutil.which("cut")} "$@";; esac')
    host.program(
        "journalctl",
        f'case "$*" in *MESSAGE_ID=*) echo "$*" >> {host.folder}/asked; {journal};; *"-n 1"*) {journal};; '
        f"*short-unix*) echo '{oldest}';; esac",
    )


@pytest.mark.parametrize(
    ("counted", "journal", "oldest", "verdict", "sentence"),
    [
        # It begins 20 minutes ago: some restarts were before.
        (9, "seq 2", 20, "warning", "restarted 9 times since it was last started by hand, the last 10 min ago; no journal"),
        (9, "seq 4", 20, "alert", "restarted 4 times in the last 60 min"),
        (3, "seq 2", 20, "normal", "restarted 3 times since it was last started by hand, the last 10 min ago"),
        # It keeps no such entries: that of 10 minutes ago is missing.
        (9, "true", 5000, "warning", "restarted 9 times since it was last started by hand, the last 10 min ago; no journal"),
        (0, "true", 5000, "normal", "restarted 0 times in the last 60 min"),
    ],
)  # fmt: skip
def test_a_journal_that_does_not_tell_of_all_restarts(host, counted, journal, oldest, verdict, sentence):
    host.program("systemctl", unit(NRestarts=str(counted)))
    restarts_of(host, journal, oldest)
    done = host.verify(BASE + SERVICES, "-k", "test_service_active")
    assert done.verdicts() == {ACTIVE: verdict}, done.output
    assert sentence in done.properties(ACTIVE)["observed"]


def test_restarts_are_looked_for_under_the_units_own_name(host):
    host.program("systemctl", unit(Id="real@name.service", NRestarts="0"))
    restarts_of(host, "true")
    host.verify(BASE + SERVICES, "-k", "test_service_active")
    asked = (host.folder / "asked").read_text()
    assert "-u real@name.service _PID=1 MESSAGE_ID=" in asked
    assert "mycats-backend" not in asked


@pytest.mark.parametrize(
    ("state", "verdict"), [("enabled-runtime", "normal"), ("enabled", "normal"), ("disabled", "alert")]
)
def test_a_cluster_that_will_not_start_at_boot(host, state, verdict):
    """Debian's start.conf says "manual": the wrapper is enabled all the same."""
    instance = unit(Id="postgresql@15-main.service", UnitFileState=state, NRestarts="0")
    host.program(
        "systemctl", f"{unit(Id='mycats-backend.service', SubState='exited', NRestarts='0')}\necho\n{instance}"
    )
    host.journal()
    other = SERVICES.replace("}}", "}, postgresql: {host: here, role: database, unit: mycats-backend}}")
    done = host.verify(BASE + other, "-k", "test_service_active")
    cluster = ACTIVE.replace("backend", "postgresql")
    assert done.verdicts()[cluster] == verdict, done.output
    if verdict == "alert":
        assert "postgresql@15-main.service disabled, expected enabled at boot" in done.properties(cluster)["sentence"]


@pytest.mark.parametrize("item", ["disk-usage", "inode-usage"])
@pytest.mark.parametrize("used", [(), (50.0,), (85.0,)], ids=["alone", "beside a good one", "beside a fuller one"])
def test_a_volume_that_may_not_be_looked_at_is_not_taken_for_good(judged, item, used):
    problem = (
        "df could not read /pg_wal: df: /pg_wal: Permission denied (this account needs x on every folder above it)"
    )
    hidden = Filesystem("/pg_wal", "/dev/b", "ext4", None, None, None, None, problem)
    others = [Filesystem("/", "/dev/a", "ext4", 9, 9, percent, percent) for percent in used]
    with pytest.raises(ProbeError, match=r"Permission denied \(this account needs x on every folder above it\)"):
        judged("resources", item, filesystems=[*others, hidden])
    full = Filesystem("/", "/dev/a", "ext4", 9, 9, 99.0, 99.0)
    assert judged("resources", item, filesystems=[full, hidden]).worst.verdict is Verdict.ALERT


def timer(last: float | None, **values: str) -> str:
    output = {
        "LoadState": "loaded",
        "ActiveState": "active",
        "UnitFileState": "enabled",
        "Unit": "mycats-health.service",
    }
    output |= {"LastTriggerUSec": f"@{last:.0f}" if last else "", "Result": "success", "ExecMainStatus": "0", **values}
    lines = "\n".join(f"{key}={value}" for key, value in output.items())
    return f'case "$*" in *InvocationID*) echo 1f;; *--value*) echo mycats-health.service;; *) cat <<E\n{lines}\nE\n;; esac'


JOB = "jobs: {job: {host: here, timer: mycats-health.timer}}\n"


@pytest.mark.parametrize(
    ("seconds_ago", "values", "verdict", "sentence"),
    [
        (120, {}, "normal", ""),
        (3600, {}, "alert", "last run 60 min ago"),
        (0, {"Result": "exit-code", "ExecMainStatus": "1"}, "alert", "exit-code, exit status 1"),
        (0, {"ActiveState": "inactive"}, "alert", "mycats-health.timer not active"),
        (None, {"LoadState": "not-found"}, "alert", "no timer mycats-health.timer"),
        (0, {"UnitFileState": "disabled"}, "warning", "not enabled"),
        (0, {"LoadState": ""}, "undetermined", "systemctl said nothing"),
    ],
)
def test_timer_of_the_health_check(host, seconds_ago, values, verdict, sentence):
    host.program("journalctl", "echo API Health OK")
    host.program("systemctl", timer(None if seconds_ago is None else time.time() - seconds_ago, **values))
    done = host.verify(BASE + JOB, "-k", "health_check_scheduled")
    assert done.verdicts() == {HEALTH: verdict}, done.output
    assert sentence in done.properties(HEALTH).get("sentence", "")


RETRIED = "echo 'Wed Nov 25 00:47:04 UTC 2026: API Health FAILED - Status: 503'"


@pytest.mark.parametrize(
    ("journal", "verdict", "sentence"),
    [
        # It writes into a file, or says nothing: what it found is not known.
        ("echo nothing of the kind", "warning", "its last run left no OK or FAILED in the journal"),
        ("echo 'API Health OK'; echo 'Database OK'", "normal", ""),
        ("echo 'API Health OK'; echo '== Database FAILED =='", "alert", "observed == Database FAILED =="),
        (f"{RETRIED}; echo 'Wed Nov 25 00:47:09 UTC 2026: API Health OK'", "normal", ""),
        (RETRIED, "alert", "observed API Health FAILED - Status: 503, expected API Health OK"),
        ("echo 'API Health FAILED'; echo 'Database OK'", "alert", "observed API Health FAILED, expected API Health OK"),
        (KEPT_BACK, "warning", "may not be read"),
    ],
)
def test_timer_whose_script_always_ends_well_is_judged_by_what_it_says(host, journal, verdict, sentence):
    host.program("systemctl", timer(time.time() - 60))
    host.program("journalctl", f'case "$*" in *INVOCATION_ID=1f*|*"-n 1") {journal};; esac')
    done = host.verify(BASE + JOB, "-k", "health_check_scheduled")
    assert done.verdicts() == {HEALTH: verdict}, done.output
    assert sentence in done.properties(HEALTH).get("sentence", "")


DAEMON = "echo LoadState=loaded; echo ActiveState={}"


def test_cron_entry_of_the_health_check(host):
    job = "jobs: {job: {host: here, cron: health-check-7f3a.sh}}\n"
    host.program("systemctl", DAEMON.format("active"))
    host.program("crontab", "echo '# */5 * * * * /srv/health-check-7f3a.sh'")
    done = host.verify(BASE + job, "-k", "health_check_scheduled")
    assert done.verdicts()[HEALTH] in ("alert", "undetermined"), done.output
    host.program("crontab", "echo '*/5 * * * * SECRET=abc123def /srv/health-check-7f3a.sh'")
    done = host.verify(BASE + job, "-k", "health_check_scheduled")
    assert done.verdicts() == {HEALTH: "warning"}, done.output
    assert "when it last ran is written nowhere" in done.properties(HEALTH)["sentence"]
    assert "abc123def" not in done.everything()
    log = host.folder / "health.log"
    log.write_text(time.strftime("%a %b %d %H:%M:%S UTC %Y: API Health OK\n", time.gmtime()))
    done = host.verify(BASE + job.replace(".sh}", f".sh, log: {log}}}"), "-k", "health_check_scheduled")
    assert "when it last ran" not in done.output
    assert done.verdicts() == {HEALTH: "normal"}, done.output


def test_a_schedule_whose_scheduler_is_stopped(host):
    """Both have just run, and will not again."""
    log = host.folder / "health.log"
    log.write_text(time.strftime("%a %b %d %H:%M:%S UTC %Y: API Health OK\n", time.gmtime()))
    jobs = f"""jobs:
  job: {{host: here, cron: health-check-7f3a.sh, log: {log}}}
  backup: {{host: here, role: backup, cron: backup-7f3a.sh, log: {log}}}
"""
    host.program("crontab", "echo '*/5 * * * * /srv/health-check-7f3a.sh'; echo '0 2 * * * /srv/backup-7f3a.sh'")
    for state, verdict in (("active", "normal"), ("inactive", "alert")):
        host.program("systemctl", DAEMON.format(state))
        done = host.verify(BASE + jobs, "-k", "health_check_scheduled or scheduled_jobs")
        assert done.verdicts() == {HEALTH: verdict, "test_scheduled_jobs[backup]": verdict}, done.output
    assert "observed no cron daemon runs, expected a cron daemon that runs" in done.output


NOW = datetime(2026, 11, 25, 3, tzinfo=UTC)


def ran(hours_ago: float | None, **more) -> TimerFacts:
    last = None if hours_ago is None else NOW - timedelta(hours=hours_ago)
    well = {"active": True, "enabled": True, "unit": "backup.service", "result": "success", "exit_status": 0}
    return TimerFacts("backup.timer", **{"exists": True, "observed_at": NOW, "last_run": last, **well, **more})


@pytest.mark.parametrize(
    ("role", "timer", "verdict", "sentence"),
    [
        ("backup", ran(1), Verdict.NORMAL, ""),
        ("backup", ran(24.9), Verdict.NORMAL, ""),
        ("backup", ran(26), Verdict.ALERT, "observed last run 26 h ago, expected a run in the last 25 h"),
        ("maintenance", ran(26), Verdict.NORMAL, ""),
        ("maintenance", ran(170), Verdict.ALERT, "last run 170 h ago, expected a run in the last 169 h"),
        (
            "backup",
            ran(1, elapsed=True),
            Verdict.ALERT,
            "backup.timer active, elapsed, expected a timer that runs again",
        ),
        ("backup", ran(1, result="exit-code", exit_status=1), Verdict.ALERT, "exit-code, exit status 1"),
        ("backup", ran(1, active=False), Verdict.ALERT, "timer backup.timer not active"),
        ("backup", ran(1, exists=False), Verdict.ALERT, "no timer backup.timer"),
        ("backup", ran(1, enabled=False), Verdict.WARNING, "not enabled"),
        # Systemd forgets at a start when a timer ran: a weekly one need not have run since.
        ("backup", ran(None, up_seconds=24 * 3600), Verdict.WARNING, "no run since the host started 24 h ago"),
        ("backup", ran(None, up_seconds=26 * 3600), Verdict.ALERT, "no run since the host started 26 h ago"),
        ("maintenance", ran(None, up_seconds=26 * 3600), Verdict.WARNING, "no run since the host started 26 h ago"),
    ],
)
def test_timers_of_backups_and_maintenance(judged, role, timer, verdict, sentence):
    target = Job(host="here", role=role, timer="backup.timer")
    expect = judged("logs", "scheduled-jobs", schedules={"timer": timer}, target=target)
    assert expect.worst.verdict is verdict
    assert sentence in expect.worst.sentence


CRON = CronFacts("backup.sh", ("/etc/cron.d/mycats",), daemon=True)


@pytest.mark.parametrize(
    ("cron", "hours", "verdict", "sentence"),
    [
        (CRON, 2, Verdict.NORMAL, ""),
        (CRON, 26, Verdict.ALERT, "last entry 26.0 h ago in backup.log, expected an entry in the last 25 h"),
        (CRON, None, Verdict.WARNING, "when it last ran is written nowhere"),
        (replace(CRON, daemon=False), 2, Verdict.ALERT, "no cron daemon runs"),
        (replace(CRON, daemon=None), 2, Verdict.WARNING, "whether a cron daemon runs cannot be seen"),
        (replace(CRON, places=()), 2, Verdict.ALERT, "backup.sh in no crontab"),
        (replace(CRON, places=(), hidden=("/var/spool/cron",)), 2, Verdict.NORMAL, ""),
        (
            replace(CRON, places=(), refused=("/etc/cron.d/my.cats: its name …",), hidden=("/var/spool/cron",)),
            2,
            Verdict.ALERT,
            "backup.sh where cron leaves it alone, /etc/cron.d/my.cats: its name …, expected a crontab entry",
        ),
    ],
)
def test_crontabs_of_backups(judged, cron, hours, verdict, sentence):
    facts: dict[str, object] = {"cron": cron}
    if hours is not None:
        facts["log"] = LogStateFacts("backup.log", True, NOW, last=NOW - timedelta(hours=hours))
    expect = judged("logs", "scheduled-jobs", schedules=facts, target=Job(host="here", role="backup", cron="backup.sh"))
    assert expect.worst.verdict is verdict
    assert sentence in expect.worst.sentence


def test_a_crontab_that_may_not_be_read_proves_nothing_without_a_log(judged):
    hidden = replace(CRON, places=(), hidden=("/var/spool/cron",))
    with pytest.raises(ProbeError, match="could not be looked for: /var/spool/cron may not be read"):
        judged("logs", "scheduled-jobs", schedules={"cron": hidden}, target=Job(host="here", role="backup", cron="b"))
