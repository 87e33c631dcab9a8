"""What certificates of one address, or of several, come to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from opsverify.probes.tcp.address_failure import AddressFailure
from opsverify.probes.tls.certificate import CertificateFacts, ChainLink, EndpointFacts

NOW = datetime(2026, 3, 2, tzinfo=UTC)


def certificate(address="192.0.2.1", days=80.0, middle=300.0, **changes):
    ends = NOW + timedelta(days=days)
    names = {
        "trusted": True, "verify_code": None, "verify_message": None, "name_matches": True, "expected_name": "x",
        "not_before": NOW - timedelta(days=10), "not_after": ends, "judged_at": NOW, "subject": "CN=x",
        "issuer": "CN=Middle", "names": ("x",), "serial_hex": "1", "key_type": "EC", "key_bits": 256,
        "signature_hash": "sha256", "protocol": "TLSv1.3", "cipher": "x", "chain_length": 2, "refused": None,
        "address": address, "chain": (ChainLink("CN=x", ends), ChainLink("CN=Middle", NOW + timedelta(days=middle))),
    }  # fmt: skip
    return CertificateFacts(**{**names, **changes})


def failure(reason="connection refused", connected=False, out_of_reach=False):
    return AddressFailure("192.0.2.2", reason, connected, out_of_reach)


def worst(judged, item, *certificates, failures=(), left_out=0):
    endpoint = EndpointFacts(certificates, tuple(failures), left_out)
    return judged("security", item, certificates=endpoint).worst


@pytest.mark.parametrize(
    ("shown", "verdict", "sentence"),
    [
        ([certificate()], "normal", "80 days (until 2026-05-21 00:00 UTC)"),
        ([certificate(middle=1)], "alert", "1 days (of CN=Middle, which vouches for it, until 2026-03-03 00:00 UTC)"),
        ([certificate(), certificate("192.0.2.2", days=-1)], "alert", "192.0.2.2 -1 days (until 2026-03-01 00:00 UTC)"),
        ([certificate(), certificate("192.0.2.2", days=20)], "warning", "192.0.2.2 20 days"),
    ],
)
def test_what_ends_first_of_all_that_is_shown(judged, shown, verdict, sentence):
    seen = worst(judged, "certificate-expiry", *shown)
    assert seen.verdict == verdict
    assert sentence in seen.observed


@pytest.mark.parametrize("item", ["certificate-expiry", "certificate-trust"])
@pytest.mark.parametrize(
    ("failures", "left_out", "verdict", "sentence"),
    [
        ([failure()], 0, "warning", "192.0.2.2: connection refused"),
        ([failure("what listens there does not speak TLS", connected=True)], 0, "alert", "does not speak TLS"),
        ([failure("no route to it", out_of_reach=True)], 0, "normal", ""),
        ([], 3, "warning", "3 more addresses, not looked at"),
    ],
)
def test_addresses_without_a_certificate(judged, item, failures, left_out, verdict, sentence):
    seen = worst(judged, item, certificate(), failures=failures, left_out=left_out)
    assert seen.verdict == verdict
    assert sentence in seen.observed


def test_trust_is_told_by_address(judged):
    bad = certificate("192.0.2.2", trusted=False, verify_code=10, verify_message="certificate has expired")
    seen = worst(judged, "certificate-trust", certificate(), bad)
    assert (seen.verdict, seen.observed) == ("alert", "192.0.2.2: certificate has expired (code 10)")
