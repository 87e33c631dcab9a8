"""What can be known of the public address."""

from __future__ import annotations

from urllib.parse import urlsplit

from opsverify.config import slots
from opsverify.config.environment import Api, Environment, Proxy
from opsverify.evidence.query import Query
from opsverify.facts.registry import Settings, fact
from opsverify.probes.http.data import Smoke
from opsverify.probes.http.headers import Headers
from opsverify.probes.http.health import Health
from opsverify.probes.http.maintenance import Maintenance
from opsverify.probes.http.probe import probe as http_probe
from opsverify.probes.http.redirect import Redirect


@fact("proxies", among=slots.where_slots_are, missing="proxy of an environment that declares its active_slot")
def public_health(environment: Environment, proxy: Proxy, settings: Settings) -> Query:
    """The health answer behind the public address: HealthFacts, whose `boots` tell which process gave it."""
    return Query(http_probe, proxy, Health())


@fact("proxies", attempt=True)
def public_answers(environment: Environment, proxy: Proxy, settings: Settings) -> dict[str, Query]:
    """Attempts at what the API answers through the public address, "health" and, where an API is listed, "data"."""
    queries = {"health": Query(http_probe, proxy, Health())}
    api = _behind(environment, proxy)
    if api is not None:
        given = {"name": f"{proxy.name} (public)", "slot": None}
        same = {name: getattr(proxy, name) for name in ("url", "health_path", "headers", "ca_file")}
        queries["data"] = Query(http_probe, api.model_copy(update={**given, **same}), Smoke())
    return queries


def _behind(environment: Environment, proxy: Proxy) -> Api | None:
    """The API that a proxy leads to: that of its own name or address where there are several, else the first."""
    apis = [api for api in environment.targets("apis") if isinstance(api, Api)]
    here = urlsplit(proxy.url).hostname
    own = [api for api in apis if api.name == proxy.name] or [a for a in apis if urlsplit(a.url).hostname == here]
    return next(iter(own or apis), None)


@fact("proxies", attempt=True)
def slots_health(environment: Environment, proxy: Proxy, settings: Settings) -> dict[str, Query]:
    """An Attempt at the health answer of every API that belongs to a slot, past the proxy, by the API's name."""
    return {name: Query(http_probe, api, Health()) for name, api in environment.apis.items() if api.slot is not None}


@fact("proxies", attempt=True)
def page_while_stopped(environment: Environment, proxy: Proxy, settings: Settings) -> Query:
    """An Attempt at what users get while the system is down: MaintenanceFacts."""
    return Query(http_probe, proxy, Maintenance(settings["contains"]))


@fact("proxies")
def page_headers(environment: Environment, proxy: Proxy, settings: Settings) -> Query:
    """The security headers of the public page: HeaderFacts."""
    return Query(http_probe, proxy, Headers("/"))


@fact("proxies")
def plain_http(environment: Environment, proxy: Proxy, settings: Settings) -> Query:
    """Where plain http leads: RedirectFacts."""
    return Query(http_probe, proxy, Redirect(proxy.http_url))
