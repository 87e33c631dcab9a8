"""What can be known of a TLS endpoint."""

from __future__ import annotations

from opsverify.config.environment import Certificate, Environment
from opsverify.evidence.query import Query
from opsverify.facts.registry import Settings, fact
from opsverify.probes.tls.certificate import Handshake
from opsverify.probes.tls.probe import probe as tls_probe


@fact("certificates")
def certificates(environment: Environment, endpoint: Certificate, settings: Settings) -> Query:
    """The certificates as served at every address, and whether they are trusted: EndpointFacts."""
    return Query(tls_probe, endpoint, Handshake())
