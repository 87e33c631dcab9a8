"""One verified handshake for the verdict of trust; where that fails, one less strict for the certificate. Both with
every address of the endpoint."""

from __future__ import annotations

import ipaddress
import socket
import ssl
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa

from opsverify.errors import ProbeError, Unreachable
from opsverify.evidence.deadline import Deadline
from opsverify.evidence.executors import DaemonThreads
from opsverify.probes.tcp.address_failure import AddressFailure
from opsverify.probes.tcp.transport import (
    Resolved,
    Watchdog,
    connect_to,
    explain,
    not_from_here,
    printable,
    resolve,
    trusting,
)
from opsverify.probes.tls.certificate import CertificateFacts, ChainLink, EndpointFacts

SSL_REQUEST = struct.pack("!II", 8, 80877103)
"""PostgreSQL's SSLRequest message (its manual, "Message Formats")."""


ENCODING_DER = 2
"""Of OpenSSL's bindings (_ssl.ENCODING_DER), which have no public name."""
ADDRESS_LIMIT = 8
"""Addresses that are looked at: as many as content delivery networks publish."""
OTHER_HOST = 62
"""X509_V_ERR_HOSTNAME_MISMATCH: all but the name is well."""


@dataclass(frozen=True)
class _Seen:
    """What one handshake showed. Certificates are DER; `verified` is empty where no chain was."""

    leaf: bytes
    sent: list[bytes]
    verified: list[bytes]
    protocol: str | None
    cipher: str | None
    refused: str | None


@dataclass(frozen=True)
class _Verdict:
    """What the verified handshake came to: `code` and `message` are OpenSSL's where it failed."""

    trusted: bool
    code: int | None
    message: str | None

    @classmethod
    def of(cls, error: ssl.SSLError, deadline: Deadline) -> _Verdict:
        message = getattr(error, "verify_message", None) or explain(error, deadline.seconds)
        return cls(False, getattr(error, "verify_code", None), message.rstrip("."))


def look(target: Any, deadline: Deadline) -> EndpointFacts:
    """The facts of a `Certificate` target. Raises Unreachable or ProbeError when no certificate could be seen."""
    place = f"{target.address}:{target.port}"
    try:
        addresses = list(dict.fromkeys(resolve(target.address, target.port, deadline)))
    except (OSError, Unreachable) as error:
        reason = explain(error, deadline.seconds) if isinstance(error, OSError) else str(error)
        raise Unreachable(f"{place}: {reason}") from None
    with Watchdog(deadline) as watchdog, DaemonThreads() as threads:
        looked_at = addresses[:ADDRESS_LIMIT]
        seen = list(threads.map(lambda address: _look_at(target, address, watchdog, deadline), looked_at))
    certificates = tuple(one for one in seen if isinstance(one, CertificateFacts))
    failures = [one for one in seen if isinstance(one, _NoCertificate)]
    if not certificates:
        # What took the connection tells most.
        worst = max(failures, key=lambda failure: failure.connected)
        raise worst.kind(f"{place}: {worst.reason}")
    return EndpointFacts(certificates, tuple(failure.fact for failure in failures), len(addresses) - len(looked_at))


@dataclass(frozen=True)
class _NoCertificate:
    """Why an address showed none, and as which error that counts where no address shows one."""

    address: str
    reason: str
    kind: type[ProbeError]
    connected: bool = True
    out_of_reach: bool = False

    @property
    def fact(self) -> AddressFailure:
        return AddressFailure(self.address, self.reason, self.connected, self.out_of_reach)


def _look_at(
    target: Any, resolved: Resolved, watchdog: Watchdog, deadline: Deadline
) -> CertificateFacts | _NoCertificate:
    name = target.server_name or target.address
    address = str(resolved[1][0])

    def none(error: Exception, **more: bool) -> _NoCertificate:
        if isinstance(error, OSError):
            failure = TimeoutError() if watchdog.expired else error
            return _NoCertificate(address, explain(failure, deadline.seconds), Unreachable, **more)
        kind = Unreachable if isinstance(error, Unreachable) else ProbeError
        return _NoCertificate(address, str(error), kind, **more)

    try:
        strict = trusting(target.ca_file)
        sock = connect_to([resolved], deadline)
    except OSError as error:
        return none(error, connected=False, out_of_reach=not_from_here(address, error))
    except ProbeError as error:
        return none(error, connected=False)
    seen, verdict = None, _Verdict(True, None, None)
    contexts = [strict, _for_any_name(target.ca_file), _accepting_anything()]
    try:
        while seen is None:
            try:
                seen = _handshake(target, sock, name, contexts.pop(0), watchdog, deadline)
            except ssl.SSLError as error:
                if watchdog.expired or not contexts:
                    raise
                verdict = verdict if not verdict.trusted else _Verdict.of(error, deadline)
                if verdict.code != OTHER_HOST:
                    del contexts[:-1]
                sock = connect_to([resolved], deadline)
    except (ProbeError, OSError) as error:
        return none(error)
    except (ValueError, UnicodeError):
        return none(ProbeError(f"{name!r} is no name that a TLS server can be asked for"))
    try:
        return _facts(seen, address, name, verdict)
    except (ValueError, TypeError, x509.ExtensionNotFound, x509.DuplicateExtension):
        return none(ProbeError("its certificate cannot be parsed"))


def _for_any_name(ca_file: Path | None) -> ssl.SSLContext:
    """Trusting, whatever the name: to see the chain that verifies."""
    context = trusting(ca_file)
    context.check_hostname = False
    return context


def _accepting_anything() -> ssl.SSLContext:
    """For looking only: no verification, and protocols and ciphers that are long retired."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")
    # MINIMUM_SUPPORTED, because naming TLSv1 warns, and a caller may turn warnings into errors.
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    context.options &= ~(ssl.OP_NO_TLSv1 | ssl.OP_NO_TLSv1_1)
    return context


def _handshake(
    target: Any, sock: socket.socket, name: str, context: ssl.SSLContext, watchdog: Watchdog, deadline: Deadline
) -> _Seen:
    """One handshake over memory buffers, so that what the server sent stays readable when it ends in an alert.

    Closes the socket.
    """
    try:
        watchdog.watch(sock)
        if target.protocol == "postgres":
            _ask_postgres(sock)
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = context.wrap_bio(incoming, outgoing, server_hostname=name.rstrip("."))
        received = bytearray()
        try:
            _converse(sock, tls, incoming, outgoing, received, deadline)
        except ssl.SSLError as error:
            refused = _refused(error, tls, bytes(received), deadline)
            if refused is None:
                raise
            return refused
        certificate = tls.getpeercert(True)
        if certificate is None:
            raise ProbeError("the server presented no certificate")
        cipher = tls.cipher()
        sent = _chain(tls, "get_unverified_chain") or _certificates_in_clear(bytes(received))
        return _Seen(certificate, sent, _verified(tls), tls.version(), cipher[0] if cipher else None, None)
    finally:
        sock.close()


def _ask_postgres(sock: socket.socket) -> None:
    sock.sendall(SSL_REQUEST)
    answer = sock.recv(1)
    if answer == b"N":
        raise ProbeError("the PostgreSQL server offers no TLS")
    if answer == b"":
        raise ConnectionResetError
    if answer != b"S":
        raise ProbeError("what listens there does not speak PostgreSQL's protocol")


def _converse(
    sock: socket.socket,
    tls: ssl.SSLObject,
    incoming: ssl.MemoryBIO,
    outgoing: ssl.MemoryBIO,
    received: bytearray,
    deadline: Deadline,
) -> None:
    while True:
        try:
            tls.do_handshake()
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError:
            if outgoing.pending:  # our alert, so that the server's log says why
                sock.sendall(outgoing.read())
            raise
        else:
            sock.sendall(outgoing.read())
            return
        if outgoing.pending:
            sock.sendall(outgoing.read())
        sock.settimeout(deadline.remaining())
        piece = sock.recv(16384)
        received += piece
        if piece:
            incoming.write(piece)
        else:
            incoming.write_eof()


def _refused(error: ssl.SSLError, tls: ssl.SSLObject, received: bytes, deadline: Deadline) -> _Seen | None:
    """What a handshake showed that the server ended by an alert, as it does for want of a client certificate.

    Messages are worked through in order: had the server's certificate not verified, OpenSSL would have ended the
    handshake itself before it met the alert. TLS 1.3 refuses later, when the handshake has long succeeded.
    """
    certificates = _certificates_in_clear(received)
    if isinstance(error, ssl.SSLCertVerificationError) or "ALERT" not in (error.reason or "") or not certificates:
        return None
    versions = {b"\x03\x01": "TLSv1", b"\x03\x02": "TLSv1.1", b"\x03\x03": "TLSv1.2"}
    hello = next((body for kind, body in _messages_in_clear(received) if kind == 2), b"")
    reason = explain(error, deadline.seconds)
    return _Seen(certificates[0], certificates, _verified(tls), versions.get(hello[:2]), None, reason)


def _messages_in_clear(stream: bytes) -> Iterator[tuple[int, bytes]]:
    """(type, body) of the handshake messages before encryption starts (RFC 5246, 6.2.1 and 7.4)."""
    handshake = bytearray()
    while len(stream) >= 5 and stream[0] == 22:
        length = int.from_bytes(stream[3:5], "big")
        handshake += stream[5 : 5 + length]
        stream = stream[5 + length :]
    position = 0
    while position + 4 <= len(handshake):
        length = int.from_bytes(handshake[position + 1 : position + 4], "big")
        body = bytes(handshake[position + 4 : position + 4 + length])
        if len(body) == length:
            yield handshake[position], body
        position += 4 + length


def _certificates_in_clear(stream: bytes) -> list[bytes]:
    """The server's chain, which TLS 1.2 and older send unencrypted (RFC 5246, 7.4.2)."""
    return next((_split(body[3:]) for kind, body in _messages_in_clear(stream) if kind == 11), [])


def _split(chain: bytes) -> list[bytes]:
    certificates = []
    while len(chain) >= 3:
        length = int.from_bytes(chain[:3], "big")
        certificates.append(chain[3 : 3 + length])
        chain = chain[3 + length :]
    return certificates


def _chain(tls: ssl.SSLObject, name: str) -> list[bytes]:
    """A chain as OpenSSL has it, DER: public in Python 3.13, the same call one level down before."""
    teller = getattr(tls, name, None) or getattr(getattr(tls, "_sslobj", None), name, None)
    chain = teller() if teller is not None else None
    return [one if isinstance(one, bytes) else one.public_bytes(ENCODING_DER) for one in chain or ()]


def _verified(tls: ssl.SSLObject) -> list[bytes]:
    return _chain(tls, "get_verified_chain") if tls.context.verify_mode is ssl.CERT_REQUIRED else []


def _best_chain(seen: _Seen) -> list[x509.Certificate]:
    """The chain that verified, leaf first; where none did, the path from the leaf along the issuers that were sent.

    Of several certificates for one key, OpenSSL takes the first that is valid now (x509_vfy.c, find_issuer), and once
    that has ended the next: what counts is the one that ends last.
    """
    others = [x509.load_der_x509_certificate(der) for der in seen.sent if der != seen.leaf]
    path = [x509.load_der_x509_certificate(der) for der in seen.verified or [seen.leaf]]
    if seen.verified:
        for position, link in list(enumerate(path))[1:-1]:
            path[position] = max([link, *(one for one in others if _replaces(one, link))], key=_ends)
    else:
        while issuers := [one for one in others if one.subject == path[-1].issuer and one not in path]:
            path.append(max(issuers, key=_ends))
    return path


def _replaces(one: x509.Certificate, other: x509.Certificate) -> bool:
    return (one.subject, one.issuer, one.public_key()) == (other.subject, other.issuer, other.public_key())


def _ends(certificate: x509.Certificate) -> datetime:
    return certificate.not_valid_after_utc


def _facts(seen: _Seen, address: str, name: str, verdict: _Verdict) -> CertificateFacts:
    chain = _best_chain(seen)
    certificate = chain[0]
    key_type, key_bits = _key(certificate)
    names, addresses = _alternative_names(certificate)
    signature = certificate.signature_hash_algorithm
    return CertificateFacts(
        trusted=verdict.trusted,
        verify_code=verdict.code,
        verify_message=None if verdict.message is None else printable(verdict.message),
        name_matches=name_matches(name, names, addresses),
        expected_name=name,
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        judged_at=datetime.now(UTC),
        subject=printable(certificate.subject.rfc4514_string()),
        issuer=printable(certificate.issuer.rfc4514_string()),
        names=tuple(printable(text) for text in (*names, *addresses)),
        serial_hex=f"{certificate.serial_number:x}",
        key_type=key_type,
        key_bits=key_bits,
        signature_hash=None if signature is None else signature.name,
        protocol=seen.protocol,
        cipher=seen.cipher,
        chain_length=len(seen.sent) or None,
        refused=seen.refused,
        address=address,
        chain=tuple(ChainLink(printable(c.subject.rfc4514_string()), c.not_valid_after_utc) for c in chain),
    )


def _key(certificate: x509.Certificate) -> tuple[str, int | None]:
    key = certificate.public_key()
    if isinstance(key, rsa.RSAPublicKey):
        return "RSA", key.key_size
    if isinstance(key, ec.EllipticCurvePublicKey):
        return "EC", key.curve.key_size
    if isinstance(key, dsa.DSAPublicKey):
        return "DSA", key.key_size
    if isinstance(key, (ed25519.Ed25519PublicKey, ed448.Ed448PublicKey)):
        return type(key).__name__.removesuffix("PublicKey"), None
    return type(key).__name__, None


def _alternative_names(certificate: x509.Certificate) -> tuple[list[str], list[str]]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return [], []
    return names.get_values_for_type(x509.DNSName), [str(ip) for ip in names.get_values_for_type(x509.IPAddress)]


def name_matches(expected: str, names: list[str], addresses: list[str]) -> bool:
    """Whether a certificate is for `expected`, by subjectAltName alone (RFC 9525, 6.3; the common name is history).

    `*` counts as the whole leftmost label and matches exactly one label. An IP address matches only itself.
    """
    try:
        wanted_address = ipaddress.ip_address(expected.strip("[]"))
    except ValueError:
        pass
    else:
        return any(wanted_address == ipaddress.ip_address(text) for text in addresses)
    wanted = _ascii(expected)
    return any(_label_match(wanted, _ascii(name)) for name in names)


def _ascii(name: str) -> str:
    try:
        return name.rstrip(".").encode("idna").decode().lower()
    except UnicodeError:
        return name.rstrip(".").lower()


def _label_match(wanted: str, name: str) -> bool:
    if not name.startswith("*."):
        return bool(wanted) and wanted == name
    first, _, rest = wanted.partition(".")
    return bool(first) and rest == name[2:] and "." in rest
