"""What logs tell: errors, silence, attackers, a health check that fails, an alert that goes nowhere."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rehearsal.faults.doing import ago, appended, hit, holding, moded, pino, sshd
from rehearsal.faults.fault import ALERT, WARNING, fault
from rehearsal.faults.scenes import DRILL
from rehearsal.parts.logs import shell_date

if TYPE_CHECKING:
    from rehearsal.whole import Rehearsal


@fault("The application logged errors.", {"application-log-errors[application]": ALERT})
def application_errors(whole: Rehearsal) -> Iterator[None]:
    with appended(whole.layout.app_log, pino(ago(minutes=1), "error", "Internal server error")):
        yield


@fault(
    "The application stopped writing its log two days ago.",
    {"application-log-alive[application]": ALERT, "application-log-errors[application]": WARNING},
)
def application_log_silent(whole: Rehearsal) -> Iterator[None]:
    # As after a rotation that nobody told the backend of: it goes on writing elsewhere.
    log = whole.layout.app_log
    moved = log.rename(log.with_name("rotated-away"))
    log.write_text(pino(ago(days=2), "info", "long ago"))
    yield
    log.unlink()
    moved.rename(log)


@fault("Requests ended in 502, more than one in a hundred.", {"access-log-server-errors[access]": ALERT})
def server_errors(whole: Rehearsal) -> Iterator[None]:
    lines = "".join(hit(ago(minutes=9), "/api/v1/pedigrees", 502, f"192.0.2.{n}") for n in range(10, 50))
    with appended(whole.layout.access_log, lines):
        yield


@fault(
    "Somebody was refused over and over with 401 and 403.",
    {"access-log-client-errors[access]": ALERT, "unauthorized-access[access]": ALERT},
)
def requests_refused(whole: Rehearsal) -> Iterator[None]:
    lines = "".join(hit(ago(minutes=9 + n // 100), "/admin", 401 + n % 2 * 2, "203.0.113.9") for n in range(600))
    with appended(whole.layout.access_log, lines):
        yield


@fault("One client flooded the API.", {"abnormal-api-calls[access]": ALERT})
def access_log_flooded(whole: Rehearsal) -> Iterator[None]:
    when = ago(minutes=9).replace(second=1)
    with appended(whole.layout.access_log, hit(when, "/api/v1/cats", 200, "198.51.100.8") * 700):
        yield


@fault("An attacker asked for /.env, and got it.", {"abnormal-api-calls[access]": ALERT})
def attacker_found_something(whole: Rehearsal) -> Iterator[None]:
    with appended(whole.layout.access_log, hit(ago(minutes=9), "/.env", 200, "198.51.100.9")):
        yield


@fault("The access log is empty: the proxy writes elsewhere.", {
    "abnormal-api-calls[access]": WARNING,
    "access-log-client-errors[access]": WARNING,
    "access-log-server-errors[access]": ALERT,
    "unauthorized-access[access]": WARNING,
})  # fmt: skip
def access_log_silent(whole: Rehearsal) -> Iterator[None]:
    log = whole.layout.access_log
    elsewhere = log.with_name("rotated-away")
    whole.proxy.restart(access_log=str(elsewhere))
    with holding(log, hit(ago(days=2))):
        yield
    whole.proxy.restart(access_log=str(log))
    elsewhere.unlink(missing_ok=True)


@fault("Somebody guessed passwords over SSH, a hundred times.", {"unauthorized-access[auth]": ALERT})
def passwords_guessed(whole: Rehearsal) -> Iterator[None]:
    guesses = sshd(ago(minutes=9), "Failed password for root from 203.0.113.66 port 2 ssh2") * 101
    with appended(whole.layout.auth_log, guesses):
        yield


@fault("Somebody who guessed passwords over SSH got in.", {"unauthorized-access[auth]": ALERT})
def guesser_got_in(whole: Rehearsal) -> Iterator[None]:
    guesses = sshd(ago(minutes=9), "Failed password for bob from 192.0.2.50 port 2 ssh2") * 21
    entry = sshd(ago(minutes=8), "Accepted password for bob from 192.0.2.50 port 2 ssh2")
    with appended(whole.layout.auth_log, guesses + entry):
        yield


@fault("The health check has not run for forty minutes.", {"health-check-scheduled[health-check]": ALERT})
def health_check_not_run(whole: Rehearsal) -> Iterator[None]:
    with holding(whole.layout.health_check_log, f"{shell_date(ago(minutes=40))}: API Health OK\n"):
        yield


@fault("The last health check failed.", {"health-check-scheduled[health-check]": ALERT})
def health_check_failed(whole: Rehearsal) -> Iterator[None]:
    with appended(whole.layout.health_check_log, f"{shell_date(ago(seconds=1))}: API Health FAILED - Status: 503\n"):
        yield


@fault(
    "The script that sends alerts cannot be executed.",
    {"alert-path[main]": ALERT, "release-clean[checkout]": ALERT},
)
def alert_script_not_executable(whole: Rehearsal) -> Iterator[None]:
    with moded(whole.layout.scripts / "send-alert.sh", 0o644):
        yield


@fault("Alerts are sent, and arrive nowhere.", {"alert-path[main]": ALERT}, scene=DRILL,
       changes={"checks": {"alert-path": {"settings": {"arrival_seconds": 2}}}})  # fmt: skip
def alerts_do_not_arrive(whole: Rehearsal) -> Iterator[None]:
    with holding(whole.layout.scripts / "send-alert.sh", "#!/bin/sh\nexit 0\n"):
        yield
