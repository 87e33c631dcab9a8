"""One GET with hard limits and phase timings, over requests.

What requests leaves open and this closes: its timeout bounds one receive, not an answer (a watchdog ends the
connection); bodies and redirects' bodies have no size limit (2 MiB, counted after decompression); proxies and netrc
come from the environment (ignored: a check must not depend on the shell that runs it).
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool
from urllib3.exceptions import NewConnectionError

from opsverify.errors import ProbeError, Unreachable
from opsverify.evidence import Deadline
from opsverify.probes.dial import Watchdog, dial, printable, unreachable
from opsverify.probes.http.facts import Timing

if TYPE_CHECKING:
    import socket
    import ssl

BODY_LIMIT = 2 * 1024 * 1024
REDIRECT_LIMIT = 5
RETRY_LIMIT = 2.0
"""Seconds of Retry-After that are worth waiting for."""
RETRIES = 2


class Pace:
    """Keeps requests apart: a checker that trips a rate limit reports its own noise. Shared by a probe's threads."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._lock = threading.Lock()
        self._next = 0.0

    def wait(self, deadline: Deadline) -> None:
        """Wait for this request's turn; raises Unreachable when the deadline comes first."""
        with self._lock:
            now = time.monotonic()
            start = max(now, self._next)
            self._next = start + self._seconds
        if start > now:
            time.sleep(deadline.remaining(start - now))
        deadline.remaining()

    def hold(self, seconds: float) -> None:
        """Give nobody a turn for so long: the server has had enough for now."""
        with self._lock:
            self._next = max(self._next, time.monotonic() + seconds)


class _Stopwatch:
    """Where the phases of the request in flight are noted; one per client, whose requests follow one another."""

    def __init__(self, deadline: Deadline, watchdog: Watchdog) -> None:
        self.deadline = deadline
        self.watchdog = watchdog
        self.reset()

    def reset(self) -> None:
        self.dns = self.connect = self.tls = 0.0
        self.connections = 0
        self.ready = 0.0

    def new_socket(self, connection: HTTPConnection) -> socket.socket:
        try:
            dialled = dial(connection._dns_host, connection.port, self.deadline)
        except OSError as error:
            # urllib3 retries or wraps only its own exceptions; ours is found again as its cause.
            raise NewConnectionError(connection, "not connected") from error
        self.dns += dialled.resolve_seconds
        self.connect += dialled.connect_seconds
        self.connections += 1
        self.watchdog.watch(dialled.socket)
        self.ready = time.monotonic()
        return dialled.socket


def _pool_with(stopwatch: _Stopwatch, pool: HTTPConnectionPool) -> None:
    """Let `pool` make connections that note their phases."""

    class Plain(HTTPConnection):
        def _new_conn(self) -> socket.socket:
            return stopwatch.new_socket(self)

    class Secure(HTTPSConnection):
        def _new_conn(self) -> socket.socket:
            return stopwatch.new_socket(self)

        def connect(self) -> None:
            super().connect()
            now = time.monotonic()
            stopwatch.tls += now - stopwatch.ready
            stopwatch.ready = now

    pool.ConnectionCls = Secure if pool.scheme == "https" else Plain


class _Adapter(HTTPAdapter):
    def __init__(self, stopwatch: _Stopwatch, context: ssl.SSLContext | None) -> None:
        self._stopwatch = stopwatch
        self._context = context
        super().__init__(pool_connections=4, pool_maxsize=1, max_retries=0)

    def get_connection_with_tls_context(
        self, request: requests.PreparedRequest, verify: Any, proxies: Any = None, cert: Any = None
    ) -> Any:
        pool: Any = super().get_connection_with_tls_context(request, verify, proxies, cert)
        _pool_with(self._stopwatch, pool)
        return pool

    def build_connection_pool_key_attributes(
        self, request: requests.PreparedRequest, verify: Any, cert: Any = None
    ) -> Any:
        host, _ = super().build_connection_pool_key_attributes(request, verify, cert)
        return host, {"ssl_context": self._context} if host["scheme"] == "https" else {}

    def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:
        """Nothing to add: by default this would add certifi's CAs to the ones that the environment names."""


@dataclass(frozen=True)
class Answer:
    """One HTTP answer, read to its end or to the limit. `body` is decompressed."""

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes
    truncated: bool
    timing: Timing
    received_at: datetime
    half_round_trip: float

    @property
    def text(self) -> str:
        """The body as text: the declared charset, else UTF-8; what does not decode becomes U+FFFD."""
        match = re.search(r"charset=[\"']?([\w.:-]{1,40})", self.headers.get("Content-Type", ""), re.IGNORECASE)
        try:
            return self.body.decode(match[1] if match else "utf-8", "replace")
        except (LookupError, UnicodeError):
            return self.body.decode("utf-8", "replace")

    @property
    def media_type(self) -> str | None:
        """`text/html`, without parameters, lower case; None when the answer does not say."""
        value = self.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        return printable(value, 80) or None

    def header(self, name: str) -> str | None:
        """One header, printable and bounded, or None."""
        value = self.headers.get(name)
        return None if value is None else printable(value, 500)

    @property
    def server_date(self) -> datetime | None:
        """The Date header as an aware time, or None."""
        return _http_date(self.headers.get("Date", ""))

    @property
    def retry_after(self) -> float | None:
        """Seconds that the Retry-After header asks for (RFC 9110, 10.2.3: seconds or a date), or None."""
        value = self.headers.get("Retry-After", "").strip()
        if re.fullmatch(r"[0-9]{1,9}", value):
            return float(value)
        moment = _http_date(value)
        return None if moment is None else max(0.0, (moment - self.received_at).total_seconds())

    @property
    def rate_limited(self) -> bool:
        """429 (RFC 6585), or what nginx's limit_req sends by default: its own bare 503 page.

        nginx sends the same page for a plain `return 503`; a maintenance page has a text or a Retry-After of its own.
        """
        if self.status == 429:
            return True
        return (
            self.status == 503
            and self.media_type == "text/html"
            and "Retry-After" not in self.headers
            and b"503 Service Temporarily Unavailable" in self.body
            and len(self.body) < 2000
        )


def _http_date(value: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(value)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def place_of(url: str) -> str:
    """`http://host:port` of an address: what messages may name."""
    parts = urlsplit(url)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return f"{parts.scheme}://{host}:{parts.port or (443 if parts.scheme == 'https' else 80)}"


def same_origin(one: str, other: str) -> bool:
    """Whether two addresses have the same origin (RFC 6454): scheme, host and port."""
    try:
        return place_of(one) == place_of(other)
    except ValueError:
        return False


class Client:
    """Sends requests one after another, keeping connections between them.

    `secret_headers` go to the origin of `base` only, never along a redirect elsewhere.
    """

    def __init__(
        self,
        base: str,
        deadline: Deadline,
        watchdog: Watchdog,
        pace: Pace,
        context: ssl.SSLContext | None,
        secret_headers: Mapping[str, str],
    ) -> None:
        self._base = base
        self._deadline = deadline
        self._watchdog = watchdog
        self._pace = pace
        self._secret_headers = secret_headers
        self._stopwatch = _Stopwatch(deadline, watchdog)
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers.clear()
        self._session.headers.update({"User-Agent": "opsverify", "Accept": "*/*", "Accept-Encoding": "gzip"})
        self._session.mount("http://", _Adapter(self._stopwatch, context))
        self._session.mount("https://", _Adapter(self._stopwatch, context))

    def close(self) -> None:
        """Close every connection."""
        self._session.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *unused: object) -> None:
        self.close()

    def get(self, url: str, headers: Mapping[str, str] | None = None) -> Answer:
        """GET, following up to five redirects.

        Raises Unreachable when nothing answered in time, ProbeError when what answered is no usable HTTP.
        """
        timings: list[Timing] = []
        for _ in range(REDIRECT_LIMIT + 1):
            answer = self.send("GET", url, headers)
            timings.append(answer.timing)
            location = answer.headers.get("Location")
            if answer.status not in (301, 302, 303, 307, 308) or location is None:
                return answer if len(timings) == 1 else _with_timing(answer, timings)
            try:
                url = urljoin(answer.url, location)
                place_of(url)
            except ValueError:
                raise ProbeError(f"{place_of(answer.url)}: redirects to something that is no address") from None
            if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname:
                raise ProbeError(f"{place_of(answer.url)}: redirects to something that is no web address")
        raise ProbeError(f"{place_of(self._base)}: more than {REDIRECT_LIMIT} redirects")

    def send(self, method: str, url: str, headers: Mapping[str, str] | None = None) -> Answer:
        """One request, no redirect followed; again after a short Retry-After. Raises as `get` does."""
        sent = {**(self._secret_headers if same_origin(url, self._base) else {}), **(headers or {})}
        for _ in range(RETRIES):
            answer = self._alive(method, url, sent)
            pause = answer.retry_after if answer.retry_after is not None else 1.0
            told_when = answer.status == 503 or answer.retry_after is not None
            if not (answer.rate_limited and told_when and pause <= RETRY_LIMIT):
                return answer
            self._pace.hold(pause)
        return self._alive(method, url, sent)

    def _alive(self, method: str, url: str, sent: Mapping[str, str]) -> Answer:
        try:
            return self._send(method, url, sent)
        except _Stale:
            # The server closed a kept connection as we used it again (Node.js does so after 5 s): RFC 9112, 9.3.1
            # lets a client repeat an idempotent request.
            return self._send(method, url, sent)

    def _send(self, method: str, url: str, headers: Mapping[str, str]) -> Answer:
        place = place_of(url)
        try:
            self._pace.wait(self._deadline)
            return self._exchange(method, url, headers)
        except _Stale:
            raise
        except Unreachable:
            raise Unreachable(f"{place}: no answer within {self._deadline.seconds:g} s") from None
        except ProbeError:
            raise
        except Exception as error:  # judged by type; messages of drivers may quote headers
            failure = self._judge(place, error)
        raise failure

    def _exchange(self, method: str, url: str, headers: Mapping[str, str]) -> Answer:
        watch = self._stopwatch
        watch.reset()
        left = self._deadline.remaining()
        request = self._session.prepare_request(requests.Request(method, url, headers=dict(headers)))
        began = time.monotonic()
        watch.ready = began
        # The adapter and not the session: even told to follow no redirect, Session.send works out where one would
        # lead, and for that reads the redirect's body to its end, however long.
        adapter = self._session.get_adapter(url)
        response = adapter.send(request, stream=True, timeout=left, verify=True)
        try:
            headed = time.monotonic()
            received_at = datetime.now(UTC)
            body, truncated = self._body(response)
            if self._watchdog.expired:
                raise TimeoutError
            ended = time.monotonic()
        finally:
            response.close()
        timing = Timing(watch.dns, watch.connect, watch.tls, headed - watch.ready, ended - headed, ended - began)
        return Answer(
            url, response.status_code, response.headers, body, truncated, timing, received_at, timing.first_byte / 2
        )

    def _body(self, response: requests.Response) -> tuple[bytes, bool]:
        # raw.read and not iter_content: for chunked bodies urllib3's stream() reads a chunk's size line without limit.
        body = bytearray()
        while len(body) <= BODY_LIMIT:
            self._deadline.remaining()
            piece = response.raw.read(65536, decode_content=True)
            if not piece:
                return bytes(body), False
            body += piece
        return bytes(body[:BODY_LIMIT]), True

    def _judge(self, place: str, error: Exception) -> ProbeError:
        chain = list(_chain(error))
        if self._watchdog.expired or any(isinstance(link, Unreachable) for link in chain):
            return Unreachable(f"{place}: no answer within {self._deadline.seconds:g} s")
        cause = next((link for link in reversed(chain) if isinstance(link, OSError) and not _wrapper(link)), None)
        if any(isinstance(link, urllib3.exceptions.DecodeError) for link in chain):
            return ProbeError(f"{place}: the answer's compressed body is broken")
        names = {type(link).__name__ for link in chain}
        if names & {"RemoteDisconnected"} or isinstance(cause, (ConnectionResetError, BrokenPipeError)):
            if self._stopwatch.connections == 0:
                return _Stale()
            return Unreachable(f"{place}: the connection was closed without an answer")
        if names & {"IncompleteRead", "InvalidChunkLength"}:
            return ProbeError(f"{place}: the answer broke off before its end")
        if names & {"BadStatusLine", "LineTooLong", "HTTPException", "UnknownProtocol", "HeaderParsingError"}:
            return ProbeError(f"{place}: what answered is not usable HTTP (bad or oversized status line or headers)")
        if cause is not None:
            return unreachable(place, cause, self._deadline)
        if any(isinstance(link, TimeoutError) for link in chain) or names & {"ReadTimeoutError", "ReadTimeout"}:
            return Unreachable(f"{place}: no answer within {self._deadline.seconds:g} s")
        if names & {"InvalidHeader", "UnicodeEncodeError"}:
            return ProbeError(f"{place}: a configured header or token holds characters that HTTP does not allow")
        return ProbeError(f"{place}: the request failed ({type(error).__name__})")


class _Stale(ProbeError):
    """A kept connection turned out to be closed; internal."""

    def __init__(self) -> None:
        super().__init__("a kept connection was closed")


def _wrapper(error: BaseException) -> bool:
    """requests' exceptions are IOErrors themselves; what they wrap is the finding."""
    return isinstance(error, requests.exceptions.RequestException)


def _chain(error: BaseException | None) -> Any:
    seen: set[int] = set()
    pending = [error]
    while pending:
        link = pending.pop(0)
        if not isinstance(link, BaseException) or id(link) in seen:
            continue
        seen.add(id(link))
        yield link
        pending += [link.__cause__, link.__context__, getattr(link, "reason", None), *link.args]


def _with_timing(answer: Answer, timings: list[Timing]) -> Answer:
    from dataclasses import fields, replace

    total = Timing(**{f.name: sum(getattr(t, f.name) for t in timings) for f in fields(Timing)})
    return replace(answer, timing=total)
