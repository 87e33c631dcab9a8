"""The HTTP probe over TLS: verified against the CA that the environment names, with its phase timed."""

from __future__ import annotations

import json
import ssl
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import trustme

from opsverify.config.environment import Api, Frontend
from opsverify.errors import ProbeError, Unreachable
from opsverify.evidence.deadline import Deadline
from opsverify.probes.http.health import Health
from opsverify.probes.http.page import Page
from opsverify.probes.http.probe import probe as http_probe
from tests.pace import AMPLE


@pytest.fixture(scope="module")
def ca() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def secure(site: Any, ca: trustme.CA, tmp_path: Any) -> Any:
    """secure(certificate) turns the site to https and returns the target's settings."""

    def turn(certificate: trustme.LeafCert, trust: trustme.CA = ca) -> dict[str, Any]:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate.configure_cert(context)
        listening = site.server.socket
        site.server.socket = context.wrap_socket(listening, server_side=True, do_handshake_on_connect=False)
        file = tmp_path / "ca.pem"
        trust.cert_pem.write_to_path(str(file))
        return {"name": "main", "url": f"https://localhost:{site.port}", "ca_file": file}

    return turn


def ask(given: dict[str, Any]) -> Any:
    api = Api.model_validate({"samples": 1, **given})
    return http_probe(api, frozenset([Health()]), Deadline(AMPLE))[Health()]


def test_the_handshake_has_its_own_phase(site: Any, secure: Any, ca: trustme.CA) -> None:
    given = secure(ca.issue_cert("localhost"))
    site.answer("/health", json.dumps({"success": True, "data": {"status": "ok", "service": "x"}}))
    health = ask({**given, "samples": 2})
    assert health.is_api_json
    assert all(timing.tls > 0 and timing.dns > 0 for timing in health.timings)
    assert all(t.total >= t.dns + t.connect + t.tls + t.first_byte + t.body for t in health.timings)


@pytest.mark.parametrize("ill", ["expired", "other-host", "other-ca"])
def test_an_untrusted_certificate_is_one_clear_sentence(site: Any, secure: Any, ca: trustme.CA, ill: str) -> None:
    now = datetime.now(UTC)
    old = {"not_before": now - timedelta(days=9), "not_after": now - timedelta(days=1)}
    given, reason = {
        "expired": lambda: (secure(ca.issue_cert("localhost", **old)), "certificate has expired"),
        "other-host": lambda: (secure(ca.issue_cert("other.example.com")), "not valid for 'localhost'"),
        "other-ca": lambda: (secure(ca.issue_cert("localhost"), trustme.CA()), "unable to get local issuer"),
    }[ill]()
    with pytest.raises(Unreachable) as caught:
        ask(given)
    assert str(caught.value).startswith(f"https://localhost:{site.port}: TLS not verified: ")
    assert reason in str(caught.value)


def test_assets_keep_their_connections(site: Any, secure: Any, ca: trustme.CA) -> None:
    given = secure(ca.issue_cert("localhost"))
    site.answer("/", "".join(f"<script src=/{n}.js></script>" for n in range(12)), Content_Type="text/html")
    site.answer("*", "1", Content_Type="text/javascript")
    page = http_probe(Frontend.model_validate(given), frozenset([Page()]), Deadline(AMPLE))[Page()]
    assert len([asset for asset in page.assets if asset.ok]) == 12
    assert len(site.connections) <= 5


def test_a_missing_ca_file_is_named(site: Any, secure: Any, ca: trustme.CA, tmp_path: Any) -> None:
    given = secure(ca.issue_cert("localhost"))
    with pytest.raises(ProbeError, match=r"the CA file .*nowhere\.pem is missing"):
        ask({**given, "ca_file": tmp_path / "nowhere.pem"})
