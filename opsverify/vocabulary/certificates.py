"""What can be known of a TLS endpoint."""

from __future__ import annotations

from opsverify.environment import Certificate, Environment
from opsverify.evidence import Ask
from opsverify.nouns import Settings, noun
from opsverify.probes import tls


@noun("certificates")
def certificate(environment: Environment, endpoint: Certificate, settings: Settings) -> Ask:
    """The certificate as served and whether it is trusted: tls.CertificateFacts."""
    return Ask(tls.probe, endpoint, tls.Handshake())
