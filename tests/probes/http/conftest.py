"""A real HTTP server whose answers a test writes itself."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

Handler = Callable[[BaseHTTPRequestHandler], None]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that hang up are the point of these tests."""


@dataclass
class Site:
    """Paths and what answers them; `requests` are the (method, path, headers) seen."""

    url: str
    port: int
    server: _Server
    routes: dict[str, Handler] = field(default_factory=dict)
    requests: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    """Of the requests that had one."""
    connections: set[int] = field(default_factory=set)

    def answer(self, path: str, body: bytes | str = b"", status: int = 200, **headers: str) -> None:
        payload = body.encode() if isinstance(body, str) else body

        def handle(request: BaseHTTPRequestHandler) -> None:
            request.send_response(status)
            for name, value in {"Content_Type": "application/json", **headers}.items():
                request.send_header(name.replace("_", "-"), value)
            request.send_header("Content-Length", str(len(payload)))
            request.end_headers()
            request.wfile.write(payload)

        self.routes[path] = handle

    def raw(self, path: str, *pieces: bytes, pause: float = 0, forever: bool = False) -> None:
        """Send bytes as they are, with pauses between, then close."""
        stop = threading.Event()

        def handle(request: BaseHTTPRequestHandler) -> None:
            request.close_connection = True
            while True:
                for piece in pieces:
                    request.wfile.write(piece)
                    request.wfile.flush()
                    if pause and stop.wait(pause):
                        return
                if not forever:
                    return

        self.routes[path] = handle


@contextmanager
def _served(address: str, port: int) -> Iterator[Site]:
    class Handle(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *unused: Any) -> None:
            pass

        def do_GET(self) -> None:
            made.connections.add(self.client_address[1])
            made.requests.append((self.command, self.path, dict(self.headers)))
            route = made.routes.get(self.path) or made.routes.get(self.path.partition("?")[0]) or made.routes.get("*")
            if route is None:
                self.send_error(404)
            else:
                route(self)

        def do_POST(self) -> None:
            made.bodies.append(self.rfile.read(int(self.headers.get("Content-Length", 0))))
            self.do_GET()

        do_OPTIONS = do_GET

    server = _Server((address, port), Handle)
    made = Site(f"http://{address}:{server.server_port}", server.server_port, server)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield made
    server.shutdown()
    server.server_close()


@pytest.fixture
def site() -> Iterator[Site]:
    with _served("127.0.0.1", 0) as made:
        yield made


@pytest.fixture
def another_site() -> Iterator[Callable[[str, int], Site]]:
    """another_site("127.0.0.2", port): one more, at an address of the test's own choice."""
    with ExitStack() as stack:
        yield lambda address, port: stack.enter_context(_served(address, port))


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port that accepts connections and never says a word."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen()
        yield sock.getsockname()[1]


@pytest.fixture
def closed_port() -> int:
    """A port on which nothing listens."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port
