"""What can be known of the front end."""

from __future__ import annotations

from opsverify.config.environment import Environment, Frontend
from opsverify.evidence.query import Query
from opsverify.facts.registry import Settings, fact
from opsverify.probes.http.page import Page
from opsverify.probes.http.probe import probe as http_probe


@fact("frontends", attempt=True)
def page_attempt(environment: Environment, frontend: Frontend, settings: Settings) -> Query:
    """An Attempt at the page with its scripts and styles: PageFacts."""
    return Query(http_probe, frontend, Page())
