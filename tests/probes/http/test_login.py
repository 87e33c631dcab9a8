"""Logging in: once, with the token kept out of everything, and again only where the API no longer takes it."""

from __future__ import annotations

import itertools
import json
from typing import Any
from urllib.parse import parse_qs

import pytest

from opsverify.config.environment import Api
from opsverify.errors import ProbeError
from opsverify.evidence.deadline import Deadline
from opsverify.probes.http.data import Cats, DataAnswer, Smoke
from opsverify.probes.http.probe import probe
from opsverify.probes.mark import AGENT, REQUEST_ID
from tests.pace import AMPLE

PASSWORD = "pl4nted-password"
ROWS = json.dumps({"success": True, "data": [], "meta": {"total": 0, "page": 1, "limit": 20, "totalPages": 0}})
_runs = itertools.count()


def api(site: Any, **login: Any) -> Api:
    given = {"username": "verify@mycats.example", "password": PASSWORD, **login}
    # A run of its own for each test: what a login gave is kept for the whole of one.
    return Api.model_validate(
        {"name": "main", "environment": f"run-{next(_runs)}", "url": site.url, "samples": 2, "login": given}
    )


def ask(target: Api, *questions: Any) -> dict[Any, Any]:
    return probe(target, frozenset(questions), Deadline(AMPLE))


@pytest.fixture
def guarded(site: Any) -> Any:
    """A site whose data wants the newest of the tokens that its login has given: token-1, token-2 …"""
    issued: list[str] = []

    def log_in(request: Any) -> None:
        issued.append(f"token-{len(issued) + 1}")
        body = json.dumps({"success": True, "data": {"access_token": issued[-1]}}).encode()
        request.send_response(200)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    def data(request: Any) -> None:
        good = bool(issued) and request.headers.get("Authorization") == f"Bearer {issued[-1]}"
        body = ROWS.encode() if good else b'{"success":false}'
        request.send_response(200 if good else 401)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    site.issued = issued
    site.routes["/api/v1/auth/login"] = log_in
    site.routes["/api/v1/pedigrees"] = site.routes["/api/v1/cats"] = data
    return site


def logins(site: Any) -> list[dict[str, str]]:
    return [headers for method, _, headers in site.requests if method == "POST"]


def test_one_login_for_all_questions_of_a_run(guarded: Any) -> None:
    target = api(guarded)
    for _ in range(2):
        answers = ask(target, Smoke(), Cats())
        assert all(isinstance(answer, DataAnswer) and answer.shape_ok for answer in answers.values()), answers
    assert len(logins(guarded)) == 1
    assert json.loads(guarded.bodies[0]) == {"email": "verify@mycats.example", "password": PASSWORD}
    assert not any("Authorization" in headers for headers in logins(guarded))
    assert "token-1" not in repr(answers)


def test_a_token_that_is_no_longer_taken_is_renewed_once(guarded: Any) -> None:
    target = api(guarded)
    ask(target, Smoke())
    guarded.issued.append("of-somebody-else")  # as after 15 minutes
    assert ask(target, Smoke())[Smoke()].shape_ok
    assert len(logins(guarded)) == 2
    guarded.issued.append("again")
    guarded.answer("/api/v1/pedigrees", "{}", status=401)  # whatever the token
    answer = ask(target, Smoke())[Smoke()]
    assert (answer.status, answer.authenticated) == (401, True)
    assert len(logins(guarded)) == 3


@pytest.mark.parametrize("status", [400, 401, 403, 422, 429])
def test_a_refusal_is_one_cause_and_remembered(site: Any, status: int) -> None:
    site.answer("/api/v1/auth/login", json.dumps({"password": PASSWORD}), status=status, Retry_After="60")
    target = api(site)
    answers = [*ask(target, Smoke(), Cats()).values(), *ask(target, Smoke()).values()]
    assert all(isinstance(answer, ProbeError) for answer in answers)
    assert len({answer.cause for answer in answers}) == 1
    assert f"verify@mycats.example is {'rate-limited' if status == 429 else 'refused'}: {status}" in str(answers[0])
    assert PASSWORD not in str(answers)
    assert len(logins(site)) == 1, "an account may be locked after a few"


@pytest.mark.parametrize("status", [404, 500, 503])
def test_a_login_that_fails_is_the_apis_fault(site: Any, status: int) -> None:
    site.answer("/api/v1/auth/login", "{}", status=status)
    answer = ask(api(site), Smoke())[Smoke()]
    assert (answer.shape_ok, answer.status, answer.problems) == (False, status, (f"its login answers {status}",))


@pytest.mark.parametrize(
    "body", ["{}", "[]", "no JSON", '{"data": {"access_token": 7}}', '{"data": {"access_token": "two words"}}',
             '{"data": {"access_token": "line\\r\\nX-Injected: 1"}}'],
)  # fmt: skip
def test_an_answer_without_a_token_is_a_refusal(site: Any, body: str) -> None:
    site.answer("/api/v1/auth/login", body)
    answer = ask(api(site), Smoke())[Smoke()]
    assert isinstance(answer, ProbeError)
    assert "gave no token: there is none at data.access_token" in str(answer)


@pytest.mark.parametrize(
    ("login", "form"),
    [
        (
            {"grant": "client_credentials", "scope": "read"},
            {"grant_type": "client_credentials", "client_id": "verify@mycats.example", "client_secret": PASSWORD,
             "scope": "read"},
        ),
        (
            {"grant": "password", "client_id": "ops", "client_secret": "s3cret"},
            {"grant_type": "password", "username": "verify@mycats.example", "password": PASSWORD, "client_id": "ops",
             "client_secret": "s3cret"},
        ),
        (
            {"grant": "password"},
            {"grant_type": "password", "username": "verify@mycats.example", "password": PASSWORD},
        ),
    ],
)  # fmt: skip
def test_grants_of_oauth_2(site: Any, login: dict[str, str], form: dict[str, str]) -> None:
    site.answer("/oauth/token", json.dumps({"access_token": "granted", "token_type": "Bearer", "expires_in": 60}))
    site.answer("/api/v1/pedigrees", ROWS)
    assert ask(api(site, path=f"{site.url}/oauth/token", **login), Smoke())[Smoke()].shape_ok
    assert {key: value for key, (value,) in parse_qs(guarded_body(site)).items()} == form
    method, path, headers = next(request for request in site.requests if request[0] == "POST")
    assert (method, path, headers["Content-Type"]) == ("POST", "/oauth/token", "application/x-www-form-urlencoded")
    sent = [headers.get("Authorization") for method, _, headers in site.requests if method == "GET"]
    assert sent == ["Bearer granted"]


def guarded_body(site: Any) -> str:
    (body,) = site.bodies
    return str(body, "ascii")


def test_every_request_says_whose_it_is(guarded: Any) -> None:
    ask(api(guarded), Smoke())
    for method, path, headers in guarded.requests:
        assert (headers["User-Agent"], headers["X-Request-ID"]) == (AGENT, REQUEST_ID)
        assert method == "GET" or path.endswith(f"?{REQUEST_ID}")
