"""What a TLS endpoint presents, and whether it is to be trusted.

`probe` takes a `Certificate` target and the question `Handshake`. Trust is OpenSSL's verdict in a verified handshake;
everything else is read from the certificate itself, because OpenSSL stops at the first thing wrong: a certificate
that is expired *and* made for another host reports only one of the two.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from opsverify.errors import ProbeError
from opsverify.evidence import Deadline


@dataclass(frozen=True)
class Handshake:
    """To a Certificate target: what does it present? Answer: `CertificateFacts`. No privilege needed."""


@dataclass(frozen=True)
class CertificateFacts:
    """A certificate as presented, trusted or not.

    `trusted`: chain, dates and name verified in a handshake of TLS 1.2 or newer. `verify_code`,
    `verify_message`: OpenSSL's X509_V_ERR_* otherwise (10 expired, 9 not yet valid, 18 self-signed, 20 incomplete
    chain, 62 other host); the code is None when the handshake failed for a reason other than the certificate.
    `days_left`: until `not_after`, negative when past. `names`: DNS names and addresses of subjectAltName.
    `protocol`, `cipher`: as negotiated, None if the handshake was refused. `chain_length`: certificates sent, None
    where it cannot be told. `refused`: why the server ended the handshake (a required client certificate), or None.
    """

    trusted: bool
    verify_code: int | None
    verify_message: str | None
    name_matches: bool
    expected_name: str
    not_before: datetime
    not_after: datetime
    judged_at: datetime
    subject: str
    issuer: str
    names: tuple[str, ...]
    serial_hex: str
    key_type: str
    key_bits: int | None
    signature_hash: str | None
    protocol: str | None
    cipher: str | None
    chain_length: int | None
    refused: str | None

    @property
    def days_left(self) -> float:
        """Days of 86400 s until the certificate ends; negative once it has."""
        return (self.not_after - self.judged_at).total_seconds() / 86400

    @property
    def expired(self) -> bool:
        """Whether `not_after` has passed (the moment itself is still valid, RFC 5280, 4.1.2.5)."""
        return self.judged_at > self.not_after

    @property
    def not_yet_valid(self) -> bool:
        """Whether `not_before` is still to come."""
        return self.judged_at < self.not_before

    @property
    def protocol_current(self) -> bool:
        """Whether TLS 1.2 or newer was negotiated (RFC 8996 retired the older ones)."""
        return self.protocol in ("TLSv1.2", "TLSv1.3")


def probe(target: Any, questions: frozenset[Any], deadline: Deadline) -> dict[Any, Any]:
    """Answer `Handshake` for a `Certificate` target. Raises Unreachable when no certificate could be seen."""
    from opsverify.probes.tls.handshake import look

    answers: dict[Any, Any] = {}
    for question in questions:
        if isinstance(question, Handshake):
            answers[question] = look(target, deadline)
        else:
            answers[question] = ProbeError(f"the TLS probe knows no question {type(question).__name__}")
    return answers


__all__ = ["CertificateFacts", "Handshake", "probe"]
