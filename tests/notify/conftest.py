"""What takes messages: real servers for mail and HTTP on loopback, and real scripts."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import trustme

from opsverify.config.environment import Environment
from opsverify.config.history_location import Location, locate
from opsverify.notify.telling import Telling
from opsverify.reporting.results import Result
from opsverify.reporting.text import Redactor

MONDAY = datetime(2026, 11, 30, 3, 0, tzinfo=UTC)
"""Noon in Tokyo."""


@dataclass
class Receiver:
    """An HTTP server that keeps what it was sent. `answers` are given in turn, the last one for ever; 0 hangs."""

    address: str = ""
    answers: list[int] = field(default_factory=lambda: [200])
    asked: list[tuple[str, str, bytes, dict[str, str]]] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)

    @property
    def bodies(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _, _, body, _ in self.asked if body]

    @property
    def paths(self) -> list[str]:
        return [path for _, path, _, _ in self.asked]


@pytest.fixture
def receive() -> Iterator[Callable[..., Receiver]]:
    """Start receivers for the length of a test; with a `ca`, over TLS."""
    started: list[tuple[ThreadingHTTPServer, Receiver]] = []

    def start(*answers: int, ca: trustme.CA | None = None) -> Receiver:
        receiver = Receiver()
        receiver.answers = list(answers) or [200]

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                receiver.asked.append((self.command, self.path, body, dict(self.headers)))
                status = receiver.answers.pop(0) if len(receiver.answers) > 1 else receiver.answers[0]
                if status == 0:
                    receiver.released.wait(60)
                    return
                self.send_response(status)
                if 300 <= status < 400:
                    self.send_header("Location", "/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *arguments: Any) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        if ca is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            ca.issue_cert("localhost").configure_cert(context)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        name = "https://localhost" if ca else "http://127.0.0.1"
        receiver.address = f"{name}:{server.server_address[1]}"
        started.append((server, receiver))
        return receiver

    yield start
    for server, receiver in started:
        receiver.released.set()
        server.shutdown()
        server.server_close()


@dataclass
class Mailbox:
    """A mail server; `mails` are the messages that it took."""

    port: int
    mails: list[EmailMessage] = field(default_factory=list)
    logins: list[tuple[str, str]] = field(default_factory=list)


@pytest.fixture
def mailbox(request: pytest.FixtureRequest) -> Iterator[Callable[..., Mailbox]]:
    """Start mail servers, with a login and with a certificate of a `ca` where it is given."""
    from aiosmtpd.controller import Controller
    from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

    controllers = []

    def start(ca: trustme.CA | None = None, password: str = "") -> Mailbox:
        box = Mailbox(0)

        class Handler:
            async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
                box.mails.append(BytesParser(policy=default).parsebytes(envelope.content))  # type: ignore[arg-type]
                return "250 taken"

        def authenticate(server: Any, session: Any, envelope: Any, mechanism: str, data: LoginPassword) -> AuthResult:
            box.logins.append((data.login.decode(), data.password.decode()))
            return AuthResult(success=data.password.decode() == password)

        context = None
        if ca is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            ca.issue_cert("localhost").configure_cert(context)
        needed = {"authenticator": authenticate, "auth_required": True} if password else {}

        class On(Controller):
            def factory(self) -> SMTP:
                return SMTP(self.handler, tls_context=context, require_starttls=ca is not None, **needed)  # type: ignore[arg-type]

        controller = On(Handler(), hostname="127.0.0.1", port=_free_port())
        controller.start()
        controllers.append(controller)
        box.port = controller.port
        return box

    yield start
    for controller in controllers:
        controller.stop()


def _free_port() -> int:
    import socket

    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


@pytest.fixture(scope="session")
def ca() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def script(tmp_path: Path) -> Path:
    """A script as the runbook's: it appends its argument to a file beside it."""
    path = tmp_path / "send-alert.sh"
    path.write_text('#!/bin/sh\nprintf "%s\\n---\\n" "$1" >>"$0.sent"\n')
    path.chmod(0o755)
    return path


def finding(verdict: str = "alert", target: str = "app1", check: str = "disk-usage", **more: Any) -> Result:
    given = {
        "environment": "production", "target_kind": "hosts", "severity": "P2", "source": "MON", "observed": "97 %",
        "expected": "< 80 %", "value": "97.0", "unit": "%", "action": "Remove old logs.",
    }  # fmt: skip
    return Result(f"checks/test_x.py::{check}[{target}]", check, target=target, verdict=verdict, **{**given, **more})


def telling(folder: Path, history: str | None = None, **notify: Any) -> Telling:
    """Tells the channels of `notify`; its history is a file in the folder."""
    hosts = {name: {"name": name} for name in ("app1", "app2", "db1")}
    services = {"backend": {"name": "backend", "host": "app1", "unit": "mycats-backend"}}
    environment = Environment.model_validate(
        {"name": "production", "title": "My Cats", "hosts": hosts, "services": services, "notify": notify}
    )
    location: Location = locate(history, folder)
    return Telling(environment, location, Redactor(("s3cret-token",)), "45a60e6f00", pauses=(0.01, 0.01))
