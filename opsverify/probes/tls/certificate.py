"""The certificate that an endpoint presents, and whether it is to be trusted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from opsverify.probes.tcp.address_failure import AddressFailure


@dataclass(frozen=True)
class Handshake:
    """To a Certificate target: what do its addresses present? Answer: `EndpointFacts`. No privilege needed."""


@dataclass(frozen=True)
class EndpointFacts:
    """What all addresses present that the target's name resolves to; users may get to any of them.

    `certificates`: one for each that showed one, at least one. `failures`: the others. `left_out`: how many more
    addresses there are than are looked at.
    """

    certificates: tuple[CertificateFacts, ...]
    failures: tuple[AddressFailure, ...]
    left_out: int


@dataclass(frozen=True)
class ChainLink:
    """One certificate of a chain: whose it is, and when it ends."""

    subject: str
    not_after: datetime


@dataclass(frozen=True)
class CertificateFacts:
    """A certificate as presented at one address, trusted or not.

    `trusted`: chain, dates and name verified in a handshake of TLS 1.2 or newer. `verify_code`,
    `verify_message`: OpenSSL's X509_V_ERR_* otherwise (10 expired, 9 not yet valid, 18 self-signed, 20 incomplete
    chain, 62 other host); the code is None when the handshake failed for a reason other than the certificate.
    `days_left`: until the first of `chain` ends, negative when past. `chain`: leaf first, as OpenSSL verified it, up to
    what is trusted; where it did not, as sent. `names`: DNS names and addresses of subjectAltName. `protocol`,
    `cipher`: as negotiated, None if the handshake was refused. `chain_length`: certificates sent, None where it cannot
    be told. `refused`: why the server ended the handshake (a required client certificate), or None.
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
    address: str
    chain: tuple[ChainLink, ...]

    @property
    def ends_first(self) -> ChainLink:
        """What ends first of the chain: with it, the certificate is good no longer."""
        return min(self.chain, key=lambda link: link.not_after)

    @property
    def days_left(self) -> float:
        """Days of 86400 s until the first certificate of the chain ends; negative once it has."""
        return (self.ends_first.not_after - self.judged_at).total_seconds() / 86400

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
