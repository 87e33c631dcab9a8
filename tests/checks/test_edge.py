"""The public edge: security headers, open ports, the list of cats, and clocks."""

from __future__ import annotations

import json
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from time import time
from types import SimpleNamespace

import pytest

from opsverify.errors import ProbeError
from opsverify.probes.http.other_addresses import OtherAddresses

HEADERS = "test_security_headers[public]"
PORTS = "test_exposed_ports[here]"
CATS = "test_cats_response_time[blue]"
SMOKE = "test_api_smoke[blue]"
PUBLIC = "test_public_api[public]"


def test_missing_headers_and_no_redirect(whole, verify):
    whole.proxy.restart(security_headers=False, redirect_http=False)
    try:
        seen = verify("-k", "security_headers")[HEADERS]
    finally:
        whole.proxy.restart(security_headers=True, redirect_http=True)
    assert seen.verdict == "alert"
    for message in (
        "Strict-Transport-Security missing",
        "X-Content-Type-Options missing",
        "X-Frame-Options missing",
        f"{whole.proxy.http_url}: 200 to nowhere",
    ):
        assert message in seen.sentence


def test_hsts_that_ends_too_soon(verify, changed):
    longer = changed({"checks": {"security-headers": {"settings": {"hsts_seconds": 63072000}}}})
    seen = verify("-k", "security_headers", environment=longer)[HEADERS]
    assert seen.verdict == "alert"
    assert "max-age=31536000; includeSubDomains, expected max-age of 63072000 s or more" in seen.sentence


def test_plain_http_that_is_closed_leaks_nothing(verify, changed, free_port):
    closed = changed({"proxies": {"public": {"http_url": f"http://localhost:{free_port}"}}})
    seen = verify("-k", "security_headers", environment=closed)[HEADERS]
    assert seen.verdict == "normal"
    assert "nothing listens" in seen.observed


def test_port_that_is_open_to_everybody(whole, verify):
    whole.backends["green"].restart(HOST="0.0.0.0")
    try:
        seen = verify("-k", "exposed_ports")[PORTS]
    finally:
        whole.backends["green"].restart()
    # An alert on a machine with a public address; the idle slot is looked at too.
    assert seen.verdict in ("warning", "alert")
    assert f"port {whole.backends['green'].port} on 0.0.0.0" in seen.sentence


def test_list_of_cats_without_a_token_is_only_the_guard(verify, changed):
    guarded = changed({"apis": {"blue": {"login": None}}})
    seen = verify("-k", "cats_response", environment=guarded)[CATS]
    assert seen.verdict == "warning"
    assert "401: the guard was timed, not the query" in seen.sentence


def test_token_that_is_refused_times_nothing(verify, changed, monkeypatch):
    monkeypatch.setenv("REFUSED", "no-such-token")
    refused = changed({"apis": {"blue": {"login": None, "token": "${REFUSED}"}}})
    seen = verify("-k", "cats_response", environment=refused)[CATS]
    assert seen.verdict == "undetermined"
    assert "refuses our token (401)" in seen.sentence
    assert "no-such-token" not in seen.sentence


def test_data_that_needs_a_login_is_not_known_without_one(verify, changed):
    seen = verify("-k", "api_smoke", environment=changed({"apis": {"blue": {"login": None}}}))[SMOKE]
    assert seen.verdict == "undetermined"
    assert "it needs a login, and none is configured (401)" in seen.sentence


def test_a_refused_login_is_one_cause_and_tried_once(whole, verify, changed, monkeypatch):
    monkeypatch.setenv("WRONG", "not-the-pl4nted-password")
    wrong = changed({"apis": {"blue": {"login": {"username": "staff1@mycats.example", "password": "${WRONG}"}}}})
    before = whole.layout.app_log.read_text().count('"path":"/api/v1/auth/login","statusCode":401')
    ran = verify("-k", "api_smoke or cats_response or public_api", environment=wrong)
    assert {one.verdict for one in (ran[SMOKE], ran[CATS], ran[PUBLIC])} == {"undetermined"}
    assert "the login as staff1@mycats.example is refused: 401" in ran.output
    assert "3 checks" in ran.output  # one entry
    assert "pl4nted" not in ran.output
    assert whole.layout.app_log.read_text().count('"path":"/api/v1/auth/login","statusCode":401') == before + 1


def test_a_run_does_not_see_itself(whole, verify):
    """What a run meets on its way, a refused origin for one, stands in no log as somebody's trouble."""
    backend = whole.backends["blue"]
    backend.restart(CORS_ERROR="1")
    try:
        for _ in range(3):
            ran = verify("-k", "cors_behaviour or application_log_errors or access_log or abnormal")
            verdicts = {name: seen.verdict for name, seen in ran.found.items()}
            assert verdicts.pop("test_cors_behaviour[blue]") == "warning"
            assert set(verdicts.values()) == {"normal"}, verdicts
    finally:
        backend.restart()
    assert "errors of the checks' own requests left out" in ran["test_application_log_errors[application]"].observed


def test_the_tenth_run_is_as_green_as_the_first(whole, verify):
    backend = whole.backends["blue"]
    backend.restart(CORS_ERROR="1")
    try:
        first = verdicts(verify("-m", "smoke or daily"))
        for _ in range(8):
            # What leaves something behind: requests.
            verify("-k", "api or cors or frontend or public or cats or headers")
        # What runs leave behind stays; a figure of a machine that is busy now passes.
        later = (verify("-m", "smoke or daily") for _ in range(5))
        assert any(verdicts(tenth := ran) == first for ran in later), tenth.output
    finally:
        backend.restart()
    assert first["test_cors_behaviour[blue]"] == "warning"


def verdicts(ran) -> dict[str, str]:
    return {name: seen.verdict for name, seen in ran.found.items()}


def test_list_of_cats_that_waits_for_a_lock(whole, verify, changed):
    with whole.postgres.connect() as connection, connection.transaction():
        connection.execute("LOCK TABLE cats IN ACCESS EXCLUSIVE MODE")
        seen = verify("-k", "cats_response")[CATS]
    assert seen.verdict == "alert"
    assert "status 500 instead of 200" in seen.sentence
    assert "3," in seen.sentence or "4," in seen.sentence  # milliseconds: the query was waited for
    slow = changed({"checks": {"cats-response-time": {"band": {"below": 0.001, "alert_above": 0.002}}}})
    assert verify("-k", "cats_response", environment=slow)[CATS].verdict == "alert"


@pytest.mark.parametrize(("seconds", "verdict"), [(10, "warning"), (-90, "alert")])
def test_api_clock_that_is_wrong(verify, changed, serve_health, seconds, verdict):
    late = changed({"apis": {"blue": {"url": serve_health(Date=formatdate(time() + seconds, usegmt=True))}}})
    seen = verify("-k", "api_clock", environment=late)["test_api_clock[blue]"]
    assert seen.verdict == verdict
    assert "give or take 0.5" in seen.sentence


def test_api_that_tells_no_time(verify, changed, serve_health):
    silent = changed({"apis": {"blue": {"url": serve_health()}}})
    seen = verify("-k", "api_clock", environment=silent)["test_api_clock[blue]"]
    assert seen.verdict == "undetermined"
    assert "its answer has no Date" in seen.sentence


@pytest.mark.parametrize(("seconds", "verdict"), [(8, "warning"), (75, "alert")])
def test_host_clock_that_is_wrong(verify, tmp_path, monkeypatch, seconds, verdict):
    fake = tmp_path / "date"
    fake.write_text(f"#!/bin/sh\nexec /bin/date -d '+{seconds} seconds' \"$@\"\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    seen = verify("-k", "host_clock")["test_host_clock[here]"]
    assert seen.verdict == verdict
    assert f"(+{seconds}." in seen.sentence or f"(+{seconds - 1}.9" in seen.sentence


@pytest.fixture
def free_port():
    import socket

    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


@pytest.fixture
def serve_health():
    """Start an API whose health answer has just these headers; gives back its address."""
    servers = []

    def start(**headers: str) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                data = {"status": "ok", "service": "Cat Management System API"}
                body = json.dumps({"success": True, "data": data}).encode()
                self.send_response_only(200)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *unused: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_address[1]}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def headers(judged, door="refused", **more):
    names = {
        "status": 200, "over_tls": True, "rate_limited": False, "strict_transport_security": "max-age=31536000",
        "content_type_options": "nosniff", "frame_options": "DENY", "content_security_policy": None,
    } | more  # fmt: skip
    closed = SimpleNamespace(
        refused=door == "refused", dropped=door == "dropped", http_url="http://x", status=None, location=None,
        to_https=False, permanent=False,
    )  # fmt: skip
    return judged("security", "security-headers", page_headers=SimpleNamespace(**names), plain_http=closed)


@pytest.mark.parametrize(
    ("door", "verdict", "sentence"),
    [
        ("refused", "normal", "http://x: nothing listens"),
        ("dropped", "normal", "http://x: no connection, so no plain http"),
        ("open", "alert", "http://x: None to nowhere"),
    ],
)
def test_port_of_plain_http_that_lets_nobody_in_is_as_good_as_none(judged, door, verdict, sentence):
    result = headers(judged, door).findings[-1]
    assert (result.verdict, result.observed) == (verdict, sentence)


@pytest.mark.parametrize(
    ("policy", "options", "verdict"),
    [
        ("frame-ancestors *", "DENY", "alert"),
        ("frame-ancestors https:", None, "alert"),
        ("frame-ancestors 'none'", None, "normal"),
        ("default-src 'self'", None, "alert"),
        ("default-src 'self'", "SAMEORIGIN", "normal"),
    ],
)
def test_policy_for_frames_outdoes_the_older_header(judged, policy, options, verdict):
    assert headers(judged, content_security_policy=policy, frame_options=options).worst.verdict == verdict


def test_headers_of_an_error_page_prove_nothing(judged):
    with pytest.raises(ProbeError, match="it answered 500"):
        headers(judged, status=500)


def asset(name, problem=None):
    return SimpleNamespace(url_path=name, expects="script", ok=problem is None, problem=problem, status=200)


@pytest.mark.parametrize(
    ("assets", "verdict", "sentence"),
    [
        ([asset("/a.js", "rate-limited"), asset("/b.js", "an empty file")], "alert", "/b.js: an empty file"),
        (
            [asset("/a.js", "rate-limited"), asset("/b.js")],
            "warning",
            "1 of 2 scripts and styles rate-limited, 20 more",
        ),
        ([asset("/a.js"), asset("/b.js")], "normal", "2 scripts and styles load, 20 more not looked at"),
    ],
)
def test_broken_scripts_count_more_than_limited_ones(judged, assets, verdict, sentence):
    limited = any(one.problem == "rate-limited" for one in assets)
    page = SimpleNamespace(status=200, rate_limited=limited, content_type="text/html", title="Cats", error=None, contains_ok=None,
                           others=OtherAddresses(),
                           elsewhere=None, assets=tuple(assets), assets_left_out=20)  # fmt: skip
    seen = judged_page(judged, page)
    assert seen.verdict == verdict
    assert sentence in seen.observed


def judged_page(judged, page):
    attempt = SimpleNamespace(failure=None, fact=page)
    target = SimpleNamespace(contains=None)
    return judged("reachability", "frontend-reachable", page_attempt=attempt, target=target).worst


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"error": "an error page of Next.js: 404"}, "an error page of Next.js: 404"),
        ({"elsewhere": "https://status.example.net:443"}, "a page of another site, https://status.example.net:443"),
        ({"assets": (SimpleNamespace(url_path="/a.css", expects="style", ok=True, problem=None, status=200),)},
         "a page that names 0 scripts of the application"),
    ],
)  # fmt: skip
def test_page_that_is_not_the_applications(judged, changes, sentence):
    page = SimpleNamespace(status=200, rate_limited=False, content_type="text/html", title="Cats", error=None, contains_ok=None,
                           others=OtherAddresses(),
                           elsewhere=None, assets=(asset("/a.js"),), assets_left_out=0)  # fmt: skip
    assert judged_page(judged, page).verdict == "normal"
    seen = judged_page(judged, SimpleNamespace(**{**vars(page), **changes}))
    assert (seen.verdict, seen.observed) == ("alert", sentence)
