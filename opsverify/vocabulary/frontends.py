"""What can be known of the front end."""

from __future__ import annotations

from opsverify.environment import Environment, Frontend
from opsverify.evidence import Ask
from opsverify.nouns import Settings, noun
from opsverify.probes import http


@noun("frontends", attempt=True)
def page_attempt(environment: Environment, frontend: Frontend, settings: Settings) -> Ask:
    """An Attempt at the page with its scripts and styles: http.PageFacts."""
    return Ask(http.probe, frontend, http.Page())
