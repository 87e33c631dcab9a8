"""Faults of a real host, one by one: what is broken turns red, and nothing else does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import timedelta

import pytest

from rehearsal.machines.host import TestHost

from .conftest import EVERYTHING, Ran, Suite

Breaking = Callable[..., AbstractContextManager[None]]
DAILY = ("-m", "smoke or daily")

# Faults that leave everything else alone are broken together, and must be told apart.
QUIET = {
    # fault: (break, mend, the one test that turns red, the telling part of its sentence)
    "disabled at boot": (
        "systemctl disable --quiet mycats-frontend",
        "systemctl enable --quiet mycats-frontend",
        "test_service_active[frontend-app1]",
        "observed mycats-frontend.service disabled, expected enabled at boot",
    ),
    "restarted over and over": (
        "mkdir -p /run/systemd/system/mycats-backend.service.d\n"
        "f=/run/systemd/system/mycats-backend.service.d/loop.conf\n"
        "printf '[Service]\\nRuntimeMaxSec=700ms\\nRestartSec=50ms\\n' > $f\n"
        "systemctl daemon-reload; systemctl restart mycats-backend\n"
        "n=0; while [ $n -lt 4 ]; do n=$(systemctl show -P NRestarts mycats-backend); sleep 0.1; done\n"
        # It is well again by now; only its history shows.
        "rm $f; systemctl daemon-reload; sleep 1",
        "true",
        "test_service_active[backend-app1]",
        "times in the last 60 min, expected at most 3 restarts",
    ),
    "timer stopped": (
        "systemctl disable --quiet --now mycats-health.timer",
        "systemctl enable --quiet --now mycats-health.timer; systemctl start mycats-health.service",
        "test_health_check_scheduled[health-check-app1]",
        "timer mycats-health.timer not active",
    ),
    "cron stopped": (
        "systemctl stop cron",
        "systemctl start cron",
        "test_scheduled_jobs[backup-app1]",
        "observed no cron daemon runs, expected a cron daemon that runs",
    ),
    "error in the journal of the unit": (
        "printf 'MESSAGE=out of paws\\nPRIORITY=3\\nOBJECT_PID=%s\\n' $(systemctl show -P MainPID mycats-backend)"
        " | logger --journald",
        "true",
        "test_service_journal_errors[backend-app1]",
        "out of paws",
    ),
    "errors in the system's journal": (
        "seq --format='I/O error of disk %g' 205 | logger --priority daemon.err",
        "true",
        "test_system_log_errors[app1]",
        "I/O error of disk 205",
    ),
    "error in the application's log": (
        """unit=$(systemctl show -P MainPID mycats-backend)
printf 'MESSAGE={"level":"error","time":%s000,"message":"cat lost"}\\nPRIORITY=6\\nOBJECT_PID=%s\\n' \
$(date +%s) $unit | logger --journald""",
        "true",
        "test_application_log_errors[application-app1]",
        "cat lost",
    ),
    "somebody may use sudo": (
        "echo 'monitor ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/oops",
        "rm /etc/sudoers.d/oops",
        "test_accounts[app1]",
        "monitor (/etc/sudoers.d/oops) can become root",
    ),
    "secrets open to all": (
        "chmod 0644 /etc/mycats/backend.env",
        "chmod 0640 /etc/mycats/backend.env",
        "test_secret_files[backend-app1]",
        "/etc/mycats/backend.env, mode 644 root:mycats",
    ),
    "changed by hand": (
        "echo '# quick fix' >> /srv/mycats/scripts/backup.sh",
        "runuser -u mycats -- git -C /srv/mycats checkout --quiet scripts/backup.sh",
        "test_release_clean[app1]",
        "scripts/backup.sh",
    ),
    "security update pending": (
        "cd /var/lib/apt/lists; f=$(ls *security*_Packages); cp --preserve=timestamps $f /root/packages\n"
        'awk \'/^Package: / {p = $2} /^Version:/ && p == "openssl" {$0 = $0 "+fixed"} {print}\' /root/packages > $f\n'
        "touch --reference=/root/packages $f; touch /run/reboot-required",
        "cd /var/lib/apt/lists; cp --preserve=timestamps /root/packages $(ls *security*_Packages)\n"
        "rm /run/reboot-required",
        "test_security_patches[app1]",
        "1 security updates pending (apt, 0 others): openssl",
    ),
    "database open to the world": (
        "ip address add 11.22.33.44/32 dev eth0\n"
        'sed -i "s/localhost,/localhost,11.22.33.44,/" /etc/postgresql/15/main/conf.d/listen.conf\n'
        "systemctl restart postgresql@15-main",
        "sed -i 's/11.22.33.44,//' /etc/postgresql/15/main/conf.d/listen.conf\n"
        "systemctl restart postgresql@15-main; ip address delete 11.22.33.44/32 dev eth0",
        "test_exposed_ports[app1]",
        "port 5432 on 11.22.33.44",
    ),
    # The last to be broken and the first to be mended: the others write.
    "disk full": (
        "fallocate --length $(($(df --output=avail / | tail -n 1) - 2000))KiB /var/tmp/filled",
        "rm /var/tmp/filled",
        "test_disk_usage[app1]",
        "observed / 99.8",
    ),
}


@pytest.fixture(scope="module")
def quiet(app1: TestHost, suite: Suite, broken: Breaking, healthy: Ran) -> Iterator[tuple[Ran, dict[str, str]]]:
    breaking = "\n".join(f"({breaking})" for breaking, *_ in QUIET.values())
    mending = "\n".join(f"({mending})" for _, mending, *_ in reversed(QUIET.values()))
    with broken(app1, f"set -e\n{breaking}", f"set -e\n{mending}"):
        ran = suite([app1], *EVERYTHING)
    yield ran, ran.worse_than(healthy)


def test_nothing_else_turns_red(quiet: tuple[Ran, dict[str, str]]) -> None:
    ran, worse = quiet
    assert worse.keys() == {test for _, _, test, _ in QUIET.values()}, ran.output


@pytest.mark.parametrize("fault", QUIET)
def test_a_fault_is_named(fault: str, quiet: tuple[Ran, dict[str, str]]) -> None:
    ran, worse = quiet
    _, _, test, telling = QUIET[fault]
    assert worse.get(test) == "alert"
    assert telling in ran.sentences[test]


def test_the_backend_is_stopped(app1: TestHost, suite: Suite, broken: Breaking, healthy: Ran) -> None:
    with broken(app1, "systemctl stop mycats-backend"):
        ran = suite([app1], *DAILY)
    assert "mycats-backend.service inactive (dead)" in ran.sentences["test_service_active[backend-app1]"]
    assert ran.named("alert") == {
        "test_service_active[backend-app1]",
        "test_listening_port[backend-app1]",
        "test_api_health[app1]",
        "test_api_smoke[app1]",
        "test_cats_response_time[app1]",
        "test_cors_behaviour[app1]",
        "test_public_api[app1]",
    }
    # Its configuration is read from the unit's file all the same.
    assert ran.verdicts["test_jwt_secret_strength[backend-app1]"] == "normal"


def test_the_backend_fails_over_and_over(app1: TestHost, suite: Suite, broken: Breaking) -> None:
    main, kept = "/srv/mycats/backend/dist/main.js", "/srv/mycats/backend/dist/kept.js"
    breaking = (
        f"mv {main} {kept}; echo 'setTimeout(() => process.exit(1), 200)' > {main}; systemctl restart mycats-backend\n"
        "n=0; while [ $n -lt 4 ]; do n=$(systemctl show -P NRestarts mycats-backend); sleep 0.1; done"
    )
    with broken(app1, breaking, f"mv {kept} {main}"):
        ran = suite([app1], "-k", "service_active")
    assert ran.named("alert") == {"test_service_active[backend-app1]"}, ran.output
    assert "expected at most 3 restarts within 60 min" in ran.sentences["test_service_active[backend-app1]"]


def test_nginx_is_stopped(app1: TestHost, suite: Suite, broken: Breaking, healthy: Ran) -> None:
    with broken(app1, "systemctl stop nginx", "systemctl start nginx"):
        ran = suite([app1], *DAILY)
    assert ran.named("alert") == {
        "test_service_active[nginx-app1]",
        "test_api_health[app1]",
        "test_frontend_reachable[app1]",
        "test_public_api[app1]",
    }
    blocked = ran.named("blocked")
    assert {ran.sentences[name].partition(": ")[2] for name in blocked} == {"10.213.77.11:443: connection refused"} | {
        "https://10.213.77.11:443: connection refused"
    }
    assert ran.worse_than(healthy).keys() == ran.named("alert") | blocked


def test_the_cluster_has_failed_while_its_wrapper_is_active(
    app1: TestHost, suite: Suite, broken: Breaking, healthy: Ran
) -> None:
    kill = "kill -9 $(head -n 1 /var/lib/postgresql/15/main/postmaster.pid); sleep 0.5"
    with broken(app1, kill, "systemctl reset-failed; systemctl start postgresql@15-main"):
        assert app1.run("systemctl is-active postgresql").stdout.strip() == "active"
        ran = suite([app1], *DAILY)
    output = ran.sentences["test_service_active[postgresql-app1]"]
    assert "postgresql.service active (exited), postgresql@15-main.service failed (failed)" in output
    assert {
        "test_service_active[postgresql-app1]",
        "test_database_connect[app1]",
        "test_api_health[app1]",
        "test_api_health_database[app1]",
        "test_api_smoke[app1]",
    } <= ran.named("alert")
    untouched = {name for name in ran.verdicts if "[nginx-" in name or "[frontend-" in name or "[public-" in name}
    assert not untouched & ran.worse_than(healthy).keys()


def test_a_weak_secret(app1: TestHost, suite: Suite, broken: Breaking, healthy: Ran) -> None:
    env = "/etc/mycats/backend.env"
    breaking = f"cp -p {env} /root/kept.env; sed -i 's/^JWT_SECRET=.*/JWT_SECRET=meowmeow1/' {env}\n"
    breaking += "systemctl restart mycats-backend; sleep 0.5"
    with broken(app1, breaking, f"cp -p /root/kept.env {env}"):
        ran = suite([app1], *DAILY)
    worse = ran.worse_than(healthy)
    assert worse.pop("test_jwt_secret_strength[backend-app1]") == "alert"
    assert worse == {}
    assert "observed 72 bits" in ran.sentences["test_jwt_secret_strength[backend-app1]"]
    assert "meowmeow" not in ran.output


def test_an_expired_certificate(app1: TestHost, suite: Suite, broken: Breaking, healthy: Ran) -> None:
    with broken(app1, "true"):
        app1.serve_certificate(ends=timedelta(days=-1))
        try:
            ran = suite([app1], "-m", "monthly or smoke")
        finally:
            app1.serve_certificate()
    for name in ("public-app1", "database-app1"):
        assert "observed -1 days" in ran.sentences[f"test_certificate_expiry[{name}]"]
    assert ran.sentences["test_api_health[app1]"].count("certificate has expired") == 1
    assert ran.named("alert") == {
        "test_certificate_expiry[public-app1]",
        "test_certificate_expiry[database-app1]",
        "test_public_api[app1]",
        "test_certificate_trust[public-app1]",
        "test_certificate_trust[database-app1]",
        "test_api_health[app1]",
        "test_database_connect[app1]",
        "test_frontend_reachable[app1]",
    }
