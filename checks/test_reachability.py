"""Reachability and function: the system answers, answers as itself, and answers in time."""

from opsverify import runbook
from opsverify.bands import Verdict


@runbook("api-health")
def test_api_health(health_attempt, expect):
    """The health endpoint answers 200, and it is the API itself that says it is well."""
    healthy = "200 with the API's own JSON: success, status ok"
    if not expect.that(not health_attempt.failure, observed=health_attempt.failure or "an answer", expected=healthy):
        return
    health = health_attempt.fact
    if health.rate_limited:
        expect.that(False, observed=f"{health.status}, rate-limited", expected=healthy, otherwise=Verdict.WARNING)
        return
    if not health.is_api_json:
        expect.that(False, observed=f"{health.status}, not the API's JSON: {health.excerpt}", expected=healthy)
        return
    said = f"{health.status}, success {str(health.success).lower()}, status {health.state}"
    if health.error:
        said += f", error {health.error}"
    expect.that(
        health.status == 200 and health.success is True and health.state == "ok", observed=said, expected=healthy
    )


@runbook("api-health-database")
def test_api_health_database(api_health, expect):
    """The health endpoint vouches for the database; its silence is a warning, never a pass."""
    silent = api_health.database is None
    expect.that(
        api_health.database == "ok",
        observed="silence about the database" if silent else f"database {api_health.database}",
        expected="database ok",
        otherwise=Verdict.WARNING if silent else Verdict.ALERT,
    )


@runbook("api-response-time")
def test_api_response_time(api_health, expect):
    """The health endpoint answers quickly: the median of a few samples is judged, the worst one shown."""
    expect(
        api_health.median_seconds * 1000,
        detail=f"median of {len(api_health.timings)}, worst {api_health.worst}",
    )


@runbook("api-smoke")
def test_api_smoke(data_answer, expect):
    """A data endpoint answers with data in the documented shape: the way from API through ORM to database works."""
    if data_answer.rate_limited:
        expect.that(False, observed="rate-limited", expected="an answer", otherwise=Verdict.WARNING)
        return
    problems = "; ".join(data_answer.problems) or f"{data_answer.rows} of {data_answer.total} rows"
    expect.that(
        data_answer.shape_ok,
        observed=f"{data_answer.status}, {problems}",
        expected='200 with {"success": true, "data": […], "meta": {total, page, limit, totalPages}}',
    )


@runbook("frontend-reachable")
def test_frontend_reachable(page_attempt, target, expect):
    """Users get the page, and the scripts and styles that it names load too."""
    whole = "200 with the page, and all its scripts and styles"
    if not expect.that(not page_attempt.failure, observed=page_attempt.failure or "an answer", expected=whole):
        return
    page = page_attempt.fact
    if page.rate_limited:
        expect.that(False, observed=f"{page.status}, rate-limited", expected=whole, otherwise=Verdict.WARNING)
        return
    is_page = page.status == 200 and "html" in (page.content_type or "")
    observed = f"{page.status} {page.content_type or 'without content type'}, title {page.title!r}"
    if not expect.that(is_page, observed=observed, expected=whole):
        return
    expect.that(page.contains_ok is not False, observed="the page", expected=f"it holds {target.contains!r}")
    broken = [asset for asset in page.assets if not asset.ok]
    expect.that(bool(page.assets), observed=f"a page that names {len(page.assets)} scripts and styles", expected=whole)
    told = "; ".join(f"{a.url_path}: {a.problem or a.status}" for a in broken[:5])
    expect.that(
        not broken,
        observed=f"{len(broken)} of {len(page.assets)} scripts and styles do not load: {told}"
        if broken
        else f"{len(page.assets)} scripts and styles load",
        expected=whole,
    )


@runbook("database-connect")
def test_database_connect(connection_attempt, expect):
    """A direct, authenticated connection to the database works."""
    works = "an authenticated connection"
    if expect.that(not connection_attempt.failure, observed=connection_attempt.failure or works, expected=works):
        fact = connection_attempt.fact
        expect.that(True, observed=f"connected in {fact.latency_seconds * 1000:.0f} ms", expected=works)


@runbook("service-active")
def test_service_active(service_status, settings, expect):
    """The service runs, comes back after a reboot, and does not restart over and over."""
    service = service_status
    if not expect.that(
        service.exists,
        observed=f"{service.name} {'exists' if service.exists else 'does not exist'}",
        expected="running",
    ):
        return
    if service.main is not None:
        units = (service.main, *service.instances)
        states = ", ".join(f"{one.unit} {one.active_state} ({one.sub_state})" for one in units)
        expect.that(service.running, observed=states, expected="active")
        how = service.main.unit_file_state or "without an [Install] section"
        expect.that(bool(service.enabled), observed=how, expected="enabled at boot")
    else:
        process = service.process
        state = "no process" if process is None else f"process {process.pid} {'alive' if process.alive else 'dead'}"
        if process is not None and process.stale:
            state = f"a stale pid file: {process.pid} is another process by now"
        expect.that(service.running, observed=state, expected="running")
    if service.restarts is not None and service.active_since is not None:
        minutes = (service.observed_at - service.active_since).total_seconds() / 60
        looping = service.restarts > settings["max_restarts"] and minutes < settings["window_minutes"]
        expect.that(
            not looping,
            observed=f"restarted {service.restarts} times, the last {minutes:.0f} min ago",
            expected=f"at most {settings['max_restarts']} restarts within {settings['window_minutes']} min",
        )
