"""Reachability and function: the system answers, answers as itself, and answers in time."""

from opsverify import runbook
from opsverify.bands import Verdict
from opsverify.errors import ProbeError
from opsverify.judgements.remains import signs_of_life
from opsverify.judgements.traffic import seen_slots


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
    own_answer(api_health)
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
    own_answer(api_health)
    expect(
        api_health.median_seconds * 1000,
        detail=f"median of {len(api_health.timings)}, worst {api_health.worst}",
    )


def own_answer(health):
    """Let nothing be concluded from the answer of something else that stands at the API's address."""
    if not health.is_api_json:
        raise ProbeError(f"{health.status}{', rate-limited' if health.rate_limited else ''}, not the API's own answer")


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
    if page.rate_limited and page.status != 200:
        expect.that(False, observed=f"{page.status}, rate-limited", expected=whole, otherwise=Verdict.WARNING)
        return
    is_page = page.status == 200 and "html" in (page.content_type or "")
    observed = f"{page.status} {page.content_type or 'without content type'}, title {page.title!r}"
    if not expect.that(is_page, observed=observed, expected=whole):
        return
    expect.that(
        page.elsewhere is None,
        observed=f"a page of another site, {page.elsewhere}" if page.elsewhere else "the site's own page",
        expected="the site's own page",
    )
    expect.that(page.contains_ok is not False, observed="the page", expected=f"it holds {target.contains!r}")
    limited = [asset for asset in page.assets if asset.problem == "rate-limited"]
    broken = [asset for asset in page.assets if not asset.ok and asset not in limited]
    left_out = f", {page.assets_left_out} more not looked at" if page.assets_left_out else ""
    scripts = sum(asset.expects == "script" for asset in page.assets)
    expect.that(scripts > 0, observed=f"a page that names {scripts} scripts of the application", expected=whole)
    told = "; ".join(f"{a.url_path}: {a.problem or a.status}" for a in broken[:5])
    expect.that(
        not broken,
        observed=f"{len(broken)} of {len(page.assets)} scripts and styles do not load: {told}"
        if broken
        else f"{len(page.assets) - len(limited)} scripts and styles load{left_out}",
        expected=whole,
    )
    if limited:
        told = f"{len(limited)} of {len(page.assets)} scripts and styles rate-limited{left_out}"
        expect.that(False, observed=told, expected=whole, otherwise=Verdict.WARNING)


@runbook("database-connect")
def test_database_connect(connection_attempt, expect):
    """A direct, authenticated connection to the database works."""
    works = "an authenticated connection"
    if expect.that(not connection_attempt.failure, observed=connection_attempt.failure or works, expected=works):
        fact = connection_attempt.fact
        expect.that(True, observed=f"connected in {fact.latency_seconds * 1000:.0f} ms", expected=works)


@runbook("service-active")
def test_service_active(service_status, target, settings, expect):
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
        # Only what is no server may be done by having been started: a mount, a firewall.
        idle = service.hollow and target.role != "other"
        expected = "a process that runs" if idle else "active"
        expect.that(service.running and not idle, observed=states, expected=expected)
        how = ", ".join(f"{one.unit} {one.unit_file_state or 'without an [Install] section'}" for one in units)
        expect.that(bool(service.enabled), observed=how, expected="enabled at boot")
    else:
        process = service.process
        state = "no process" if process is None else f"process {process.pid} {'alive' if process.alive else 'dead'}"
        if process is not None and process.stale:
            state = f"a stale pid file: {process.pid} is another process by now"
        expect.that(service.running, observed=state, expected="running")
    judge_restarts(service, settings, expect)


def judge_restarts(service, settings, expect):
    """Those since the last start by hand count (systemd's own counter), and of those only the last hour's (journal)."""
    most, window = settings["max_restarts"], settings["window_minutes"]
    expected = f"at most {most} restarts within {window} min"
    if service.restarts is None:
        return
    count = min(service.recent_restarts or 0, service.restarts)
    if count > most or service.recent_restarts_complete:
        expect.that(count <= most, observed=f"restarted {count} times in the last {window} min", expected=expected)
        return
    observed = f"restarted {service.restarts} times since it was last started by hand"
    last, well = service.last_restart, service.restarts <= most
    if last is not None:
        minutes = (service.observed_at - last).total_seconds() / 60
        observed += f", the last {minutes:.0f} min ago"
        well = well or minutes >= window
    if not well:
        observed += "; no journal that this account may read tells when the others were"
    expect.that(well, observed=observed, expected=expected, otherwise=Verdict.WARNING)


@runbook("cats-response-time")
def test_cats_response_time(cats_answer, expect):
    """The list of cats answers quickly: the query where a token lets us in, else only the guard before it."""
    if cats_answer.rate_limited:
        expect.that(False, observed="rate-limited", expected="an answer", otherwise=Verdict.WARNING)
        return
    turned_away = cats_answer.status in (401, 403)
    if turned_away and cats_answer.authenticated:
        raise ProbeError(f"the list of cats could not be timed: the API refuses our token ({cats_answer.status})")
    if turned_away:
        expect.that(
            False,
            observed=f"{cats_answer.status}: the guard was timed, not the query",
            expected="the list of cats, which takes a token of the API's",
            otherwise=Verdict.WARNING,
        )
    else:
        problems = "; ".join(cats_answer.problems) or f"{cats_answer.rows} of {cats_answer.total} rows"
        expect.that(cats_answer.shape_ok, observed=problems, expected="the list of cats")
    expect(
        cats_answer.median_seconds * 1000,
        "the guard alone" if turned_away else "",
        detail=f"median of {len(cats_answer.timings)}, worst {cats_answer.worst}",
    )


@runbook("clock-skew")
def test_api_clock(api_health, expect):
    """The API's clock, by the Date of its answer, agrees with ours."""
    if api_health.clock is None:
        raise ProbeError("the API's clock could not be determined: its answer has no Date")
    judge_clock(api_health.clock.offset_seconds, api_health.clock.uncertainty_seconds, expect)


@runbook("clock-skew")
def test_database_clock(database_clock, expect):
    """The database's clock agrees with ours."""
    judge_clock(database_clock.offset_seconds, database_clock.uncertainty_seconds, expect)


@runbook("clock-skew")
def test_host_clock(operating_system, expect):
    """The host's clock agrees with ours."""
    judge_clock(operating_system.clock_offset_seconds, operating_system.clock_uncertainty_seconds, expect)


def judge_clock(offset, uncertainty, expect):
    """Judge what a clock is off for certain; one that was read too vaguely to prove anything is not determined."""
    said = f"{offset:+.2f} s, give or take {uncertainty:.2f} s"
    if uncertainty > expect.item.band.below:
        raise ProbeError(f"the clock could not be determined: {said}")
    expect(max(0.0, abs(offset) - uncertainty), detail=said)


@runbook("traffic-slot")
def test_traffic_slot(public_health, slots_health, environment, settings, expect):
    """Every answer at the public address comes from a process of the slot declared active."""
    expected = f"the API of slot {environment.active_slot}"
    if public_health.rate_limited:
        raise ProbeError(f"who answers could not be determined: {public_health.status}, rate-limited")
    if not public_health.is_api_json:
        said = f"{public_health.status}, not the API's own JSON: {public_health.excerpt}"
        expect.that(False, observed=said, expected=expected)
        return
    slots = seen_slots((environment.apis[name].slot, attempt) for name, attempt in slots_health.items())
    several = [
        f"slot {slot} runs several processes, and not every one was seen"
        for slot in slots.of_several(settings["same_process_seconds"])
    ]
    unsure = []
    for boot in dict.fromkeys(public_health.boots):
        found = slots.running_since(boot, public_health, settings["same_process_seconds"])
        when = (
            f"a process started at {boot:%Y-%m-%d %H:%M:%S.%f}"[:-3] + " UTC" if boot else "an answer without its age"
        )
        if boot is None or len(found) > 1 or ((slots.silent or several) and not found):
            fitting = [f"slot {slot} fits" for slot in found]
            unsure.append("; ".join([when, *fitting, *slots.silent, *([] if found else several)]))
        else:
            seen = f"slot {found[0]}, {when}" if found else f"no slot that is known, {when}"
            expect.that(found == [environment.active_slot], observed=seen, expected=expected)
    if unsure and (not expect.findings or expect.worst.verdict is not Verdict.ALERT):
        raise ProbeError(f"which slot answers could not be determined: {unsure[0]}")


@runbook("retired-slot-stopped")
def test_retired_slot_stopped(retired_remains, expect):
    """A retired slot runs no more: its service is stopped, its port closed."""
    for sign in signs_of_life(retired_remains):
        expect.that(sign.gone, observed=sign.observed, expected=sign.expected)
