"""What can be known of an API endpoint."""

from __future__ import annotations

from opsverify.environment import Api, Environment
from opsverify.evidence import Ask
from opsverify.nouns import Settings, noun
from opsverify.probes import http


@noun("apis", attempt=True)
def health_attempt(environment: Environment, api: Api, settings: Settings) -> Ask:
    """An Attempt at the health answer: an API that does not answer is judged, not blocked."""
    return Ask(http.probe, api, http.Health())


@noun("apis")
def api_health(environment: Environment, api: Api, settings: Settings) -> Ask:
    """The API's health answer and its timings: http.HealthFacts."""
    return Ask(http.probe, api, http.Health())


@noun("apis")
def data_answer(environment: Environment, api: Api, settings: Settings) -> Ask:
    """The answer of a data endpoint that needs no login: http.DataAnswer."""
    return Ask(http.probe, api, http.Smoke())
