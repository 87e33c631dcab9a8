"""TCP and TLS with a hard deadline, and one clear sentence for each way in which they fail.

The HTTP and PostgreSQL probes use this too. A socket's own timeout bounds one receive, not a conversation: a peer
that sends a byte now and then holds a reader for ever. `Watchdog` shuts the sockets of a probe down instead.
"""

from __future__ import annotations

import contextlib
import errno
import ipaddress
import re
import socket
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from opsverify.errors import ProbeError, Unreachable
from opsverify.evidence.deadline import Deadline

if TYPE_CHECKING:
    import ssl

SocketAddress = tuple[Any, ...]
Resolved = tuple[int, SocketAddress]


class Watchdog:
    """Shuts watched sockets down when the deadline passes, so that no blocked read outlives it.

    It holds duplicates of the descriptors: shutting one down ends the connection for every holder, in the middle of
    a TLS handshake too, while closing a number that is already in use elsewhere could hit a stranger.
    """

    def __init__(self, deadline: Deadline) -> None:
        self._lock = threading.Lock()
        self._watched: list[socket.socket] = []
        self.expired = False
        self._timer = threading.Timer(deadline.remaining(), self._expire)
        self._timer.daemon = True

    def watch(self, sock: socket.socket) -> None:
        """Watch one more connected socket; the caller keeps closing its own."""
        with self._lock:
            if self.expired:
                sock.shutdown(socket.SHUT_RDWR)
            else:
                self._watched.append(sock.dup())

    def _expire(self) -> None:
        with self._lock:
            self.expired = True
            for sock in self._watched:
                with contextlib.suppress(OSError):  # already closed by the peer
                    sock.shutdown(socket.SHUT_RDWR)
            self._release()

    def _release(self) -> None:
        for sock in self._watched:
            sock.close()
        self._watched.clear()

    def __enter__(self) -> Watchdog:
        self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        with self._lock:
            self._release()


def resolve(host: str, port: int, deadline: Deadline) -> list[Resolved]:
    """(family, socket address) of every address of `host`, in the resolver's order.

    The C library's resolver knows no deadline (resolv.conf(5): 5 s per server and attempt), so it is left alone in a
    daemon thread when it takes too long. Raises OSError (gaierror) or TimeoutError.
    """
    addresses: list[Resolved] = []
    failure: list[OSError] = []

    def look_up() -> None:
        try:
            for family, _, _, _, address in socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM):
                addresses.append((family, address))
        except OSError as error:
            failure.append(error)
        except UnicodeError:
            failure.append(socket.gaierror(socket.EAI_NONAME, "not a host name"))

    thread = threading.Thread(target=look_up, daemon=True, name="resolve")
    thread.start()
    thread.join(deadline.remaining())
    if failure:
        raise failure[0]
    if not addresses:
        raise TimeoutError("the resolver did not answer")
    return addresses


def not_from_here(address: str, error: OSError) -> bool:
    """Whether a failed connection to one address of several says nothing about it: this machine has no such network,
    or it is a loopback address, which a name has for this machine's own use."""
    return error.errno in (errno.ENETUNREACH, errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT) or is_loopback(address)


def is_loopback(address: str) -> bool:
    """Whether an address, as a resolver writes it, leads to the machine itself."""
    return ipaddress.ip_address(address.partition("%")[0]).is_loopback


_METADATA = ("fd00:ec2::254", "100.100.100.200", "168.63.129.16")
"""Where platforms tell a machine its own secrets outside 169.254.0.0/16: AWS over IPv6, Alibaba Cloud, Azure."""


def is_of_the_platform(address: str) -> bool:
    """Whether an address leads to the platform that a machine runs on, its metadata service: link-local, or one of
    those that platforms document."""
    parsed = ipaddress.ip_address(address.partition("%")[0])
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    return (mapped or parsed).is_link_local or str(mapped or parsed) in _METADATA


@dataclass(frozen=True)
class Connected:
    """A connected TCP socket and what it took: seconds for the name, seconds for the connection."""

    socket: socket.socket
    resolve_seconds: float
    connect_seconds: float


def connect(host: str, port: int, deadline: Deadline) -> Connected:
    """Connect to the first address of `host` that answers. Raises OSError as `resolve` and `socket.connect` do."""
    began = time.monotonic()
    addresses = resolve(host, port, deadline)
    resolved = time.monotonic()
    sock = connect_to(addresses, deadline)
    return Connected(sock, resolved - began, time.monotonic() - resolved)


def connect_to(addresses: Sequence[Resolved], deadline: Deadline) -> socket.socket:
    """A connection to the first of these addresses that answers. Raises OSError as `socket.connect` does.

    Each address gets a fair share of the time left: a silent first one (IPv6 without a route back) must not
    spend it all.
    """
    failure: OSError = OSError("no address")
    for index, (family, address) in enumerate(addresses):
        sock = socket.socket(family, socket.SOCK_STREAM)
        try:
            sock.settimeout(deadline.remaining() / (len(addresses) - index))
            sock.connect(address)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError as error:
            sock.close()
            failure = error
        except ProbeError:
            sock.close()
            raise
        else:
            sock.settimeout(deadline.remaining())
            return sock
    raise failure


def trusting(ca_file: Path | None) -> ssl.SSLContext:
    """A context that verifies chain and host name, TLS 1.2 or newer, against `ca_file` or the system's store.

    Python 3.13 adds VERIFY_X509_STRICT (RFC 5280 to the letter, which browsers and nginx do not ask for) and
    VERIFY_X509_PARTIAL_CHAIN to the default context; both are set alike for every version here, or the verdict
    would depend on the interpreter. Raises ProbeError when `ca_file` cannot be used.
    """
    import ssl

    try:
        context = ssl.create_default_context(cafile=str(ca_file) if ca_file else None)
        if ca_file is None and not _has_system_store():
            import certifi

            context.load_verify_locations(certifi.where())
    except (OSError, ssl.SSLError):
        raise ProbeError(f"the CA file {ca_file} is missing or holds no certificate") from None
    context.verify_flags &= ~getattr(ssl, "VERIFY_X509_STRICT", 0)
    context.verify_flags |= getattr(ssl, "VERIFY_X509_PARTIAL_CHAIN", 0)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _has_system_store() -> bool:
    import ssl

    paths = ssl.get_default_verify_paths()
    return paths.cafile is not None or (paths.capath is not None and any(Path(paths.capath).iterdir()))


def unreachable(place: str, error: BaseException, deadline: Deadline) -> Unreachable:
    """The one cause sentence for `place` (host:port). Never quotes a foreign message that could hold a secret."""
    return Unreachable(f"{place}: {explain(error, deadline.seconds)}")


def explain(error: BaseException, seconds: float) -> str:
    """What a network or TLS error means, in a few words.

    Verify messages are OpenSSL's own (x509_verify_cert_error_string), which name no secret.
    """
    import ssl

    if isinstance(error, ssl.SSLCertVerificationError):
        return f"TLS not verified: {(error.verify_message or 'certificate verify failed').rstrip('.')}"
    if isinstance(error, (ssl.SSLEOFError, ssl.SSLZeroReturnError)):
        return "the connection was closed during the TLS handshake"
    if isinstance(error, ssl.SSLError):
        return _tls_failure(error.reason or "")
    if isinstance(error, socket.gaierror):
        return "its name could not be resolved"
    if isinstance(error, TimeoutError) or getattr(error, "errno", None) == errno.ETIMEDOUT:
        return f"no answer within {seconds:g} s"
    if isinstance(error, ConnectionRefusedError):
        return "connection refused"
    if isinstance(error, (ConnectionResetError, BrokenPipeError, ConnectionAbortedError)):
        return "the connection was closed without an answer"
    if isinstance(error, OSError) and error.errno in (errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EADDRNOTAVAIL):
        return "no route to it"
    if isinstance(error, OSError) and error.errno:
        return f"the connection failed ({errno.errorcode.get(error.errno, error.errno)})"
    return f"the connection failed ({type(error).__name__})"


_NO_TLS = {
    "WRONG_VERSION_NUMBER",
    "HTTP_REQUEST",
    "HTTPS_PROXY_REQUEST",
    "UNKNOWN_PROTOCOL",
    "PACKET_LENGTH_TOO_LONG",
    "RECORD_LAYER_FAILURE",
    "UNEXPECTED_MESSAGE",
}
_OLD_TLS = {"TLSV1_ALERT_PROTOCOL_VERSION", "UNSUPPORTED_PROTOCOL", "NO_PROTOCOLS_AVAILABLE"}


def _tls_failure(reason: str) -> str:
    if reason in _NO_TLS:
        return "what listens there does not speak TLS"
    if reason in _OLD_TLS:
        return "its TLS protocol is older than TLS 1.2"
    if "CERTIFICATE_REQUIRED" in reason or reason == "SSLV3_ALERT_HANDSHAKE_FAILURE":
        return f"the TLS handshake was refused ({reason.lower()}; does it require a client certificate?)"
    return f"the TLS handshake failed ({reason.lower() or 'unknown reason'})"


# Control characters, lone surrogates (no file takes them) and marks that reverse what a reader sees.
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\u200e\u200f\u202a-\u202e\u2066-\u2069]+")
_USERINFO = re.compile(r"(?<=://)[^/\s@'\"]{1,200}@")


def printable(text: str, at_most: int = 300) -> str:
    """`text` on one line, safe for terminals and files, without the userinfo of any URL, cut at `at_most`."""
    line = " ".join(_USERINFO.sub("…@", _UNPRINTABLE.sub(" ", text[: 4 * at_most])).split())
    return line if len(line) <= at_most else line[: at_most - 1] + "…"
