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

from opsverify.errors import ProbeError, Unanswered, Unreachable
from opsverify.evidence.deadline import Deadline
from opsverify.probes.http.addresses import place_of, same_origin
from opsverify.probes.http.timing import Timing
from opsverify.probes.mark import AGENT, REQUEST_ID
from opsverify.probes.tcp.transport import (
    Connected,
    Resolved,
    Watchdog,
    connect,
    connect_to,
    is_loopback,
    is_of_the_platform,
    printable,
    resolve,
    unreachable,
)

if TYPE_CHECKING:
    import socket
    import ssl

BODY_LIMIT = 2 * 1024 * 1024
REDIRECT_LIMIT = 5
RETRY_LIMIT = 2.0
"""Seconds of Retry-After that are worth waiting for."""
RETRIES = 2
MOST_PAUSES = 8
"""Pauses for the sake of all requests to one target: what still refuses after them is not waited for again."""
NO_CACHE = {"Cache-Control": "no-cache", "Pragma": "no-cache"}
"""Asks caches on the way for an answer of now (RFC 9111, 5.2.1.4; the second for HTTP/1.0)."""
_REMAINING = re.compile(r"(?:x-)?rate-?limit-remaining(?:-[\w-]+)?", re.IGNORECASE)
"""X-RateLimit-Remaining and its likes; NestJS adds a limiter's name: X-RateLimit-Remaining-short."""


class Pace:
    """Keeps requests apart: a checker that trips a rate limit reports its own noise. Shared by a probe's threads."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._lock = threading.Lock()
        self._next = 0.0
        self._pauses = 0

    def wait(self, deadline: Deadline) -> None:
        """Wait for this request's turn; raises Unreachable when the deadline comes first."""
        with self._lock:
            now = time.monotonic()
            start = max(now, self._next)
            self._next = start + self._seconds
        if start > now:
            time.sleep(deadline.remaining(start - now))
        deadline.remaining()

    def hold(self, seconds: float) -> bool:
        """Give nobody a turn for so long: the server has had enough for now. False where that was done often enough."""
        with self._lock:
            if self._pauses >= MOST_PAUSES:
                return False
            self._pauses += 1
            self._next = max(self._next, time.monotonic() + seconds)
            return True


class _Stopwatch:
    """Where the phases of the request in flight are noted; one per client, whose requests follow one another."""

    def __init__(self, deadline: Deadline, watchdog: Watchdog, host: str, only: Resolved | None) -> None:
        self.deadline = deadline
        self.watchdog = watchdog
        self.host = host
        self.only = only
        self.peer = ""
        self.reset()

    def reset(self) -> None:
        self.dns = self.connect = self.tls = 0.0
        self.connections = 0
        self.ready = 0.0
        self.connecting = False

    def new_socket(self, connection: HTTPConnection) -> socket.socket:
        self.connecting = True
        of_base = connection._dns_host.strip("[]").rstrip(".") == self.host
        try:
            if self.only is not None and of_base:
                connected = Connected(connect_to([self.only], self.deadline), 0.0, 0.0)
            else:
                connected = connect(connection._dns_host, connection.port, self.deadline)
        except OSError as error:
            # urllib3 retries or wraps only its own exceptions; ours is found again as its cause.
            raise NewConnectionError(connection, "not connected") from error
        self.dns += connected.resolve_seconds
        self.connect += connected.connect_seconds
        self.connections += 1
        self.connecting = False
        self.peer = str(connected.socket.getpeername()[0])
        if not of_base and (is_of_the_platform(self.peer) or (is_loopback(self.peer) and not self._on_this_machine())):
            # A server that is asked must not be able to have the machine of the checks asked, or its platform.
            connected.socket.close()
            raise _Inwards(f"leads to {self.peer}, which is the machine of the checks or its platform")
        self.watchdog.watch(connected.socket)
        self.ready = time.monotonic()
        return connected.socket

    def _on_this_machine(self) -> bool:
        """Whether the base itself is the machine of the checks."""
        if self.only is not None:
            return is_loopback(str(self.only[1][0]))
        try:
            return any(is_loopback(str(address[0])) for _, address in resolve(self.host, 0, self.deadline))
        except OSError:
            return False


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
    peer: str
    """The address that gave it."""
    redirected: str | None = None
    """The first redirect that was followed on the way here, "302 to /login", without query; None where there was none.
    """

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
        """`text/html`, without parameters, lower case; None when the answer does not say. Of several the last counts.

        Source: Fetch standard, "extract a MIME type".
        """
        values = [value.partition(";")[0].strip().lower() for value in self.headers.get("Content-Type", "").split(",")]
        types = [value for value in values if re.fullmatch(r"[^\s/]+/[^\s/]+", value) and value != "*/*"]
        return printable(types[-1], 80) if types else None

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
        """429 (RFC 6585), or a 503 that says itself that nothing is left of a limit.

        What nginx's limit_req sends by default, a bare 503 page, is the same as for `return 503`, or from an ingress
        without anything behind it: only asking again tells them apart. Nor does a Retry-After: maintenance has one.
        """
        return self.status == 429 or (self.status == 503 and _none_left(self.headers))

    @property
    def passing(self) -> bool:
        """Whether the same request may be answered soon: a limit says when, or a 503 that is no word of the API's own.

        By then at most `pause` seconds will have passed.
        """
        refused = (self.rate_limited and self.retry_after is not None) or (
            self.status == 503 and self.media_type != "application/json"
        )
        return refused and self.pause <= RETRY_LIMIT

    @property
    def pause(self) -> float:
        """Seconds after which to ask again: what the answer says, else one."""
        return 1.0 if self.retry_after is None else self.retry_after

    @property
    def cached_seconds(self) -> float | None:
        """How long ago a cache on the way got this answer, by its Age header (RFC 9111, 5.1); None without one."""
        value = self.headers.get("Age", "").partition(",")[0].strip()
        return float(value) if re.fullmatch(r"[0-9]{1,10}", value) else None


def _none_left(headers: Mapping[str, str]) -> bool:
    """Whether the headers say that nothing is left of a limit: X-RateLimit-Remaining: 0, RateLimit: "default";r=0.

    Limiters put them on good answers as well. Source: draft-ietf-httpapi-ratelimit-headers, as of its versions 3 and 8.
    """
    counts = [value.strip() for name, value in headers.items() if _REMAINING.fullmatch(name)]
    counts += re.findall(r"\b(?:r|remaining)\s*=\s*([0-9]+)", headers.get("RateLimit", ""))
    return any(re.fullmatch(r"0+", count) for count in counts)


def _http_date(value: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(value)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


class Client:
    """Sends requests one after another, keeping connections between them.

    `secret_headers` go to the origin of `base` only, never along a redirect elsewhere. `only`: the address to
    connect to for the host of `base`, in place of whichever answers first.
    """

    def __init__(
        self,
        base: str,
        deadline: Deadline,
        watchdog: Watchdog,
        pace: Pace,
        context: ssl.SSLContext | None,
        secret_headers: Mapping[str, str],
        only: Resolved | None = None,
    ) -> None:
        self._base = base
        self._deadline = deadline
        self._watchdog = watchdog
        self._pace = pace
        self._secret_headers = secret_headers
        self._stopwatch = _Stopwatch(deadline, watchdog, (urlsplit(base).hostname or "").rstrip("."), only)
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers.clear()
        self._session.headers.update(
            {"User-Agent": AGENT, "X-Request-ID": REQUEST_ID, "Accept": "*/*", "Accept-Encoding": "gzip"} | NO_CACHE
        )
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

        Raises Unreachable when nothing could be asked, Unanswered when no usable answer came of it.
        """
        timings: list[Timing] = []
        redirected = None
        for _ in range(REDIRECT_LIMIT + 1):
            answer = self.send("GET", url, headers)
            timings.append(answer.timing)
            location = answer.headers.get("Location")
            if answer.status not in (301, 302, 303, 307, 308) or location is None:
                return answer if len(timings) == 1 else _after_redirects(answer, timings, redirected)
            try:
                url = urljoin(answer.url, location)
                place_of(url)
            except ValueError:
                raise Unanswered(f"{place_of(answer.url)}: redirects to something that is no address") from None
            if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname:
                raise Unanswered(f"{place_of(answer.url)}: redirects to something that is no web address")
            redirected = redirected or f"{answer.status} to {_shown(url, answer.url)}"
        raise Unanswered(f"{place_of(self._base)}: more than {REDIRECT_LIMIT} redirects")

    def send(
        self, method: str, url: str, headers: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> Answer:
        """One request, no redirect followed; again after a short pause where that may help. Raises as `get` does."""
        sent = {**(self._secret_headers if same_origin(url, self._base) else {}), **(headers or {})}
        for _ in range(RETRIES):
            answer = self._alive(method, url, sent, body)
            if not (answer.passing and self._pace.hold(answer.pause)):
                return answer
        return self._alive(method, url, sent, body)

    def _alive(self, method: str, url: str, sent: Mapping[str, str], body: bytes | None) -> Answer:
        try:
            return self._send(method, url, sent, body)
        except _Stale:
            # The server closed a kept connection as we used it again (Node.js does so after 5 s): RFC 9112, 9.3.1
            # lets a client repeat an idempotent request. A login is sent over a connection of its own.
            return self._send(method, url, sent, body)

    def _send(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        place = place_of(url)
        try:
            self._pace.wait(self._deadline)
        except Unreachable:
            raise Unreachable(self._too_late(place)) from None
        began = time.monotonic()
        try:
            return self._exchange(method, url, headers, body)
        except _Stale:
            raise
        except _Inwards as error:
            failure: ProbeError = Unanswered(f"{place}: {error}")
        except Unreachable:
            failure = self._unanswered(place, began)
        except ProbeError:
            raise
        except Exception as error:  # judged by type; messages of drivers may quote headers
            failure = self._judge(place, error, began)
        raise failure

    def _too_late(self, place: str) -> str:
        return f"{place}: no answer within {self._deadline.seconds:g} s"

    def _unanswered(self, place: str, began: float) -> Unreachable:
        """What it means that the deadline ended a request: nobody took it, or who took it does not answer."""
        if self._stopwatch.connecting:
            return Unreachable(self._too_late(place))
        failure = Unanswered(self._too_late(place))
        failure.waited_seconds = time.monotonic() - began
        return failure

    def _exchange(self, method: str, url: str, headers: Mapping[str, str], content: bytes | None) -> Answer:
        watch = self._stopwatch
        watch.reset()
        left = self._deadline.remaining()
        request = self._session.prepare_request(requests.Request(method, url, headers=dict(headers), data=content))
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
        half = timing.first_byte / 2
        return Answer(
            url, response.status_code, response.headers, body, truncated, timing, received_at, half, watch.peer
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

    def _judge(self, place: str, error: Exception, began: float) -> ProbeError:
        chain = list(_chain(error))
        if self._watchdog.expired or any(isinstance(link, Unreachable) for link in chain):
            return self._unanswered(place, began)
        cause = next((link for link in reversed(chain) if isinstance(link, OSError) and not _wrapper(link)), None)
        if any(isinstance(link, urllib3.exceptions.DecodeError) for link in chain):
            return Unanswered(f"{place}: the answer's compressed body is broken")
        names = {type(link).__name__ for link in chain}
        if names & {"RemoteDisconnected"} or isinstance(cause, (ConnectionResetError, BrokenPipeError)):
            if self._stopwatch.connections == 0:
                return _Stale()
            return Unanswered(f"{place}: the connection was closed without an answer")
        if names & {"IncompleteRead", "InvalidChunkLength"}:
            return Unanswered(f"{place}: the answer broke off before its end")
        if names & {"BadStatusLine", "LineTooLong", "HTTPException", "UnknownProtocol", "HeaderParsingError"}:
            return Unanswered(f"{place}: what answered is not usable HTTP (bad or oversized status line or headers)")
        if any(isinstance(link, TimeoutError) for link in chain) or names & {"ReadTimeoutError", "ReadTimeout"}:
            return self._unanswered(place, began)
        if cause is not None:
            return unreachable(place, cause, self._deadline)
        if names & {"InvalidHeader", "UnicodeEncodeError"}:
            return ProbeError(f"{place}: a configured header or token holds characters that HTTP does not allow")
        return ProbeError(f"{place}: the request failed ({type(error).__name__})")


class _Inwards(Unanswered):
    """A server leads the checks to their own machine, or to its platform."""


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


def _after_redirects(answer: Answer, timings: list[Timing], redirected: str | None) -> Answer:
    from dataclasses import fields, replace

    total = Timing(**{f.name: sum(getattr(t, f.name) for t in timings) for f in fields(Timing)})
    return replace(answer, timing=total, redirected=redirected)


def _shown(url: str, seen_from: str) -> str:
    """An address as a person reads it, without query: its path where it is of the same origin."""
    path = urlsplit(url).path or "/"
    return printable(path if same_origin(url, seen_from) else place_of(url) + path, 200)
