"""Real TLS endpoints, well and ill, on loopback."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import trustme

from opsverify.config.environment import Certificate
from opsverify.evidence.deadline import Deadline
from opsverify.probes.tls.certificate import Handshake
from opsverify.probes.tls.probe import probe as tls_probe
from tests.pace import AMPLE, SOON


@dataclass
class Authority:
    """A certificate authority, its root in a file, and shorthands for what it issues."""

    ca: trustme.CA
    file: Path

    def issue(self, *names: str, days: float = 100, since: float = -10) -> trustme.LeafCert:
        now = datetime.now(UTC)
        until, start = now + timedelta(days=days), now + timedelta(days=since)
        return self.ca.issue_cert(*names, not_after=until, not_before=start)


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    made = Authority(trustme.CA(), tmp_path_factory.mktemp("ca") / "ca.pem")
    made.ca.cert_pem.write_to_path(str(made.file))
    return made


Serve = Callable[..., int]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """serve(certificate, setup=…, postgres=…, at=…) → port of a TLS server."""
    listeners: list[socket.socket] = []

    def start(
        certificate: Any,
        setup: Callable[[Any], None] | None = None,
        postgres: bytes = b"",
        at: tuple[str, int] = ("127.0.0.1", 0),
    ) -> int:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate.configure_cert(context)
        if setup is not None:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)  # old protocols are the point
                setup(context)
        listener = socket.create_server(at)
        listeners.append(listener)

        def talk(sock: socket.socket) -> None:
            with sock, contextlib.suppress(OSError):
                sock.settimeout(3)
                if postgres:
                    assert struct.unpack("!II", sock.recv(8)) == (8, 80877103)
                    sock.sendall(postgres)
                with context.wrap_socket(sock, server_side=True) as wrapped:
                    wrapped.recv(1)

        def accept() -> None:
            while True:
                try:
                    sock, _ = listener.accept()
                except OSError:
                    return
                threading.Thread(target=talk, args=(sock,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        port: int = listener.getsockname()[1]
        return port

    yield start
    for listener in listeners:
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()


@pytest.fixture
def look_everywhere(authority: Authority) -> Callable[..., Any]:
    """look_everywhere(port) → EndpointFacts, within the deadline or the test fails."""

    def ask(port: int, seconds: float = AMPLE, **more: Any) -> Any:
        given = {"name": "main", "address": "localhost", "port": port, "ca_file": authority.file, **more}
        began = time.monotonic()
        try:
            answers = tls_probe(Certificate.model_validate(given), frozenset([Handshake()]), Deadline(seconds))
        finally:
            assert time.monotonic() - began < SOON
        return answers[Handshake()]

    return ask


@pytest.fixture
def look(look_everywhere: Callable[..., Any]) -> Callable[..., Any]:
    """look(port) → CertificateFacts of the one address that shows a certificate."""

    def ask(port: int, **more: Any) -> Any:
        (certificate,) = look_everywhere(port, **more).certificates
        return certificate

    return ask
