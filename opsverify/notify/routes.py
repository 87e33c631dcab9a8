"""Which channels a finding goes to. Pure."""

from __future__ import annotations

from opsverify.config.environment import KINDS, Environment
from opsverify.config.notification import Notify, Route
from opsverify.notify.state import severity
from opsverify.reporting.results import Result


def names_of(environment: Environment, result: Result) -> tuple[str, ...]:
    """The names by which a route or a maintenance window may call where it was found: the target's, and its host's."""
    targets = getattr(environment, result.target_kind) if result.target_kind in KINDS else {}
    host = getattr(targets.get(result.target), "host", None)
    return tuple(name for name in (result.target, host) if name)


def channels_of(notify: Notify, result: Result, names: tuple[str, ...]) -> tuple[str, ...]:
    """The channels of all routes that name the finding, in the file's order.

    What no route names goes to every channel, and so does what is no check at all: silence must be written down.
    """
    routes = [route for route in notify.routes if _leads(route, result, names)]
    if not result.runbook or not routes:
        return tuple(notify.channels)
    chosen = {name for route in routes for name in route.channels}
    return tuple(name for name in notify.channels if name in chosen)


def _leads(route: Route, result: Result, names: tuple[str, ...]) -> bool:
    return (
        route.matches(result.runbook, names)
        and (not route.severities or severity(result) in [level.value for level in route.severities])
        and (not route.chapters or not set(route.chapters).isdisjoint(result.source.split()))
    )
