"""What an API's answers prove: refusals, silence, answers of long ago and of somebody else."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from opsverify.config.loading import load_items
from opsverify.errors import Cause, ProbeError, Unanswered, Unreachable
from opsverify.evidence.attempt import Attempt
from opsverify.judgements.expect import Expect
from opsverify.probes.http.other_addresses import OtherAddresses

ROOT = Path(__file__).parents[2]


def health(**changes):
    names = {
        "status": 200, "is_api_json": True, "success": True, "state": "ok", "error": None, "database": "ok",
        "rate_limited": False, "age_seconds": 0.0, "redirected": None, "content_type": "application/json",
        "excerpt": "", "others": OtherAddresses(), "median_seconds": 0.01, "timings": (1,), "worst": "10 ms",
    }  # fmt: skip
    return SimpleNamespace(**{**names, **changes})


def judged_health(judged, **changes):
    return judged("reachability", "api-health", health_attempt=Attempt(health(**changes))).worst


PAGE = {"is_api_json": False, "success": None, "state": None, "content_type": "text/html", "excerpt": "<html>"}


@pytest.mark.parametrize(
    ("changes", "verdict", "sentence"),
    [
        ({}, "normal", "200, success true, status ok"),
        ({"age_seconds": 59.0}, "normal", "200, success true, status ok"),
        ({"age_seconds": None}, "normal", "200, success true, status ok"),
        ({"age_seconds": 90.0}, "alert", "200, an answer of 90 s ago"),
        ({"age_seconds": 64800.0}, "alert", "200, an answer of 18.0 h ago"),
        ({**PAGE, "redirected": "302 to /login"}, "alert", "302 to /login, which answers 200 text/html"),
        ({**PAGE, "status": 503}, "alert", "503, not the API's own JSON: <html>"),
        ({**PAGE, "status": 429, "rate_limited": True}, "warning", "429, rate-limited"),
    ],
)
def test_health_is_an_answer_of_the_apis_own_and_of_now(judged, changes, verdict, sentence):
    seen = judged_health(judged, **changes)
    assert (seen.verdict, seen.observed) == (verdict, sentence)


@pytest.mark.parametrize("item", ["api-health-database", "api-response-time"])
def test_nothing_is_concluded_from_an_answer_of_long_ago(judged, item):
    old = health(age_seconds=86400.0)
    with pytest.raises(ProbeError, match=r"200, an answer of 24\.0 h ago: it says nothing about now"):
        judged("reachability", item, api_health=old, health_attempt=Attempt(old))


def silence(seconds, cause=None):
    error = Unanswered("http://x: no answer within 20 s")
    error.waited_seconds, error.cause = seconds, cause
    return error


TIMED = [("api-response-time", "health_attempt"), ("cats-response-time", "cats_attempt")]


@pytest.mark.parametrize(("item", "fact"), TIMED)
@pytest.mark.parametrize("cause", [None, Cause("api main", "no answer")])
def test_no_answer_within_the_limit_is_an_answer_that_is_too_late(judged, item, fact, cause):
    seen = judged("reachability", item, **{fact: Attempt(error=silence(19.9, cause))}).worst
    assert (seen.verdict, seen.value) == ("alert", 19900)
    assert "and no answer by then: http://x: no answer within 20 s" in seen.observed


@pytest.mark.parametrize(("item", "fact"), TIMED)
@pytest.mark.parametrize(
    "error",
    [silence(2.9), silence(None), Unreachable("http://x: connection refused")],
    ids=["below-the-limit", "no-use", "refused"],
)
def test_what_says_nothing_about_the_time_stays_open(judged, item, fact, error):
    with pytest.raises(Unreachable):
        judged("reachability", item, **{fact: Attempt(error=error)})


def test_silence_of_the_data_alone_is_an_alert_and_that_of_all_is_one_cause(judged):
    seen = judged("reachability", "api-smoke", data_attempt=Attempt(error=silence(19.0))).worst
    assert (seen.verdict, seen.observed) == ("alert", "http://x: no answer within 20 s")
    for error in (silence(19.0, Cause("api main", "no answer")), Unreachable("connection refused")):
        with pytest.raises(Unreachable):
            judged("reachability", "api-smoke", data_attempt=Attempt(error=error))


def data(**changes):
    names = {
        "status": 200, "rate_limited": False, "problems": (), "shape_ok": True, "rows": 1, "total": 1,
        "authenticated": True, "cached_seconds": None, "median_seconds": 0.01, "timings": (1,), "worst": "10 ms",
    }  # fmt: skip
    return SimpleNamespace(**{**names, **changes})


@pytest.mark.parametrize(("item", "fact"), [("api-smoke", "data_attempt"), ("cats-response-time", "cats_attempt")])
def test_data_out_of_a_cache_proves_nothing_about_the_database(judged, item, fact):
    assert judged("reachability", item, **{fact: Attempt(data(cached_seconds=5.0))}).worst.verdict == "normal"
    with pytest.raises(ProbeError, match="a cache answered, 3,600 s old"):
        judged("reachability", item, **{fact: Attempt(data(cached_seconds=3600.0))})


@pytest.mark.parametrize(
    ("changes", "verdict", "sentence"),
    [
        ({}, "normal", "health: 200, status ok"),
        ({"age_seconds": 7200.0}, "alert", "health: 200, an answer of 2.0 h ago"),
        ({**PAGE, "redirected": "302 to /login"}, "alert", "health: 302 to /login, which answers 200 text/html"),
        ({**PAGE, "status": 429, "rate_limited": True}, "warning", "health: 429, rate-limited"),
    ],
)
def test_the_same_holds_behind_the_public_address(judged, changes, verdict, sentence):
    answers = {"health": Attempt(health(**changes))}
    seen = judged("reachability", "public-api", public_answers=answers).worst
    assert (seen.verdict, seen.observed) == (verdict, sentence)


def test_a_refused_login_hides_nothing_of_the_public_health(judged):
    answers = {"health": Attempt(health(status=503, state="error")), "data": Attempt(error=ProbeError("refused"))}
    seen = Expect(load_items(ROOT / "checks/runbook.yaml")["public-api"])
    with pytest.raises(ProbeError, match="refused"):
        judged("reachability", "public-api", public_answers=answers, expect=seen)
    assert (seen.worst.verdict, seen.worst.observed) == ("alert", "health: 503, status error")
