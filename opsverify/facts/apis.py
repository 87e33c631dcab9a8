"""What can be known of an API endpoint."""

from __future__ import annotations

from urllib.parse import urlsplit

from opsverify.config.environment import Api, Environment
from opsverify.evidence.query import Query
from opsverify.facts.registry import Settings, fact
from opsverify.probes.http.cors import Cors
from opsverify.probes.http.data import Cats, Smoke
from opsverify.probes.http.health import Health
from opsverify.probes.http.probe import probe as http_probe


@fact("apis", attempt=True)
def health_attempt(environment: Environment, api: Api, settings: Settings) -> Query:
    """An Attempt at the health answer: an API that does not answer is judged, not blocked."""
    return Query(http_probe, api, Health())


@fact("apis")
def api_health(environment: Environment, api: Api, settings: Settings) -> Query:
    """The API's health answer and its timings: HealthFacts."""
    return Query(http_probe, api, Health())


@fact("apis", attempt=True)
def data_attempt(environment: Environment, api: Api, settings: Settings) -> Query:
    """An Attempt at the answer of a data endpoint that needs no login: DataAnswer."""
    return Query(http_probe, api, Smoke())


@fact("apis")
def cors(environment: Environment, api: Api, settings: Settings) -> Query:
    """Which origins the API grants: CorsFacts."""
    return Query(http_probe, api, Cors(_origins(environment, settings), settings["foreign_origin"]))


def _origins(environment: Environment, settings: Settings) -> tuple[str, ...]:
    """Where browsers call the API from: the item's own list, else the public addresses, else the front ends."""
    given = settings["allowed_origins"]
    pages = [proxy.url for proxy in environment.proxies.values()]
    for slotted in (False, True):
        pages = pages or [f.url for f in environment.frontends.values() if slotted or f.slot is None]
    return tuple(given) or tuple(dict.fromkeys("{0.scheme}://{0.netloc}".format(urlsplit(url)) for url in pages))


@fact("apis", attempt=True)
def cats_attempt(environment: Environment, api: Api, settings: Settings) -> Query:
    """An Attempt at the list of cats and its timings, with the API's token where it has one: DataAnswer."""
    return Query(http_probe, api, Cats())
