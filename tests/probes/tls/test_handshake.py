"""The verdict of trust and the certificate's own facts, on real handshakes."""

from __future__ import annotations

import contextlib
import pickle
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import trustme

from opsverify.errors import ProbeError, Unreachable
from opsverify.probes.tls.transport import name_matches
from tests.pace import HANGS


def test_a_good_certificate_is_trusted(authority: Any, serve: Any, look: Any) -> None:
    seen = pickle.loads(pickle.dumps(look(serve(authority.issue("localhost", "*.example.com", "127.0.0.1")))))
    assert seen.trusted
    assert (seen.verify_code, seen.verify_message, seen.refused) == (None, None, None)
    assert seen.name_matches
    assert 99.9 < seen.days_left < 100
    assert not seen.expired
    assert not seen.not_yet_valid
    assert set(seen.names) == {"localhost", "*.example.com", "127.0.0.1"}
    assert (seen.protocol, seen.protocol_current) == ("TLSv1.3", True)
    assert (seen.key_type, seen.key_bits, seen.signature_hash) == ("EC", 256, "sha256")
    assert seen.cipher.startswith("TLS_")
    assert int(seen.serial_hex, 16) > 0
    assert "Testing CA" in seen.issuer
    assert seen.chain_length == 1


def test_expired(authority: Any, serve: Any, look: Any) -> None:
    seen = look(serve(authority.issue("localhost", days=-1.5)))
    assert (seen.trusted, seen.verify_code, seen.verify_message) == (False, 10, "certificate has expired")
    assert seen.expired
    assert seen.name_matches
    assert -1.6 < seen.days_left < -1.4


def test_not_yet_valid(authority: Any, serve: Any, look: Any) -> None:
    seen = look(serve(authority.issue("localhost", since=2)))
    assert (seen.trusted, seen.verify_code, seen.not_yet_valid, seen.expired) == (False, 9, True, False)


def test_another_host(authority: Any, serve: Any, look: Any) -> None:
    seen = look(serve(authority.issue("other.example.com")))
    assert (seen.trusted, seen.verify_code, seen.name_matches) == (False, 62, False)
    assert seen.expected_name == "localhost"
    assert not seen.expired


def test_expired_and_another_host_are_told_both(authority: Any, serve: Any, look: Any) -> None:
    seen = look(serve(authority.issue("other.example.com", days=-3)))
    assert not seen.trusted
    assert seen.verify_code in (10, 62)
    assert seen.expired
    assert not seen.name_matches


def test_an_unknown_authority_and_a_self_signed_certificate(serve: Any, look: Any) -> None:
    stranger = trustme.CA()
    seen = look(serve(stranger.issue_cert("localhost")))
    assert not seen.trusted
    assert seen.verify_code in (18, 19, 20)
    assert seen.name_matches


def test_an_incomplete_chain(authority: Any, serve: Any, look: Any) -> None:
    child = authority.ca.create_child_ca()
    leaf = child.issue_cert("localhost")
    whole = look(serve(leaf))
    assert whole.trusted
    assert whole.chain_length == 2
    leaf.cert_chain_pems[1:] = []
    seen = look(serve(_leaf_only(leaf)))
    assert (seen.trusted, seen.verify_code, seen.chain_length) == (False, 20, 1)


def _leaf_only(leaf: trustme.LeafCert) -> Any:
    class LeafOnly:
        def configure_cert(self, context: ssl.SSLContext) -> None:
            pem = leaf.private_key_pem.bytes() + leaf.cert_chain_pems[0].bytes()
            with trustme.Blob(pem).tempfile() as path:
                context.load_cert_chain(path)

    return LeafOnly()


def test_the_server_name_counts_where_one_is_given(authority: Any, serve: Any, look: Any) -> None:
    port = serve(authority.issue("cats.example.com"))
    assert look(port, server_name="cats.example.com").trusted
    assert look(port, server_name="dogs.example.com").verify_code == 62
    assert look(serve(authority.issue("127.0.0.1")), address="127.0.0.1").trusted


@pytest.mark.parametrize("name", ["", ".", "a..b", "x" * 300])
def test_a_name_that_cannot_be_asked_for(authority: Any, serve: Any, look: Any, name: str) -> None:
    port = serve(authority.issue("localhost"))
    if not name:
        assert look(port, server_name=name).trusted  # an empty one counts as none
    else:
        with pytest.raises(ProbeError):
            look(port, server_name=name)


def test_a_required_client_certificate_does_not_hide_the_server_s(authority: Any, serve: Any, look: Any) -> None:
    def require(context: ssl.SSLContext) -> None:
        context.verify_mode = ssl.CERT_REQUIRED
        authority.ca.configure_trust(context)

    assert look(serve(authority.issue("localhost"), require)).trusted

    def require_old(context: ssl.SSLContext) -> None:
        require(context)
        context.maximum_version = ssl.TLSVersion.TLSv1_2

    seen = look(serve(authority.issue("localhost", days=20), require_old))
    assert seen.trusted, "it verified before the server asked for ours"
    assert seen.protocol == "TLSv1.2"
    assert "client certificate" in seen.refused
    assert 19.9 < seen.days_left < 20
    assert seen.name_matches
    for ill, code in ((authority.issue("localhost", days=-1), 10), (authority.issue("other.example.com"), 62)):
        seen = look(serve(ill, require_old))
        assert (seen.trusted, seen.verify_code) == (False, code)
        assert seen.refused is not None


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
def test_a_retired_protocol_is_told_and_never_trusted(authority: Any, serve: Any, look: Any, version: Any) -> None:
    def old_only(context: ssl.SSLContext) -> None:
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version = version
        context.maximum_version = version

    seen = look(serve(authority.issue("localhost"), old_only))
    assert not seen.trusted
    assert not seen.protocol_current
    assert seen.verify_code is None
    assert seen.verify_message == "its TLS protocol is older than TLS 1.2"
    assert seen.protocol == version.name.replace("_", ".")


def test_tls_1_2_is_current(authority: Any, serve: Any, look: Any) -> None:
    def limit(context: ssl.SSLContext) -> None:
        context.maximum_version = ssl.TLSVersion.TLSv1_2

    seen = look(serve(authority.issue("localhost"), limit))
    assert (seen.trusted, seen.protocol, seen.protocol_current, seen.chain_length) == (True, "TLSv1.2", True, 1)


def test_postgres_asks_for_tls_inside_its_protocol(authority: Any, serve: Any, look: Any) -> None:
    leaf = authority.issue("localhost")
    assert look(serve(leaf, postgres=b"S"), protocol="postgres").trusted
    with pytest.raises(ProbeError, match=r"localhost:\d+: the PostgreSQL server offers no TLS$"):
        look(serve(leaf, postgres=b"N"), protocol="postgres")
    with pytest.raises(ProbeError, match="does not speak PostgreSQL's protocol"):
        look(serve(leaf, postgres=b"H"), protocol="postgres")


@contextlib.contextmanager
def _listening(talk: Any) -> Iterator[int]:
    """A port on which `talk` gets every connection."""
    listener = socket.create_server(("127.0.0.1", 0))

    def accept() -> None:
        try:
            while True:
                sock, _ = listener.accept()
                threading.Thread(target=talk, args=(sock,), daemon=True).start()
        except OSError:
            return

    threading.Thread(target=accept, daemon=True).start()
    yield listener.getsockname()[1]
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()


def _silent(sock: socket.socket) -> None:
    with sock, contextlib.suppress(OSError):
        sock.settimeout(HANGS)
        while sock.recv(1000):
            pass


def _drip(sock: socket.socket) -> None:
    # A TLS record header that announces more than will ever come, a byte at a time.
    with sock:
        try:
            sock.sendall(b"\x16\x03\x03\x3f\xff")
            for _ in range(6000):
                sock.sendall(b"\x02")
                time.sleep(0.1)
        except OSError:
            return


def _http(sock: socket.socket) -> None:
    with sock:
        sock.recv(100)
        sock.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")


def _hang_up(sock: socket.socket) -> None:
    sock.close()


@pytest.mark.parametrize("protocol", ["tls", "postgres"])
@pytest.mark.parametrize("talk", [_silent, _drip])
def test_a_silent_or_dripping_peer_ends_at_the_deadline(look: Any, talk: Any, protocol: str) -> None:
    with _listening(talk) as port, pytest.raises(ProbeError) as caught:
        look(port, seconds=0.5, protocol=protocol)
    if (talk, protocol) != (_drip, "postgres"):
        assert isinstance(caught.value, Unreachable)
        assert str(caught.value) == f"localhost:{port}: no answer within 0.5 s"


def test_what_speaks_no_tls(look: Any) -> None:
    with _listening(_http) as port, pytest.raises(Unreachable, match=r"what listens there does not speak TLS$"):
        look(port)


def test_a_peer_that_hangs_up(look: Any) -> None:
    with _listening(_hang_up) as port, pytest.raises(Unreachable, match="closed"):
        look(port)


def test_refused_and_unresolved(look: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(Unreachable) as caught:
        look(port)
    assert str(caught.value) == f"localhost:{port}: connection refused"
    with pytest.raises(Unreachable, match=r"^no-such-host\.invalid:443: its name could not be resolved$"):
        look(443, address="no-such-host.invalid")


def test_a_ca_file_that_is_none(authority: Any, serve: Any, look: Any, tmp_path: Any) -> None:
    port = serve(authority.issue("localhost"))
    empty = tmp_path / "empty.pem"
    empty.write_text("nothing\n")
    for path in (empty, tmp_path / "missing.pem"):
        with pytest.raises(ProbeError, match="is missing or holds no certificate"):
            look(port, ca_file=path)


@pytest.mark.parametrize(
    ("expected", "names", "addresses", "matches"),
    [
        ("cats.example.com", ["cats.example.com"], [], True),
        ("CATS.example.com.", ["cats.EXAMPLE.com"], [], True),
        ("cats.example.com", ["*.example.com"], [], True),
        ("a.b.example.com", ["*.example.com"], [], False),
        ("example.com", ["*.example.com"], [], False),
        ("cats.example.com", ["c*.example.com"], [], False),
        ("cats.example.com", ["*"], [], False),
        ("com", ["*.com"], [], False),
        ("127.0.0.1", ["127.0.0.1"], [], False),
        ("127.0.0.1", [], ["127.0.0.1"], True),
        ("::1", [], ["::1"], True),
        ("[::1]", [], ["::1"], True),
        ("bücher.example", ["xn--bcher-kva.example"], [], True),
        ("", [""], [], False),
        ("cats.example.com", [], [], False),
    ],
)
def test_names_match_by_rfc_9525(expected: str, names: list[str], addresses: list[str], matches: bool) -> None:
    assert name_matches(expected, names, addresses) is matches
