"""What can be known of the public address."""

from __future__ import annotations

from opsverify import slots
from opsverify.environment import Environment, Proxy
from opsverify.evidence import Ask
from opsverify.nouns import Settings, noun
from opsverify.probes import http


@noun("proxies", among=slots.where_slots_are, missing="proxy of an environment that declares its active_slot")
def public_health(environment: Environment, proxy: Proxy, settings: Settings) -> Ask:
    """The health answer behind the public address: http.HealthFacts, whose `boots` tell which process gave it."""
    return Ask(http.probe, proxy, http.Health())


@noun("proxies", attempt=True)
def slots_health(environment: Environment, proxy: Proxy, settings: Settings) -> dict[str, Ask]:
    """An Attempt at the health answer of every API that belongs to a slot, past the proxy, by the API's name."""
    return {name: Ask(http.probe, api, http.Health()) for name, api in environment.apis.items() if api.slot is not None}


@noun("proxies", attempt=True)
def page_while_stopped(environment: Environment, proxy: Proxy, settings: Settings) -> Ask:
    """An Attempt at what users get while the system is down: http.MaintenanceFacts."""
    return Ask(http.probe, proxy, http.Maintenance(settings["contains"]))


@noun("proxies")
def page_headers(environment: Environment, proxy: Proxy, settings: Settings) -> Ask:
    """The security headers of the public page: http.HeaderFacts."""
    return Ask(http.probe, proxy, http.Headers("/"))


@noun("proxies")
def plain_http(environment: Environment, proxy: Proxy, settings: Settings) -> Ask:
    """Where plain http leads: http.RedirectFacts."""
    return Ask(http.probe, proxy, http.Redirect(proxy.http_url))
