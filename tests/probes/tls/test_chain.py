"""How long a chain is good for: as long as the certificate of it that ends first."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID


@dataclass
class Holder:
    """Somebody with a key and a name, who vouches for others."""

    name: str
    key: ec.EllipticCurvePrivateKey

    @classmethod
    def named(cls, name: str) -> Holder:
        return cls(name, ec.generate_private_key(ec.SECP256R1()))

    @property
    def subject(self) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, self.name)])

    def vouch(self, other: Holder, days: float, *, host: str = "") -> x509.Certificate:
        now = datetime.now(UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(other.subject)
            .issuer_name(self.subject)
            .public_key(other.key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=400))
            .not_valid_after(now + timedelta(days=days))
            .add_extension(x509.BasicConstraints(ca=not host, path_length=None), critical=True)
        )
        if host:
            builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        return builder.sign(self.key, hashes.SHA256())


@dataclass
class Served:
    """What a server shows: a key, and its chain in the order in which it is sent."""

    key: ec.EllipticCurvePrivateKey
    chain: list[x509.Certificate]

    def configure_cert(self, context: ssl.SSLContext) -> None:
        key = self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        with trustme.Blob(key + b"".join(map(pem, self.chain))).tempfile() as path:
            context.load_cert_chain(path)


def pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.PEM)


ROOT, OLD_ROOT, MIDDLE, LEAF = map(Holder.named, ("Root", "Old root", "Middle", "Leaf"))


@pytest.fixture
def shown(look: Any, serve: Any, tmp_path: Path) -> Any:
    """shown([leaf, …], [trusted, …]) → CertificateFacts of a server that sends that chain."""

    def ask(sent: list[x509.Certificate], trusted: list[x509.Certificate], **more: Any) -> Any:
        file = tmp_path / "roots.pem"
        file.write_bytes(b"".join(map(pem, trusted)))
        return look(serve(Served(LEAF.key, sent), **more), ca_file=file)

    return ask


def leaf(days: float = 80, host: str = "localhost") -> x509.Certificate:
    return MIDDLE.vouch(LEAF, days, host=host)


def test_an_intermediate_that_ends_first(shown: Any) -> None:
    seen = shown([leaf(), ROOT.vouch(MIDDLE, 1)], [ROOT.vouch(ROOT, 900)])
    assert (seen.trusted, seen.ends_first.subject) == (True, "CN=Middle")
    assert 0.9 < seen.days_left < 1
    assert [link.subject for link in seen.chain] == ["CN=Leaf", "CN=Middle", "CN=Root"]


def test_a_root_that_ends_first(shown: Any) -> None:
    seen = shown([leaf(), ROOT.vouch(MIDDLE, 300)], [ROOT.vouch(ROOT, 5)])
    assert (seen.trusted, seen.ends_first.subject) == (True, "CN=Root")
    assert 4.9 < seen.days_left < 5


@pytest.mark.parametrize("newest_first", [True, False])
def test_of_two_intermediates_that_which_ends_last_counts(shown: Any, newest_first: bool) -> None:
    middles = [ROOT.vouch(MIDDLE, 300), ROOT.vouch(MIDDLE, 1)]
    seen = shown([leaf(), *middles[:: 1 if newest_first else -1]], [ROOT.vouch(ROOT, 900)])
    assert seen.trusted
    assert 79.9 < seen.days_left < 80


def test_a_cross_signature_that_is_not_needed_does_not_count(shown: Any) -> None:
    """As of Let's Encrypt in 2021: the old root had expired, its certificate for the new one was still sent."""
    sent = [leaf(), ROOT.vouch(MIDDLE, 300), OLD_ROOT.vouch(ROOT, -1)]
    seen = shown(sent, [ROOT.vouch(ROOT, 900), OLD_ROOT.vouch(OLD_ROOT, -1)])
    assert seen.trusted
    assert 79.9 < seen.days_left < 80
    assert seen.chain_length == 3


def test_an_intermediate_that_has_ended_is_no_longer_good(shown: Any) -> None:
    seen = shown([leaf(), ROOT.vouch(MIDDLE, -2)], [ROOT.vouch(ROOT, 900)])
    assert (seen.trusted, seen.verify_code, seen.expired) == (False, 10, False)
    assert -2.1 < seen.days_left < -1.9


def test_the_chain_of_another_host_is_the_one_that_verifies(shown: Any) -> None:
    sent = [leaf(host="other.example.com"), ROOT.vouch(MIDDLE, 300), OLD_ROOT.vouch(ROOT, -1)]
    seen = shown(sent, [ROOT.vouch(ROOT, 900)])
    assert (seen.trusted, seen.verify_code) == (False, 62)
    assert 79.9 < seen.days_left < 80


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_required_client_certificate_does_not_hide_the_chain(shown: Any, version: ssl.TLSVersion) -> None:
    def require(context: ssl.SSLContext) -> None:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(cadata=pem(ROOT.vouch(ROOT, 900)).decode())
        context.maximum_version = version

    seen = shown([leaf(), ROOT.vouch(MIDDLE, 1)], [ROOT.vouch(ROOT, 900)], setup=require)
    assert seen.trusted
    assert 0.9 < seen.days_left < 1


def test_nobody_is_trusted_but_the_chain_sent_is_read(shown: Any) -> None:
    seen = shown([leaf(), ROOT.vouch(MIDDLE, 3)], [OLD_ROOT.vouch(OLD_ROOT, 900)])
    assert not seen.trusted
    assert [link.subject for link in seen.chain] == ["CN=Leaf", "CN=Middle"]
    assert 2.9 < seen.days_left < 3
