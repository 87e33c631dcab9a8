"""What the HTTP probe makes of an API's answers."""

from __future__ import annotations

import contextlib
import errno
import json
import pickle
import socket
from datetime import UTC, datetime, timedelta
from email.utils import formatdate
from typing import Any

import pytest

from opsverify.config.environment import Api
from opsverify.errors import ProbeError
from opsverify.evidence.deadline import Deadline
from opsverify.probes.http import redirect as redirect_question
from opsverify.probes.http.cors import Cors
from opsverify.probes.http.data import Cats, Smoke
from opsverify.probes.http.headers import Headers
from opsverify.probes.http.health import Health
from opsverify.probes.http.probe import probe as http_probe
from opsverify.probes.http.redirect import Redirect
from opsverify.probes.http.transport import MOST_PAUSES
from tests.pace import AMPLE
from tests.probes.http.healthy import HEALTHY, ago, at, telling

PAGE_OF_DATA = {"success": True, "data": [{}, {}], "meta": {"total": 12, "page": 1, "limit": 2, "totalPages": 6}}


def ask(site: Any, question: Any, seconds: float = AMPLE, **more: Any) -> Any:
    given = {"samples": 1, **more}
    api = Api.model_validate({"name": "main", "url": site.url, **given})
    answer = http_probe(api, frozenset([question]), Deadline(seconds))[question]
    if isinstance(answer, ProbeError):
        raise answer
    return pickle.loads(pickle.dumps(answer))


def test_a_healthy_api_is_read_whole(site: Any) -> None:
    site.answer("/health", json.dumps(HEALTHY))
    health = ask(site, Health(), samples=3)
    assert (health.status, health.is_api_json, health.success) == (200, True, True)
    assert (health.state, health.database, health.version, health.environment) == ("ok", "ok", "1.0.0", "production")
    assert health.boot_time == datetime(2026, 5, 1, 8, 59, 59, 500000, tzinfo=UTC)
    assert len(health.timings) == 3
    assert all(timing.connect > 0 and timing.first_byte > 0 and timing.tls == 0 for timing in health.timings)
    assert all(timing.total >= timing.connect + timing.first_byte + timing.body for timing in health.timings)
    assert health.worst_seconds >= health.median_seconds > 0
    assert abs(health.clock.offset_seconds) <= health.clock.uncertainty_seconds + 0.2
    assert "first byte" in str(health.worst)


def test_a_database_that_is_down_is_told(site: Any) -> None:
    body = {"success": False, "data": {**HEALTHY["data"], "status": "error", "database": "error", "error": "no db"}}
    site.answer("/health", json.dumps(body), status=503)
    health = ask(site, Health(), samples=3)
    assert (health.status, health.success, health.state, health.database) == (503, False, "error", "error")
    assert health.error == "no db"
    assert len(health.timings) == 1, "an error is not sampled"
    assert not health.rate_limited


def test_silence_about_the_database_is_none(site: Any) -> None:
    data = {key: value for key, value in HEALTHY["data"].items() if key != "database"}
    site.answer("/health", json.dumps({"success": True, "data": data}))
    assert ask(site, Health()).database is None


def test_one_sick_process_among_healthy_ones_shows(site: Any) -> None:
    site.answer("/health", json.dumps(HEALTHY))
    well = site.routes["/health"]
    site.answer("/health", "{}", status=500)
    sick = site.routes["/health"]
    site.routes["/health"] = lambda request: (well if len(site.requests) < 2 else sick)(request)
    health = ask(site, Health(), samples=3)
    assert health.status == 500
    assert health.statuses == (200, 500)


def cluster(site: Any, processes: int, limited_after: int = 99) -> None:
    """Let that many processes take turns at the health path, each started a second after the one before."""

    def turn(request: Any) -> None:
        process = len(site.requests) % processes
        data = HEALTHY["data"] | {"uptime": 3600.5 - process}
        site.answer("now", json.dumps(HEALTHY | {"data": data}))
        if len(site.requests) > limited_after:
            site.answer("now", "", status=429)
        site.routes["now"](request)

    site.routes["/health"] = turn


@pytest.mark.parametrize(
    ("processes", "slot", "asked"), [(1, "blue", 3), (4, "blue", 16), (12, "blue", 24), (4, None, 3)]
)
def test_every_process_of_a_slot_is_looked_for(site: Any, processes: int, slot: str | None, asked: int) -> None:
    cluster(site, processes)
    health = ask(site, Health(), samples=3, slot=slot)
    assert len(site.requests) == asked
    assert len(set(health.boots)) == (processes if slot else 3)
    assert (len(health.timings), health.statuses) == (3, (200, 200, 200))


def test_looking_for_processes_ends_when_the_api_has_had_enough(site: Any) -> None:
    cluster(site, processes=4, limited_after=5)
    health = ask(site, Health(), samples=3, slot="blue")
    assert (len(site.requests), len(health.boots)) == (6, 5)
    assert (health.status, health.rate_limited) == (200, False)


@pytest.mark.parametrize(
    ("changes", "result"),
    [
        ({"status": "degraded"}, ("degraded", "ok")),
        ({"database": "error"}, ("ok", "error")),
        ({"database": None}, ("ok", None)),
    ],
)
def test_sample_that_is_ill_by_its_body_shows_too(site: Any, changes: dict[str, Any], result: tuple[Any, Any]) -> None:
    ill = HEALTHY | {"data": HEALTHY["data"] | changes}
    site.answer("/health", json.dumps(HEALTHY))
    well = site.routes["/health"]
    site.answer("/health", json.dumps(ill))
    sick = site.routes["/health"]
    site.routes["/health"] = lambda request: (sick if len(site.requests) == 2 else well)(request)
    health = ask(site, Health(), samples=3)
    assert health.statuses == (200, 200, 200)
    assert (health.state, health.database) == result


@pytest.mark.parametrize(
    "body",
    [
        "healthy\n",
        "",
        '{"status":"ok"}',
        "[1]",
        '{"success":true,"data":null}',
        '{"success":"yes","data":{"status":"ok","service":"x"}}',
        "[" * 100_000,
        '{"success":true,"data":' + '{"a":' * 5000 + "1" + "}" * 5001,
        '{"uptime": NaN}',
        "9" * 10_000,
    ],
    ids=["text", "empty", "static", "list", "null", "wrong-type", "deep", "deep-closed", "nan", "huge-number"],
)
def test_what_is_not_the_api_s_own_json_is_not_its_health(site: Any, body: str) -> None:
    site.answer("/health", body)
    health = ask(site, Health())
    assert health.status == 200
    assert not health.is_api_json
    assert health.database is None


def test_invalid_utf8_and_lone_surrogates_do_no_harm(site: Any) -> None:
    site.answer("/health", b'{"success":true,"data":{"status":"ok","service":"\xff\xfe"}}')
    health = ask(site, Health())
    assert not health.is_api_json
    site.answer("/health", r'{"success":true,"data":{"status":"ok","service":"\ud800x‮"}}')
    health = ask(site, Health())
    assert health.is_api_json
    health.service.encode()
    health.excerpt.encode()


def test_a_strange_uptime_is_no_figure(site: Any) -> None:
    for value in (True, "12", 1e400, 10**400, None):
        site.answer("/health", json.dumps({"success": True, "data": {**HEALTHY["data"], "uptime": value}}))
        health = ask(site, Health())
        assert health.uptime_seconds is None
        assert health.boot_time is None
    site.answer("/health", json.dumps({"success": True, "data": {**HEALTHY["data"], "uptime": 1e300}}))
    assert ask(site, Health()).boot_time is None


def test_the_documented_shape_is_recognised(site: Any) -> None:
    site.answer("/api/v1/pedigrees", json.dumps(PAGE_OF_DATA))
    answer = ask(site, Smoke(), token="t0ken-that-may-be-needed")
    assert (answer.shape_ok, answer.problems, answer.rows, answer.total) == (True, (), 2, 12)
    assert answer.authenticated
    assert site.requests[0][2]["Authorization"] == "Bearer t0ken-that-may-be-needed"
    assert answer.timing.total > 0
    assert not ask(site, Smoke()).authenticated
    assert "Authorization" not in site.requests[1][2]


def test_every_difference_from_the_shape_is_named(site: Any) -> None:
    site.answer("/api/v1/pedigrees", '{"success":false,"data":{},"meta":{"total":true,"page":1,"limit":"20"}}')
    assert ask(site, Smoke()).problems == (
        "success is false instead of true",
        "data is an object instead of a list",
        "meta.total is true instead of a count",
        'meta.limit is "20" instead of a count',
        "meta.totalPages is missing instead of a count",
    )


def test_the_api_s_own_error_code_is_told(site: Any) -> None:
    site.answer("/api/v1/pedigrees", '{"success":false,"error":{"code":"INTERNAL_SERVER_ERROR"}}', status=500)
    answer = ask(site, Smoke())
    assert answer.error_code == "INTERNAL_SERVER_ERROR"
    assert not answer.shape_ok
    assert answer.problems[0] == "status 500 instead of 200"


def test_the_token_goes_to_the_cats_only(site: Any) -> None:
    site.answer("/api/v1/cats", json.dumps(PAGE_OF_DATA))
    cats = ask(site, Cats(), token="t0ken", samples=2, headers={"X-Extra": "extra-secret"})
    assert cats.authenticated
    assert len(cats.timings) == 2
    assert site.requests[0][2]["Authorization"] == "Bearer t0ken"
    assert site.requests[0][2]["X-Extra"] == "extra-secret"
    assert not ask(site, Cats()).authenticated


def test_an_echoed_secret_is_not_reported(site: Any) -> None:
    site.answer("/api/v1/cats", "no: t0ken-t0ken, postgresql://cats:hunter2@db/mycats", status=401)
    excerpt = ask(site, Cats(), token="t0ken-t0ken").excerpt
    assert "t0ken" not in excerpt
    assert "hunter2" not in excerpt
    assert "401" not in excerpt


def test_a_429_is_rate_limited_and_not_repeated_when_the_pause_is_long(site: Any) -> None:
    site.answer("/health", "{}", status=429, Retry_After="37")
    health = ask(site, Health(), samples=3)
    assert (health.rate_limited, health.retry_after, len(site.requests)) == (True, 37.0, 1)


def test_a_429_with_a_short_pause_is_repeated_twice(site: Any) -> None:
    site.answer("/health", "{}", status=429, Retry_After="0")
    assert ask(site, Health()).rate_limited
    assert len(site.requests) == 3


BARE = "<html><head><title>503 Service Temporarily Unavailable</title></head><body>nginx</body></html>"


def test_a_503_that_persists_is_no_limit(site: Any) -> None:
    site.answer("/health", BARE, status=503, Content_Type="text/html")
    health = ask(site, Health(), samples=3)
    assert (health.status, health.rate_limited, len(site.requests)) == (503, False, 3)
    site.requests.clear()
    site.answer("/health", BARE, status=503, Content_Type="text/html", Retry_After="3600")
    health = ask(site, Health())
    assert (health.rate_limited, health.retry_after, len(site.requests)) == (False, 3600, 1)


def test_a_503_that_passes_leaves_no_trace(site: Any) -> None:
    site.answer("/health", json.dumps(HEALTHY))
    well = site.routes["/health"]
    site.answer("/health", BARE, status=503, Content_Type="text/html")
    limited = site.routes["/health"]
    site.routes["/health"] = lambda request: (limited if len(site.requests) < 2 else well)(request)
    assert ask(site, Health()).status == 200


def test_what_keeps_refusing_is_not_waited_for_at_every_question(site: Any) -> None:
    site.answer("*", BARE, status=503, Content_Type="text/html")
    api = Api.model_validate({"name": "main", "url": site.url})
    origins = tuple(f"https://{n}.example.com" for n in range(20))
    answers = http_probe(api, frozenset([Health(), Smoke(), Cats(), Cors(origins)]), Deadline(AMPLE))
    assert answers[Health()].status == 503
    assert len(site.requests) == 3 + 2 * len(origins) + 2 + MOST_PAUSES


@pytest.mark.parametrize(
    ("headers", "limited"),
    [
        ({"X-RateLimit-Remaining": "0"}, True),
        ({"x-ratelimit-remaining-short": "0"}, True),
        ({"RateLimit-Remaining": "00"}, True),
        ({"RateLimit": '"default";r=0;t=30'}, True),
        ({"RateLimit": "limit=100, remaining=0, reset=50"}, True),
        ({"X-RateLimit-Remaining": "57", "X-RateLimit-Limit": "100"}, False),
        ({"RateLimit": '"default";r=10;t=30'}, False),
        ({"RateLimit": "limit=0, remaining=5"}, False),
        ({"X-RateLimit-Reset": "0"}, False),
        ({"X-RateLimit-Remaining": "none"}, False),
    ],
)
def test_a_503_is_rate_limited_only_by_its_own_word(site: Any, headers: dict[str, str], limited: bool) -> None:
    """NestJS tells the rest of its limit on every answer, good or bad."""
    site.answer("/health", "{}", status=503, **headers)
    assert ask(site, Health()).rate_limited is limited
    site.answer("/health", json.dumps(HEALTHY), **headers)
    assert not ask(site, Health()).rate_limited


@pytest.mark.parametrize("value", ["", "soon", "-1", "Wed, 99 Foo 2026 99:99:99 GMT", "1e3", "9" * 40])
def test_a_strange_retry_after_is_none(site: Any, value: str) -> None:
    site.answer("/health", "{}", status=429, Retry_After=value)
    assert ask(site, Health()).retry_after is None


@pytest.mark.parametrize(
    ("route", "hours"),
    [
        (lambda: telling(ago(0)), 0),
        (lambda: telling(ago(0), Age="86400"), 24),  # a cache that says so
        (lambda: telling(at(18)), 18),  # one that does not
        (lambda: telling(ago(18, 3, 2)), 18),  # several, of which each keeps another answer
        (lambda: telling(ago(1)), 0),  # an hour slow, and running: a clock
    ],
    ids=["now", "age", "kept", "several", "clock"],
)
def test_how_old_an_answer_is(site: Any, route: Any, hours: float) -> None:
    site.routes["/health"] = route()
    assert ask(site, Health(), samples=3).age_seconds == pytest.approx(hours * 3600, abs=AMPLE)


def test_one_old_answer_is_old_whatever_its_clock(site: Any) -> None:
    site.routes["/health"] = telling(ago(1))
    assert ask(site, Health(), samples=1).age_seconds == pytest.approx(3600, abs=AMPLE)
    slow = formatdate((datetime.now(UTC) - timedelta(hours=1)).timestamp(), usegmt=True)
    site.routes["/health"] = telling(ago(1), Date=slow)  # its host's clock
    assert ask(site, Health(), samples=1).age_seconds < AMPLE


def test_the_date_of_an_old_answer_is_no_clock(site: Any) -> None:
    site.routes["/health"] = telling(ago(0), Age="40")
    health = ask(site, Health())
    assert (health.clock, health.server_date) == (None, None)


@pytest.mark.parametrize("age", ["", "soon", "-1", "1.5", "9" * 40])
def test_a_strange_age_is_none(site: Any, age: str) -> None:
    site.answer("/api/v1/cats", json.dumps(PAGE_OF_DATA), Age=age)
    assert ask(site, Cats()).cached_seconds is None


def test_caches_are_asked_for_an_answer_of_now(site: Any) -> None:
    site.answer("*", json.dumps(PAGE_OF_DATA), Age="120")
    assert ask(site, Cats()).cached_seconds == 120
    assert ask(site, Smoke()).cached_seconds == 120
    sent = [(headers["Cache-Control"], headers["Pragma"]) for _, _, headers in site.requests]
    assert set(sent) == {("no-cache", "no-cache")}


def test_where_a_path_leads_is_told_without_its_query(site: Any) -> None:
    site.answer("/health", "", status=302, Location="/login?next=/health&token=s3cret")
    site.answer("/api/v1/pedigrees", "", status=307, Location=site.url.replace("127.0.0.1", "localhost") + "/login")
    site.answer("/login", "<title>Sign in</title>", Content_Type="text/html")
    health = ask(site, Health())
    assert (health.redirected, health.status, health.content_type) == ("302 to /login", 200, "text/html")
    assert ask(site, Smoke()).problems == (
        f"307 to http://localhost:{site.port}/login",
        "the body is no JSON object",
    )
    site.answer("/health", json.dumps(HEALTHY))
    assert ask(site, Health()).redirected is None


def test_cors_tells_what_each_origin_gets(site: Any) -> None:
    def handle(request: Any) -> None:
        origin = request.headers["Origin"]
        request.send_response(204 if request.command == "OPTIONS" else 200)
        if origin == "https://cats.example.com":
            request.send_header("Access-Control-Allow-Origin", origin)
            request.send_header("Access-Control-Allow-Credentials", "true")
        request.send_header("Content-Length", "0")
        request.end_headers()

    site.routes["/api/v1/health"] = handle
    cors = ask(site, Cors(("https://cats.example.com",)))
    allowed, foreign = cors.origins
    assert (allowed.expected, allowed.granted, allowed.preflight.allow_credentials) == (True, True, "true")
    assert (foreign.origin, foreign.expected, foreign.granted) == ("https://foreign.invalid", False, False)
    assert not allowed.wildcard_with_credentials
    assert allowed.preflight.status == 204


def test_cors_wildcard_with_credentials_is_told(site: Any) -> None:
    site.answer("*", "", Access_Control_Allow_Origin="*", Access_Control_Allow_Credentials="true")
    (foreign,) = ask(site, Cors()).origins
    assert foreign.granted
    assert foreign.wildcard_with_credentials


def test_security_headers_and_the_way_to_https(site: Any) -> None:
    site.answer("/health", "{}", X_Frame_Options="DENY", X_Content_Type_Options="nosniff", X_Powered_By="Express")
    headers = ask(site, Headers())
    assert (headers.frame_options, headers.content_type_options, headers.powered_by) == ("DENY", "nosniff", "Express")
    assert headers.strict_transport_security is None
    assert not headers.over_tls
    site.answer("/x", "", status=301, Location="https://127.0.0.1/x?token=1")
    redirect = ask(site, Redirect(site.url + "/x"))
    assert (redirect.to_https, redirect.permanent, redirect.location) == (True, True, "https://127.0.0.1/x")
    site.answer("/x", "", status=302, Location="https://elsewhere.example/x")
    redirect = ask(site, Redirect(site.url + "/x"))
    assert (redirect.to_https, redirect.permanent) == (False, False)


def test_a_port_whose_packets_are_dropped_serves_nothing(site: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redirect_question, "CONNECT_SECONDS", 0.3)
    site.answer("/", "<title>Cats</title>", Content_Type="text/html")
    with socket.create_server(("", 0), backlog=0) as full, contextlib.ExitStack() as waiting:
        port = full.getsockname()[1]
        for _ in range(4):  # Linux drops who comes when the queue is full
            one = waiting.enter_context(socket.socket())
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", port))
        redirect = ask(site, Redirect(f"http://127.0.0.1:{port}/?q"))
        with pytest.raises(ProbeError, match="no answer within 0.3 s"):  # https is not asked of that host
            ask(site, Redirect(f"http://127.0.0.2:{port}/"))
    assert (redirect.refused, redirect.dropped, redirect.status) == (False, True, None)
    assert "?" not in redirect.http_url


@pytest.mark.parametrize("code", [errno.EHOSTUNREACH, errno.ENETUNREACH])
def test_a_firewall_that_rejects_serves_nothing_either(site: Any, code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its answer to a connection is an ICMP message, and of two addresses the last one, IPv6, often has no route."""

    def reject(*unused: Any) -> Any:
        raise OSError(code, "rejected")

    monkeypatch.setattr(redirect_question, "connect", reject)
    assert ask(site, Redirect(f"{site.url}/")).dropped


def test_plain_http_gets_no_secret(site: Any) -> None:
    site.answer("/", "", status=301, Location="https://localhost/")
    redirect = ask(site, Redirect(site.url.replace("127.0.0.1", "localhost")), headers={"X-Key": "secret"})
    assert redirect.to_https
    assert [headers.get("X-Key") for _, _, headers in site.requests] == [None]


def test_a_name_that_does_not_resolve_is_no_closed_port(site: Any) -> None:
    with pytest.raises(ProbeError, match="its name could not be resolved"):
        ask(site, Redirect("http://nowhere.invalid/"))


def test_a_closed_http_port_is_a_fact(site: Any, closed_port: int) -> None:
    redirect = ask(site, Redirect(f"http://127.0.0.1:{closed_port}/"))
    assert redirect.refused
    assert redirect.status is None
