"""Logs and detection: what the logs tell of the last day, and whether somebody is told."""

from datetime import timedelta

from opsverify import runbook
from opsverify.config.bands import Verdict
from opsverify.errors import ProbeError
from opsverify.evidence.age import age
from opsverify.judgements.windows import readable


@runbook("application-log-errors")
def test_application_log_errors(application_log, settings, expect):
    """The application's log holds no error and no fatal entry in the window, in JSON, text or blocks."""
    window = application_log.window
    if readable(window, expect):
        where = f"{window.lines:,} entries in {window.in_words}"
        if application_log.own:
            where += f", {application_log.own:,} errors of the checks' own requests left out"
        judge_complaints(application_log.errors, where, settings, expect)
        share = 100 * application_log.unlevelled / max(1, window.lines)
        if share > settings["unlevelled_percent"]:
            why = f"{application_log.unlevelled:,} of {window.lines:,} entries are JSON without a level"
            expect.unknown(ProbeError(f"whether the log holds errors could not be determined: {why}"))


@runbook("application-log-alive")
def test_application_log_alive(application_log_state, settings, expect):
    """The application's log is still being written: a silent log is not a good log."""
    judge_last_entry(application_log_state, settings["max_silence_hours"], expect)


@runbook("service-journal-errors")
def test_service_journal_errors(service_journal, settings, expect):
    """The backend's unit left no error in the journal, and did not fail, in the window."""
    window = service_journal.window
    if readable(window, expect):
        judge_complaints(service_journal.errors, f"the journal of {window.in_words}", settings, expect)
        if not service_journal.complete:
            expect.unknown(ProbeError("the errors could not be determined: the journal holds more than are read"))


@runbook("access-log-server-errors")
def test_access_log_server_errors(access_log, settings, expect):
    """The share of requests that ended in 5xx is small; paths that did are shown."""
    if readable(access_log.window, expect, Verdict.ALERT):
        judge_share(access_log, 5, settings, expect)


@runbook("access-log-client-errors")
def test_access_log_client_errors(access_log, settings, expect):
    """The share of requests that ended in 4xx is small; the paths and clients that did most are shown."""
    if readable(access_log.window, expect):
        judge_share(access_log, 4, settings, expect)


@runbook("health-check-scheduled")
def test_health_check_scheduled(health_checks, settings, expect):
    """The periodic health check exists, ran lately, and succeeded."""
    most, timer, cron, log = settings["max_age_minutes"], *map(health_checks.get, ("timer", "cron", "log"))
    if timer is not None:
        judge_timer(timer, most, log, expect)
        if timer.exists and timer.active and log is None:
            judge_said(timer, settings, expect)
    if cron is not None:
        judge_cron(cron, most, log, timer, expect)
    if log is not None:
        judge_health_log(log, most, settings, expect)


@runbook("scheduled-jobs")
def test_scheduled_jobs(schedules, target, settings, expect):
    """The backup or maintenance job exists, is really scheduled, ran lately, and did not fail."""
    hours, timer, cron, log = settings[f"{target.role}_max_age_hours"], *map(schedules.get, ("timer", "cron", "log"))
    if timer is not None:
        judge_timer(timer, hours * 60, log, expect)
    if cron is not None:
        judge_cron(cron, hours * 60, log, timer, expect)
    if log is not None:
        judge_last_entry(log, hours, expect)


def judge_timer(timer, most, log, expect):
    """Judge a timer: active, with a next run, run within so many minutes (unless a log tells that), and well."""
    state = "active" if timer.active else "not active"
    observed = f"timer {timer.timer} {state}" if timer.exists else f"no timer {timer.timer}"
    if not expect.that(timer.exists and timer.active, observed=observed, expected="an active timer"):
        return
    again = f"{observed}, elapsed" if timer.elapsed else observed
    expect.that(not timer.elapsed, observed=again, expected="a timer that runs again")
    minutes = age_minutes(timer.observed_at, timer.last_run, f"the last run of {timer.timer}")
    # Systemd forgets a timer's runs when the host starts; a log, if there is one, does not.
    if minutes is not None:
        expect.that(minutes <= most, observed=f"last run {how_long(minutes)} ago", expected=lately(most))
    elif log is None:
        up = timer.up_seconds / 60
        observed = f"no run since the host started {how_long(up)} ago"
        otherwise = Verdict.WARNING if up < most else Verdict.ALERT
        expect.that(False, observed=observed, expected=lately(most), otherwise=otherwise)
    observed = f"{timer.unit}: {timer.result or 'no result'}, exit status {timer.exit_status}"
    expect.that(timer.result == "success", observed=observed, expected="success")
    expect.that(
        timer.enabled,
        observed="enabled" if timer.enabled else "not enabled",
        expected="a timer that is enabled at boot",
        otherwise=Verdict.WARNING,
    )


def judge_cron(cron, most, log, timer, expect):
    """Judge a line of a crontab: it is there, cron heeds the file, cron runs, and something tells when it last did."""
    hidden = ", ".join(cron.hidden)
    if not cron.places and not cron.refused and hidden and log is None:
        raise ProbeError(f"the cron job {cron.text} could not be looked for: {hidden} may not be read")
    observed = f"{cron.text} in {', '.join(cron.places)}" if cron.places else f"{cron.text} in no crontab"
    if cron.refused and not cron.places:
        observed = f"{cron.text} where cron leaves it alone, {'; '.join(cron.refused)}"
    # A crontab that this account may not read can hold it: that it runs is then proven by its log.
    unknown = f"; {hidden} may not be read" if hidden and not cron.places and not cron.refused else ""
    expect.that(bool(cron.places or unknown), observed=f"{observed}{unknown}", expected="a crontab entry")
    daemon = {True: "a cron daemon", False: "no cron daemon runs", None: "whether a cron daemon runs cannot be seen"}
    expect.that(
        bool(cron.daemon),
        observed=daemon[cron.daemon],
        expected="a cron daemon that runs",
        otherwise=Verdict.WARNING if cron.daemon is None else Verdict.ALERT,
    )
    if log is None and timer is None:
        silent = "when it last ran is written nowhere that the environment names (jobs: log)"
        expect.that(False, observed=silent, expected=lately(most), otherwise=Verdict.WARNING)


def lately(minutes):
    """What is expected of a job that runs at least every so many minutes."""
    return f"a run in the last {how_long(minutes)}"


def how_long(minutes):
    """Minutes, in hours where they are many."""
    return f"{minutes:.0f} min" if minutes < 300 else f"{minutes / 60:.1f} h".replace(".0 h", " h")


def judge_health_log(log, most, settings, expect):
    """Judge by the log that the script writes: its newest line is recent, and the newest of each subject is well."""
    there = log.path if log.exists else f"no {log.path}"
    if not expect.that(log.exists, observed=there, expected=log.path):
        return
    dated = [line for line in log.lines if line.when is not None]
    results = f"{len(log.lines)} results" if log.lines else f"no result among {log.total} lines"
    if not expect.that(bool(log.lines), observed=f"{log.path}: {results}", expected="results of health checks"):
        return
    if not dated:
        raise ProbeError(f"{log.path}: when the health check last ran could not be determined, its dates are unknown")
    minutes = age_minutes(log.observed_at, dated[-1].when, f"the last result in {log.path}")
    observed = f"last result {minutes:.0f} min ago: {dated[-1].what}"
    expect.that(minutes <= most, observed=observed, expected=lately(most))
    judge_results([line.what for line in log.lines], settings, expect)


def judge_said(timer, settings, expect):
    """Judge by what the unit's last run said: systemd knows only how its script's last command ended."""
    if timer.output is None:
        unseen = f"{timer.unit}: what it found may not be read (group systemd-journal), and no log is named (jobs: log)"
        expect.that(False, observed=unseen, expected="what it found", otherwise=Verdict.WARNING)
        return
    words = f"{settings['succeeded']} or {settings['failed']}"
    if not timer.output:
        # It may write what it found into a file.
        silent = f"{timer.unit}: its last run left no {words} in the journal, and no log is named (jobs: log)"
        expect.that(False, observed=silent, expected=f"lines with {words}", otherwise=Verdict.WARNING)
    judge_results(timer.output, settings, expect)


def judge_results(results, settings, expect):
    """The newest result of each subject is well."""
    newest = {}
    for result in results:
        newest[result.split(settings["failed"])[0].split(settings["succeeded"])[0].strip()] = result
    for subject, result in newest.items():
        # Not just "nothing failed": a long line is cut, and so may its end be that says so.
        well = settings["succeeded"] in result and settings["failed"] not in result
        expect.that(well, observed=result, expected=f"{subject} {settings['succeeded']}")


def age_minutes(now, then, what):
    """Minutes from `then` to `now`, None where it never was."""
    return None if then is None else age(now, then, what) / timedelta(minutes=1)


@runbook("alert-path")
def test_alert_path(alert_script, expect):
    """The script that sends alerts exists, can be executed, and has the interpreter that it names."""
    script = alert_script
    there = f"{script.path}, mode {script.mode}, owner {script.owner}" if script.exists else f"no {script.path}"
    if not expect.that(script.exists, observed=there, expected=script.path):
        return
    expect.that(script.executable, observed=there, expected="an executable script")
    expect.that(script.size_bytes > 0, observed=f"{there}, {script.size_bytes} bytes", expected="a script, not empty")
    expect.that(
        script.interpreter_found is not False,
        observed=f"interpreter {script.interpreter or 'not known'}",
        expected="an interpreter that exists",
    )


@runbook("alert-path", only="drill")
def test_alert_arrives(sent_alert, target, settings, expect):
    """A test alert, really sent, arrives in time."""
    sent = sent_alert
    observed = f"{sent.message!r}: exit status {sent.status}"
    if not expect.that(sent.status == 0, observed=observed, expected="an alert that is sent"):
        return
    place = target.arrives_in
    if sent.arrived is None:
        unseen = f"{observed}; ask those on duty for it, no place of arrival is known (alerts: arrives_in)"
        expect.that(False, observed=unseen, expected="its arrival", otherwise=Verdict.WARNING)
        return
    how = f"in {place} after {sent.seconds:.0f} s" if sent.arrived else f"not in {place} after {sent.seconds:.0f} s"
    expect.that(
        sent.arrived, observed=f"{observed}, {how}", expected=f"arrival within {settings['arrival_seconds']:g} s"
    )


def judge_complaints(complaints, where, settings, expect):
    """No complaint but those known to be harmless; the newest are shown."""
    errors = complaints.without(settings["ignore"])
    ignored = complaints.count - errors.count
    summary = f"{where}, {errors.count:,} errors" + (f" ({ignored:,} ignored)" if ignored else "")
    observed = f"{summary}: {errors.newest(settings['shown'])}" if errors.count else summary
    expect.that(errors.count == 0, observed=observed, expected="no error")


def judge_last_entry(log, most_hours, expect):
    """The log's last entry is no older than so many hours, by its host's clock."""
    there = log.source if log.exists else f"no {log.source}"
    if not expect.that(log.exists, observed=there, expected=log.source):
        return
    hours = log.silent_hours
    name = log.newest or log.source
    observed = f"{name} is empty" if hours is None else f"last entry {hours:.1f} h ago in {name}"
    written = f"an entry in the last {most_hours:g} h"
    expect.that(hours is not None and hours <= most_hours, observed=observed, expected=written)


def judge_share(access, group, settings, expect):
    """The share of 4xx or 5xx in percent; few errors are a warning at most, whatever their share."""
    count, share, window = access.errors(group), access.share(group), access.window
    paths = [f"{path} {n:,} ×" for g, path, n in access.paths if g == group]
    clients = [str(client) for g, client in access.clients if g == group]
    detail = f"{count:,} of {access.requests:,} requests in {window.in_words}"
    if access.own:
        detail += f", {access.own:,} of the checks' own left out"
    if count:
        detail += f"; paths: {', '.join(paths)}; clients: {', '.join(clients)}"
    band, few = expect.item.band, count < settings["minimum_errors"]
    if few and band.judge(share) is Verdict.ALERT:
        expected = f"{band}, of {settings['minimum_errors']} errors or more an alert"
        expect.that(False, observed=f"{share:.2f} % ({detail})", expected=expected, otherwise=Verdict.WARNING)
    else:
        expect(share, detail=detail)
    lines = access.requests + access.malformed
    expect.that(
        access.malformed <= lines * settings["malformed_percent"] / 100,
        observed=f"{access.malformed:,} of {lines:,} lines are not of the combined format",
        expected=f"at most {settings['malformed_percent']:g} % of the lines",
        otherwise=Verdict.WARNING,
    )
