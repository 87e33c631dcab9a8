"""HTTP servers that mean harm, one per first part of the path: http://127.0.0.1:port/endless."""

from __future__ import annotations

import contextlib
import gzip
import json
import socket
import threading
import time
import zlib
from collections.abc import Callable, Iterator

from tests.hostile.poison import poison

CHUNK = b"x" * 65536
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
Behaviour = Callable[[socket.socket, str], None]


def _json(connection: socket.socket, body: bytes, head: bytes = HEAD, length: bool = True) -> None:
    head += b"Content-Length: %d\r\n" % len(body) if length else b""
    connection.sendall(head + b"Connection: close\r\n\r\n" + body)


def drip(connection: socket.socket, path: str) -> None:
    """Byte by byte, so that no single wait is ever long."""
    for byte in HEAD + b"Content-Length: 100000\r\n\r\n" + b"{" * 100000:
        connection.sendall(bytes([byte]))
        time.sleep(0.1)


def drip_headers(connection: socket.socket, path: str) -> None:
    connection.sendall(HEAD)
    while True:
        connection.sendall(b"X-More: 1\r\n")
        time.sleep(0.1)


def endless(connection: socket.socket, path: str) -> None:
    connection.sendall(HEAD + b"\r\n")
    while True:
        connection.sendall(CHUNK)


def endless_chunks(connection: socket.socket, path: str) -> None:
    connection.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
    while True:
        connection.sendall(b"10000\r\n" + CHUNK + b"\r\n")


def endless_header(connection: socket.socket, path: str) -> None:
    connection.sendall(HEAD + b"X-Long: ")
    while True:
        connection.sendall(CHUNK)


def endless_status(connection: socket.socket, path: str) -> None:
    connection.sendall(b"HTTP/1.1 200 ")
    while True:
        connection.sendall(CHUNK)


def informational(connection: socket.socket, path: str) -> None:
    while True:
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n" * 1000)


def _bomb(mebibytes: int) -> bytes:
    # In pieces: a child's peak of memory is counted from its parent's size on.
    packer = zlib.compressobj(9, wbits=31)
    return b"".join([*(packer.compress(bytes(1024 * 1024)) for _ in range(mebibytes)), packer.flush()])


_BOMB = _bomb(200)


def bomb(connection: socket.socket, path: str) -> None:
    """200 MB in 200 KB."""
    _json(connection, _BOMB, HEAD + b"Content-Encoding: gzip\r\n")


def nested_bomb(connection: socket.socket, path: str) -> None:
    _json(connection, gzip.compress(_BOMB), HEAD + b"Content-Encoding: gzip, gzip\r\n")


def loop(connection: socket.socket, path: str) -> None:
    connection.sendall(f"HTTP/1.1 302 Found\r\nLocation: {path}x\r\nContent-Length: 0\r\n\r\n".encode())


def deep(connection: socket.socket, path: str) -> None:
    _json(connection, b'{"success":true,"data":' + b"[" * 900_000)


def deep_objects(connection: socket.socket, path: str) -> None:
    _json(connection, b'{"data":' * 100_000 + b"1" + b"}" * 100_000)


def long_number(connection: socket.socket, path: str) -> None:
    number = b"9" * 500_000
    _json(connection, b'{"success":true,"data":{"status":"ok","service":"x","uptime":' + number + b"}}")


def not_utf8(connection: socket.socket, path: str) -> None:
    _json(connection, b'{"success":true,"data":{"status":"\xff\xfe\xed\xa0\x80","service":"\xc0\xaf\x00"}}')


def surrogates(connection: socket.socket, path: str) -> None:
    text = '{"success":true,"data":{"status":"\\ud800","service":"\\udfff \\u0000 \\u202e","error":"\\ud83d"}}'
    _json(connection, text.encode())


def too_short(connection: socket.socket, path: str) -> None:
    connection.sendall(HEAD + b"Content-Length: 1000000\r\n\r\n{")


def garbage(connection: socket.socket, path: str) -> None:
    connection.sendall(b"\x16\x03\x01\x00\x1b[2J\xff\xff\r\n\r\n" * 100)


def silence(connection: socket.socket, path: str) -> None:
    time.sleep(3600)


def _scripted(status: int, body: str, kind: str) -> bytes:
    value = poison("header", controls=False).encode("utf-8").replace(b"\r", b"").replace(b"\n", b"")
    escapes = b"\x1b[31m\x08"
    lines = [f"HTTP/1.1 {status} ".encode() + poison("status-line", controls=False).encode().replace(b"\x85", b"")]
    for name in ("Server", "X-Powered-By", "Content-Security-Policy", "Strict-Transport-Security", "X-Frame-Options",
                 "X-Content-Type-Options", "Referrer-Policy", "Access-Control-Allow-Origin",
                 "Access-Control-Allow-Credentials", "Retry-After", "Date"):  # fmt: skip
        lines.append(name.encode() + b": " + value + escapes)
    content = body.encode("utf-8", "surrogatepass")
    lines += [b"Content-Type: " + kind.encode(), b"Content-Length: %d" % len(content), b"Connection: close", b"", b""]
    return b"\r\n".join(lines) + content


def script(connection: socket.socket, path: str) -> None:
    """Every text of the API is an attack."""
    output = {key: poison(f"api-{key}") for key in ("status", "service", "database", "error", "version", "environment")}
    body = {"success": False, "data": {**output, "timestamp": poison("api-time"), "uptime": 5}, "meta": poison("meta")}
    connection.sendall(_scripted(503, json.dumps(body), "application/json; charset=" + "x" * 50))


def shapeless(connection: socket.socket, path: str) -> None:
    """The same with a good status, in which only the texts are wrong."""
    output = {key: poison(f"ok-{key}") for key in ("status", "service", "database", "version", "environment")}
    body = {"success": True, "data": {**output, "uptime": -1e308}, "meta": {"total": "1e999", "page": {}, "limit": []}}
    connection.sendall(_scripted(200, json.dumps(body), "application/json"))


def page(connection: socket.socket, path: str) -> None:
    """A front end whose title, scripts and styles are attacks."""
    src = "/page/_next/" + poison("asset", controls=False).replace('"', "").replace(">", "%3e")
    body = f"""<!DOCTYPE html><title>{poison("title").replace("</script>", "")}</title><base href="javascript:alert(1)//">
    <script src="{src}"></script><script src="file:///etc/passwd"></script><link rel=stylesheet href="http://[::1">
    <script src="data:text/javascript,alert(1)"></script><link rel=stylesheet href="//127.0.0.1:1/{src}">"""
    connection.sendall(_scripted(404 if "_next" in path else 503, body, "text/html"))


def location(connection: socket.socket, path: str) -> None:
    target = poison("location", controls=False).encode().replace(b"\x85", b"")
    connection.sendall(b"HTTP/1.1 302 Found\r\nLocation: //" + target + b"\x1b[31m\r\nContent-Length: 0\r\n\r\n")


BEHAVIOURS: dict[str, Behaviour] = {
    one.__name__.replace("_", "-"): one
    for one in (
        drip, drip_headers, endless, endless_chunks, endless_header, endless_status, informational, bomb, nested_bomb,
        loop, deep, deep_objects, long_number, not_utf8, surrogates, too_short, garbage, silence, script, shapeless,
        page, location,
    )
}  # fmt: skip


@contextlib.contextmanager
def hostile() -> Iterator[str]:
    """Serve them all; gives the address."""
    open_ones: set[socket.socket] = set()

    def serve(connection: socket.socket) -> None:
        with contextlib.suppress(OSError, IndexError), connection:
            while True:
                request = b""
                while b"\r\n\r\n" not in request:
                    piece = connection.recv(65536)
                    if not piece:
                        return
                    request += piece
                path = request.split(b" ", 2)[1].decode("latin-1")
                name = path.split("/")[1]
                while name not in BEHAVIOURS:  # the loop adds letters
                    name = name[:-1]
                BEHAVIOURS[name](connection, path)
                if name != "loop":
                    return

    with socket.create_server(("127.0.0.1", 0), backlog=256) as server:

        def accept() -> None:
            while True:
                try:
                    connection = server.accept()[0]
                except OSError:
                    return
                open_ones.add(connection)
                threading.Thread(target=serve, args=(connection,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)
        for connection in open_ones:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
