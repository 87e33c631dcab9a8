"""Reachability and function: the system answers, answers as itself, and answers in time."""

from opsverify import runbook
from opsverify.config.bands import Verdict
from opsverify.errors import ProbeError, Unanswered
from opsverify.judgements.addresses import judge_addresses
from opsverify.judgements.signs_of_life import signs_of_life
from opsverify.judgements.traffic import seen_slots
from opsverify.probes.host.service import stopped


@runbook("api-health")
def test_api_health(health_attempt, settings, expect):
    """The health endpoint answers 200, and it is the API itself that says it is well."""
    healthy = "200 with the API's own JSON: success, status ok"
    if not expect.that(not health_attempt.failure, observed=health_attempt.failure or "an answer", expected=healthy):
        return
    health = health_attempt.fact
    judge_addresses(health.others.failures, health.others.left_out, "the API, well,", expect)
    if health.rate_limited:
        expect.that(False, observed=f"{health.status}, rate-limited", expected=healthy, otherwise=Verdict.WARNING)
        return
    if not health.is_api_json:
        expect.that(False, observed=stranger(health), expected=healthy)
        return
    most = settings["max_age_seconds"]
    if aged(health, most):
        expect.that(False, observed=aged(health, most), expected=f"an answer of now, at most {most:g} s old")
    observed = f"{health.status}, success {str(health.success).lower()}, status {health.state}"
    if health.error:
        observed += f", error {health.error}"
    expect.that(
        health.status == 200 and health.success is True and health.state == "ok", observed=observed, expected=healthy
    )


@runbook("api-health-database")
def test_api_health_database(api_health, items, expect):
    """The health endpoint vouches for the database; its silence is a warning, never a pass."""
    own_answer(api_health, items)
    silent = api_health.database is None
    expect.that(
        api_health.database == "ok",
        observed="silence about the database" if silent else f"database {api_health.database}",
        expected="database ok",
        otherwise=Verdict.WARNING if silent else Verdict.ALERT,
    )


@runbook("api-response-time")
def test_api_response_time(health_attempt, items, expect):
    """The health endpoint answers quickly: the median of a few samples is judged, the worst one shown."""
    if health_attempt.error:
        judge_wait(health_attempt.error, expect)
        return
    health = health_attempt.fact
    own_answer(health, items)
    expect(health.median_seconds * 1000, detail=f"median of {len(health.timings)}, worst {health.worst}")


def judge_wait(error, expect):
    """Judge how long was waited in vain; raise the error where that leaves open whether it was too long."""
    waited = error.waited_seconds if isinstance(error, Unanswered) else None
    if waited is None or expect.item.band.judge(waited * 1000) is not Verdict.ALERT:
        raise error
    expect(waited * 1000, detail=f"and no answer by then: {error}")


def own_answer(health, items):
    """Let nothing be concluded from the answer of something else at the API's address, or from one of long ago."""
    if not health.is_api_json:
        raise ProbeError(f"{health.status}{', rate-limited' if health.rate_limited else ''}, not the API's own answer")
    old = aged(health, items["api-health"].settings["max_age_seconds"])
    if old:
        raise ProbeError(f"{old}: it says nothing about now")


def aged(health, most):
    """That an answer is older than `most` seconds, in words; empty where it is of now."""
    age = health.age_seconds
    if age is None or age <= most:
        return ""
    return f"{health.status}, an answer of {f'{age:.0f} s' if age < 7200 else f'{age / 3600:,.1f} h'} ago"


def stranger(health):
    """What answered in the API's place: for a page of a login, where the redirect leads tells more than its text."""
    if health.redirected:
        return f"{health.redirected}, which answers {health.status} {health.content_type or 'without content type'}"
    return f"{health.status}, not the API's own JSON: {health.excerpt}"


@runbook("api-smoke")
def test_api_smoke(data_attempt, items, expect):
    """A data endpoint answers with data in the documented shape: the way from API through ORM to database works."""
    if data_attempt.error:
        # With a cause, nothing at all answers: that is one finding, api-health's.
        if data_attempt.error.cause or not isinstance(data_attempt.error, Unanswered):
            raise data_attempt.error
        expect.that(False, observed=data_attempt.failure, expected="an answer")
        return
    data_answer = data_attempt.fact
    if data_answer.rate_limited:
        expect.that(False, observed="rate-limited", expected="an answer", otherwise=Verdict.WARNING)
        return
    let_in(data_answer)
    of_now(data_answer, items)
    problems = "; ".join(data_answer.problems) or f"{data_answer.rows} of {data_answer.total} rows"
    expect.that(
        data_answer.shape_ok,
        observed=f"{data_answer.status}, {problems}",
        expected='200 with {"success": true, "data": […], "meta": {total, page, limit, totalPages}}',
    )


def let_in(answer):
    """Raise ProbeError where the API turned us away: whether data can be had is then not known."""
    if answer.status in (401, 403):
        why = "it refuses our token" if answer.authenticated else "it needs a login, and none is configured"
        raise ProbeError(f"whether the API gives out data could not be determined: {why} ({answer.status})")


def of_now(data, items):
    """Raise ProbeError where a cache answered: that says nothing about the API and its database now."""
    age = data.cached_seconds
    if age and age > items["api-health"].settings["max_age_seconds"]:
        raise ProbeError(f"whether the API gives out data could not be determined: a cache answered, {age:,.0f} s old")


@runbook("public-api")
def test_public_api(public_answers, items, expect):
    """Behind the public address it is the API itself that answers, its health and its data: no page of the proxy's."""
    health = public_answers["health"]
    old = "" if health.failure else aged(health.fact, items["api-health"].settings["max_age_seconds"])
    limited = not health.failure and health.fact.rate_limited
    if health.failure or limited:
        well, seen = False, health.failure or f"{health.fact.status}, rate-limited"
    elif not health.fact.is_api_json:
        well, seen = False, stranger(health.fact)
    else:
        well = health.fact.status == 200 and health.fact.state == "ok" and not old
        seen = old or f"{health.fact.status}, status {health.fact.state}"
    expect.that(
        well,
        observed=f"health: {seen}",
        expected="200 with the API's own JSON, status ok, of now",
        otherwise=Verdict.WARNING if limited else Verdict.ALERT,
    )
    if not health.failure:
        judge_addresses(health.fact.others.failures, health.fact.others.left_out, "the API, well,", expect)
    if "data" not in public_answers:
        return
    data = public_answers["data"]
    if data.failure:
        expect.that(False, observed=f"data: {data.failure}", expected="an answer")
        return
    if data.fact.rate_limited:
        expect.that(False, observed="data: rate-limited", expected="an answer", otherwise=Verdict.WARNING)
        return
    let_in(data.fact)
    of_now(data.fact, items)
    problems = "; ".join(data.fact.problems) or f"{data.fact.rows} of {data.fact.total} rows"
    expect.that(data.fact.shape_ok, observed=f"data: {problems}", expected="data in the documented shape")


@runbook("frontend-reachable")
def test_frontend_reachable(page_attempt, target, expect):
    """Users get the page, and the scripts and styles that it names load too."""
    whole = "200 with the page, and all its scripts and styles"
    if not expect.that(not page_attempt.failure, observed=page_attempt.failure or "an answer", expected=whole):
        return
    page = page_attempt.fact
    judge_addresses(page.others.failures, page.others.left_out, "the page", expect)
    if page.rate_limited and page.status != 200:
        expect.that(False, observed=f"{page.status}, rate-limited", expected=whole, otherwise=Verdict.WARNING)
        return
    is_page = page.status == 200 and "html" in (page.content_type or "")
    observed = f"{page.status} {page.content_type or 'without content type'}, title {page.title!r}"
    if not expect.that(is_page, observed=observed, expected=whole):
        return
    expect.that(page.error is None, observed=page.error or "no error page", expected=whole)
    expect.that(
        page.elsewhere is None,
        observed=f"a page of another site, {page.elsewhere}" if page.elsewhere else "the site's own page",
        expected="the site's own page",
    )
    expect.that(page.contains_ok is not False, observed="the page", expected=f"it holds {target.contains!r}")
    limited = [asset for asset in page.assets if asset.problem == "rate-limited"]
    broken = [asset for asset in page.assets if not asset.ok and asset not in limited]
    left_out = f", {page.assets_left_out} more not looked at" if page.assets_left_out else ""
    scripts = sum(asset.expects in ("script", "module") for asset in page.assets)
    expect.that(scripts > 0, observed=f"a page that names {scripts} scripts of the application", expected=whole)
    broken_assets = "; ".join(f"{a.url_path}: {a.problem or a.status}" for a in broken[:5])
    expect.that(
        not broken,
        observed=f"{len(broken)} of {len(page.assets)} scripts and styles do not load: {broken_assets}"
        if broken
        else f"{len(page.assets) - len(limited)} scripts and styles load{left_out}",
        expected=whole,
    )
    if limited:
        broken_assets = f"{len(limited)} of {len(page.assets)} scripts and styles rate-limited{left_out}"
        expect.that(False, observed=broken_assets, expected=whole, otherwise=Verdict.WARNING)


@runbook("name-resolves")
def test_name_resolves(resolved_name, target, expect):
    """The public name leads to the system's own addresses, and to no other."""
    meant = sorted(map(str, target.addresses))
    expect.that(
        bool(resolved_name.addresses) and (not meant or sorted(resolved_name.addresses) == meant),
        observed=f"{resolved_name.name} is {', '.join(resolved_name.addresses) or 'unknown'}",
        expected=", ".join(meant) or "any address",
    )


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
    elif service.container is not None:
        expect.that(service.running, observed=service.container.in_words, expected="running")
        expect.that(
            service.container.comes_back,
            observed=f"restart policy {service.container.restart_policy or 'no'}",
            expected="a restart policy that starts it at boot, always or unless-stopped",
            otherwise=Verdict.WARNING,  # something else may start it: a unit, an orchestrator
        )
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
def test_cats_response_time(cats_attempt, items, expect):
    """The list of cats answers quickly: the query where a token lets us in, else only the guard before it."""
    if cats_attempt.error:
        judge_wait(cats_attempt.error, expect)
        return
    cats_answer = cats_attempt.fact
    if cats_answer.rate_limited:
        expect.that(False, observed="rate-limited", expected="an answer", otherwise=Verdict.WARNING)
        return
    of_now(cats_answer, items)
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
        raise ProbeError("the API's clock could not be determined: its answer has no Date of now")
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
    observed = f"{offset:+.2f} s, give or take {uncertainty:.2f} s"
    if uncertainty > expect.item.band.below:
        raise ProbeError(f"the clock could not be determined: {observed}")
    expect(max(0.0, abs(offset) - uncertainty), detail=observed)


@runbook("time-synchronised")
def test_time_synchronised(time_service, expect):
    """A time service runs, and by its own word or the kernel's the clock is synchronised."""
    names = ", ".join(time_service.services)
    if expect.that(bool(names), observed=names or "no time service runs", expected="a time service that runs"):
        state = "synchronised" if time_service.synchronised else "not synchronised"
        expect.that(
            time_service.synchronised,
            observed=f"{names}, {state} by the word of {time_service.word_of}",
            expected="a synchronised clock",
        )


@runbook("container-health")
def test_container_health(container_state, settings, expect):
    """The container's own health check agrees, and it was neither restarted nor killed for memory lately."""
    state = container_state
    if not state.running and not state.killed_for_memory:
        raise stopped(f"container {state.name}")  # which is service-active's to tell
    starting = state.running and state.health == "starting" and not state.killed_for_memory
    expect.that(
        state.running and state.health in ("healthy", "") and not state.killed_for_memory,
        observed=state.in_words,
        expected="running, and healthy where it has a health check",
        otherwise=Verdict.WARNING if starting else Verdict.ALERT,
    )
    if state.restarts and state.started_at is not None:
        hours, recent = (state.observed_at - state.started_at).total_seconds() / 3600, settings["recent_hours"]
        expect.that(
            hours >= recent,
            observed=f"restarted {state.restarts:,} ×, the last {hours:.1f} h ago",
            expected=f"no restart in the last {recent:g} h",
            otherwise=Verdict.WARNING,
        )


@runbook("traffic-slot")
def test_traffic_slot(public_health, slots_health, environment, items, settings, expect):
    """Every answer at the public address comes from a process of the slot declared active."""
    expected = f"the API of slot {environment.active_slot}"
    if public_health.rate_limited:
        raise ProbeError(f"who answers could not be determined: {public_health.status}, rate-limited")
    if not public_health.is_api_json:
        expect.that(False, observed=stranger(public_health), expected=expected)
        return
    own_answer(public_health, items)
    slots = seen_slots((environment.apis[name].slot, attempt) for name, attempt in slots_health.items())
    several = [
        f"slot {slot} runs several processes, and not every one was seen"
        for slot in slots.of_several(settings["same_process_seconds"])
    ]
    unsure = []
    for boot in dict.fromkeys(public_health.boots):
        matching = slots.running_since(boot, public_health, settings["same_process_seconds"])
        when = (
            f"a process started at {boot:%Y-%m-%d %H:%M:%S.%f}"[:-3] + " UTC" if boot else "an answer without its age"
        )
        if boot is None or len(matching) > 1 or ((slots.silent or several) and not matching):
            fitting = [f"slot {slot} fits" for slot in matching]
            unsure.append("; ".join([when, *fitting, *slots.silent, *([] if matching else several)]))
        else:
            seen = f"slot {matching[0]}, {when}" if matching else f"no slot that is known, {when}"
            expect.that(matching == [environment.active_slot], observed=seen, expected=expected)
    if unsure:
        expect.unknown(ProbeError(f"which slot answers could not be determined: {unsure[0]}"))


@runbook("retired-slot-stopped")
def test_retired_slot_stopped(retired_signs, expect):
    """A retired slot runs no more: its service is stopped, its port closed."""
    for sign in signs_of_life(retired_signs):
        expect.that(sign.gone, observed=sign.observed, expected=sign.expected)
