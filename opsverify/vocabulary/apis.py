"""What can be known of an API endpoint."""

from __future__ import annotations

from urllib.parse import urlsplit

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


@noun("apis")
def cors(environment: Environment, api: Api, settings: Settings) -> Ask:
    """Which origins the API grants: http.CorsFacts."""
    return Ask(http.probe, api, http.Cors(_origins(environment, settings), settings["foreign_origin"]))


def _origins(environment: Environment, settings: Settings) -> tuple[str, ...]:
    """Where browsers call the API from: the item's own list, else the public addresses, else the front ends."""
    given = settings["allowed_origins"]
    pages = [proxy.url for proxy in environment.proxies.values()]
    for slotted in (False, True):
        pages = pages or [f.url for f in environment.frontends.values() if slotted or f.slot is None]
    return tuple(given) or tuple(dict.fromkeys("{0.scheme}://{0.netloc}".format(urlsplit(url)) for url in pages))


@noun("apis")
def cats_answer(environment: Environment, api: Api, settings: Settings) -> Ask:
    """The answer of the list of cats and its timings, with the API's token where it has one: http.DataAnswer."""
    return Ask(http.probe, api, http.Cats())
