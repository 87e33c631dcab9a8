"""One verified handshake for the verdict of trust; where that fails, one unverified for the certificate."""

from __future__ import annotations

import ipaddress
import socket
import ssl
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa

from opsverify.errors import ProbeError, Unreachable
from opsverify.evidence import Deadline
from opsverify.probes.dial import Watchdog, dial, explain, printable, trusting
from opsverify.probes.tls import CertificateFacts

SSL_REQUEST = struct.pack("!II", 8, 80877103)
"""PostgreSQL's SSLRequest message (its manual, "Message Formats")."""


@dataclass(frozen=True)
class _Seen:
    """What one handshake showed."""

    certificate: bytes
    protocol: str | None
    cipher: str | None
    chain_length: int | None
    refused: str | None


def look(target: Any, deadline: Deadline) -> CertificateFacts:
    """The facts of a `Certificate` target. Raises Unreachable or ProbeError when no certificate could be seen."""
    name = target.server_name or target.address
    place = f"{target.address}:{target.port}"
    code: int | None = None
    message: str | None = None
    with Watchdog(deadline) as watchdog:
        try:
            try:
                seen = _handshake(target, name, trusting(target.ca_file), watchdog, deadline)
                trusted = True
            except ssl.SSLError as error:
                if watchdog.expired:
                    raise
                trusted = False
                code = getattr(error, "verify_code", None)
                message = (getattr(error, "verify_message", None) or explain(error, deadline.seconds)).rstrip(".")
                seen = _handshake(target, name, _accepting_anything(), watchdog, deadline)
        except ProbeError as error:
            kind = Unreachable if isinstance(error, Unreachable) else ProbeError
            raise kind(f"{place}: {error}") from None
        except (ValueError, UnicodeError):
            raise ProbeError(f"{place}: {name!r} is no name that a TLS server can be asked for") from None
        except OSError as error:
            failure = TimeoutError() if watchdog.expired else error
            raise Unreachable(f"{place}: {explain(failure, deadline.seconds)}") from None
    try:
        return _facts(seen, name, trusted, code, message)
    except (ValueError, TypeError, x509.ExtensionNotFound, x509.DuplicateExtension):
        raise ProbeError(f"{place}: its certificate cannot be parsed") from None


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


def _handshake(target: Any, name: str, context: ssl.SSLContext, watchdog: Watchdog, deadline: Deadline) -> _Seen:
    """One handshake over memory buffers, so that what the server sent stays readable when it ends in an alert."""
    sock = dial(target.address, target.port, deadline).socket
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
            refused = _refused(error, bytes(received), deadline)
            if refused is None:
                raise
            return refused
        certificate = tls.getpeercert(True)
        if certificate is None:
            raise ProbeError("the server presented no certificate")
        cipher = tls.cipher()
        return _Seen(certificate, tls.version(), cipher[0] if cipher else None, _chain_length(tls, received), None)
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


def _refused(error: ssl.SSLError, received: bytes, deadline: Deadline) -> _Seen | None:
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
    return _Seen(certificates[0], versions.get(hello[:2]), None, len(certificates), reason)


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
    found = []
    while len(chain) >= 3:
        length = int.from_bytes(chain[:3], "big")
        found.append(chain[3 : 3 + length])
        chain = chain[3 + length :]
    return found


def _chain_length(tls: ssl.SSLObject, received: bytearray) -> int | None:
    """How many certificates were sent: public in Python 3.13, the same call one level down before."""
    teller = getattr(tls, "get_unverified_chain", None) or getattr(
        getattr(tls, "_sslobj", None), "get_unverified_chain", None
    )
    chain = teller() if teller is not None else _certificates_in_clear(bytes(received))
    return len(chain) if chain else None


def _facts(seen: _Seen, name: str, trusted: bool, code: int | None, message: str | None) -> CertificateFacts:
    certificate = x509.load_der_x509_certificate(seen.certificate)
    key_type, key_bits = _key(certificate)
    names, addresses = _alternative_names(certificate)
    signature = certificate.signature_hash_algorithm
    return CertificateFacts(
        trusted=trusted,
        verify_code=code,
        verify_message=None if message is None else printable(message),
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
        chain_length=seen.chain_length,
        refused=seen.refused,
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
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return [], []
    return found.get_values_for_type(x509.DNSName), [str(ip) for ip in found.get_values_for_type(x509.IPAddress)]


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
