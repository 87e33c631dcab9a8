"""How each question becomes requests, and each answer a fact."""

from __future__ import annotations

import contextlib
import json
import math
from collections.abc import Callable, Mapping
from datetime import datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from opsverify.errors import ProbeError, Unreachable
from opsverify.evidence import Deadline
from opsverify.probes.dial import Watchdog, dial, printable, resolve, trusting, unreachable
from opsverify.probes.http import facts, page
from opsverify.probes.http.client import Answer, Client, Pace, place_of

if TYPE_CHECKING:
    import ssl

DOOR_SECONDS = 5.0
"""For a connection to the port of plain http, which many a firewall drops."""
API_PACE = 0.12
PAGE_PACE = 0.04
"""Seconds between requests: below nginx's 10 r/s on /api/ and 30 r/s on /, without any burst allowance."""
MOST_MEETINGS = 24
"""Answers of one slot in which its processes are looked for: a quarter of what the API allows in a minute."""
SAME_PROCESS_SECONDS = 0.1
"""How far apart the starts of one process may be told."""


class Asker:
    """Everything that the questions of one probe share: limits, trust and the target's headers."""

    def __init__(self, target: Any, deadline: Deadline) -> None:
        self.target = target
        self.deadline = deadline
        self._watchdog = Watchdog(deadline)
        self._pace = Pace(API_PACE if hasattr(target, "health_path") else PAGE_PACE)
        self._context: ssl.SSLContext = trusting(target.ca_file)
        self._headers = {name: value.get_secret_value() for name, value in target.headers.items()}
        token = getattr(target, "token", None)
        self._token = token.get_secret_value() if token is not None else None

    def __enter__(self) -> Asker:
        self._watchdog.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._watchdog.__exit__(kind, error, trace)

    def client(self, base: str | None = None, with_token: bool = False) -> Client:
        """A client with connections of its own. The token goes along only where it is asked for."""
        headers = dict(self._headers)
        if with_token and self._token is not None:
            headers["Authorization"] = f"Bearer {self._token}"
        return Client(base or self.target.url, self.deadline, self._watchdog, self._pace, self._context, headers)

    def excerpt(self, text: str) -> str:
        """The beginning of an answer, without the secrets we sent should it echo them."""
        text = text[:4096]
        for secret in (*self._headers.values(), self._token):
            if secret and len(secret) >= 4:
                text = text.replace(secret, "…")
        return printable(text)

    def answer(self, question: Any) -> Any:
        """The fact for one question; raises ProbeError."""
        methods: dict[type, Callable[[Any], Any]] = {
            facts.Health: self._health,
            facts.Smoke: self._smoke,
            facts.Cats: self._cats,
            facts.Cors: self._cors,
            facts.Page: lambda _: page.load(self),
            facts.Headers: self._security_headers,
            facts.Redirect: self._redirect,
            facts.Maintenance: self._maintenance,
        }
        if type(question) not in methods:
            raise ProbeError(f"the HTTP probe knows no question {type(question).__name__}")
        return methods[type(question)](question)

    # --- questions --------------------------------------------------------------------------------------------

    def _samples(self, url: str, with_token: bool = False) -> list[Answer]:
        """`target.samples` answers over fresh connections; none more after one that is an error or rate-limited."""
        answers: list[Answer] = []
        while len(answers) < self.target.samples and (not answers or answers[-1].status < 400):
            with self.client(with_token=with_token) as client:
                answers.append(client.get(url))
        return answers

    def _health(self, _: facts.Health) -> facts.HealthFacts:
        answers = self._samples(self.target.url + self.target.health_path)
        told = max(answers, key=_illness)
        body, data = _health_body(told)
        state, service = _text(data.get("status")), _text(data.get("service"))
        success = body.get("success") if isinstance(body, dict) else None
        server_date = told.server_date
        clock = facts.ClockReading(server_date, told.received_at, told.half_round_trip) if server_date else None
        error = data.get("error")
        return facts.HealthFacts(
            timings=tuple(answer.timing for answer in answers),
            status=told.status,
            statuses=tuple(answer.status for answer in answers),
            is_api_json=isinstance(success, bool) and state is not None and service is not None,
            success=success if isinstance(success, bool) else None,
            state=state,
            database=_text(data.get("database")),
            error=self.excerpt(error) if isinstance(error, str) else None,
            service=service,
            version=_text(data.get("version")),
            environment=_text(data.get("environment")),
            uptime_seconds=_figure(data.get("uptime")),
            timestamp=_moment(data.get("timestamp")),
            server_date=server_date,
            clock=clock,
            server=told.header("Server"),
            rate_limited=told.rate_limited,
            retry_after=told.retry_after,
            content_type=told.media_type,
            excerpt=self.excerpt(told.text),
            boots=self._boots(answers),
        )

    def _boots(self, answers: list[Answer]) -> tuple[datetime | None, ...]:
        """When the processes behind these answers started, and behind more answers where the API is a slot's.

        The processes of a cluster take turns: where these were of several, more are asked for until none was new for a
        while.
        """
        boots = [_boot_time(answer) for answer in answers]
        if getattr(self.target, "slot", None) is None or answers[-1].status >= 400:
            return tuple(boots)
        url = self.target.url + self.target.health_path
        exactness = SAME_PROCESS_SECONDS + (0.0 if (_uptime(answers[0]) or 0.0) % 1 else 1.0)  # or whole seconds only
        with contextlib.suppress(ProbeError):  # what was met so far is known all the same
            while len(boots) < MOST_MEETINGS and _has_new(boots, exactness):
                with self.client() as client:
                    answer = client.get(url)
                if answer.status >= 400:
                    break
                boots.append(_boot_time(answer))
        return tuple(boots)

    def _smoke(self, _: facts.Smoke) -> facts.DataAnswer:
        with self.client() as client:
            answer = client.get(self.target.url + self.target.smoke_path)
        return self._data_answer([answer], authenticated=False)

    def _cats(self, _: facts.Cats) -> facts.DataAnswer:
        answers = self._samples(self.target.url + self.target.cats_path, with_token=True)
        return self._data_answer(answers, authenticated=self._token is not None)

    def _data_answer(self, answers: list[Answer], authenticated: bool) -> facts.DataAnswer:
        bad = (answer for answer in answers if data_problems(answer.status, parse_json(answer.body)))
        told = next(bad, answers[0])
        body = parse_json(told.body)
        problems = data_problems(told.status, body)
        data = body.get("data") if isinstance(body, dict) else None
        meta = body.get("meta") if isinstance(body, dict) else None
        error = body.get("error") if isinstance(body, dict) else None
        return facts.DataAnswer(
            timings=tuple(answer.timing for answer in answers),
            status=told.status,
            shape_ok=not problems,
            problems=problems,
            rows=len(data) if isinstance(data, list) else None,
            total=meta["total"] if isinstance(meta, dict) and _is_count(meta.get("total")) else None,
            error_code=_text(error.get("code")) if isinstance(error, dict) else None,
            authenticated=authenticated,
            rate_limited=told.rate_limited,
            retry_after=told.retry_after,
            content_type=told.media_type,
            excerpt=self.excerpt(told.text),
        )

    def _cors(self, question: facts.Cors) -> facts.CorsFacts:
        url, foreign = self.target.url + self.target.health_path, question.foreign_origin
        origins = []
        limited = False
        with self.client() as client:
            for origin in (*dict.fromkeys(question.allowed_origins), foreign):
                preflight = client.send("OPTIONS", url, {"Origin": origin, "Access-Control-Request-Method": "GET"})
                simple = client.send("GET", url, {"Origin": origin})
                limited = limited or preflight.rate_limited or simple.rate_limited
                origins.append(facts.OriginAnswer(origin, origin != foreign, _grant(preflight), _grant(simple)))
        return facts.CorsFacts(tuple(origins), limited)

    def _security_headers(self, question: facts.Headers) -> facts.HeaderFacts:
        path = question.path or getattr(self.target, "health_path", "/")
        with self.client() as client:
            answer = client.get(self.target.url + path)
        return facts.HeaderFacts(
            status=answer.status,
            over_tls=answer.url.startswith("https://"),
            strict_transport_security=answer.header("Strict-Transport-Security"),
            content_type_options=answer.header("X-Content-Type-Options"),
            frame_options=answer.header("X-Frame-Options"),
            content_security_policy=answer.header("Content-Security-Policy"),
            referrer_policy=answer.header("Referrer-Policy"),
            permissions_policy=answer.header("Permissions-Policy"),
            server=answer.header("Server"),
            powered_by=answer.header("X-Powered-By"),
            rate_limited=answer.rate_limited,
        )

    def _maintenance(self, question: facts.Maintenance) -> facts.MaintenanceFacts:
        with self.client() as client:
            answer = client.get(self.target.url + "/")
        title = page.read(answer.text, answer.url, self.deadline).title
        return facts.MaintenanceFacts(
            status=answer.status,
            retry_after=answer.retry_after,
            content_type=answer.media_type,
            title=None if title is None else printable(title, 120),
            contains_ok=question.contains in answer.text if question.contains else None,
            size=len(answer.body),
            excerpt=self.excerpt(answer.text),
        )

    def _closed(self, url: str) -> str | None:
        """Why there is no connection to an address: "refused", or "dropped" by a firewall; None where there is one.

        Raises ProbeError where not the port but the whole host may be out of reach: one that https is not asked of.
        """
        door = urlsplit(url)
        host, port = door.hostname or "", door.port or 80
        try:
            resolve(host, port, self.deadline)  # a slow resolver is no firewall
        except OSError as error:
            raise ProbeError(str(unreachable(place_of(url), error, self.deadline))) from None
        patience = Deadline(self.deadline.remaining(DOOR_SECONDS))
        try:
            dial(host, port, patience).socket.close()
        except ConnectionRefusedError:
            return "refused"
        except OSError as error:
            if host != urlsplit(self.target.url).hostname:
                raise ProbeError(str(unreachable(place_of(url), error, patience))) from None
            return "dropped"
        return None

    def _redirect(self, question: facts.Redirect) -> facts.RedirectFacts:
        parts = urlsplit(self.target.url)
        host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
        url = question.http_url or f"http://{host}/"
        shown, closed = url.partition("?")[0], self._closed(url)
        if closed is not None:
            return facts.RedirectFacts(shown, closed == "refused", closed == "dropped", None, None, False, False)
        try:
            with (
                self.client() as client
            ):  # the target's, whose headers it keeps from other origins: this one is in clear
                answer = client.send("GET", url)
        except Unreachable as error:
            raise ProbeError(str(error)) from None
        location = answer.header("Location")
        try:
            goal = urlsplit(location or "")
            to_https = goal.scheme == "https" and goal.hostname == urlsplit(url).hostname
        except ValueError:
            to_https = False
        return facts.RedirectFacts(
            http_url=shown,
            refused=False,
            dropped=False,
            status=answer.status,
            location=None if location is None else location.partition("?")[0],
            to_https=to_https and answer.status in (301, 302, 303, 307, 308),
            permanent=answer.status in (301, 308),
        )


def _health_body(answer: Answer) -> tuple[Any, dict[str, Any]]:
    """The body of a health answer, and the data in it; no data is empty."""
    body = parse_json(answer.body)
    data = body.get("data") if isinstance(body, dict) else None
    return body, data if isinstance(data, dict) else {}


def _illness(answer: Answer) -> int:
    """How ill a health answer is: 0 well, 1 silent about its database, 2 ill by its status or its own word."""
    body, data = _health_body(answer)
    own = isinstance(body, dict) and body.get("success") is True and isinstance(data.get("service"), str)
    database = data.get("database")
    if answer.status != 200 or not own or data.get("status") != "ok" or database not in ("ok", None):
        return 2
    return 1 if database is None else 0


def _boot_time(answer: Answer) -> datetime | None:
    """When the process behind a health answer started."""
    _, data = _health_body(answer)
    return facts.boot_time(_moment(data.get("timestamp")), _uptime(answer))


def _uptime(answer: Answer) -> float | None:
    return _figure(_health_body(answer)[1].get("uptime"))


def _has_new(boots: list[datetime | None], exactness: float) -> bool:
    """Whether a process was met for the first time lately: within four answers, and two for each process there is."""
    met: list[datetime] = []
    since = 0
    for boot in boots:
        known = boot is None or any(abs((boot - one).total_seconds()) <= exactness for one in met)
        since = since + 1 if known else 0
        met += [] if known or boot is None else [boot]
    return len(met) > 1 and since < 2 * len(met) + 4


def parse_json(body: bytes) -> Any:
    """The value of a JSON body (RFC 8259: UTF-8, no NaN), or None when it is none that is sane to work with."""

    def refuse(_: str) -> float:
        raise ValueError

    try:
        return json.loads(body.decode("utf-8-sig"), parse_constant=refuse)
    except (ValueError, RecursionError):
        return None


def data_problems(status: int, body: Any) -> tuple[str, ...]:
    """What differs from 200 and `{"success":true,"data":[…],"meta":{total,page,limit,totalPages}}`; pure."""
    problems = [] if status == 200 else [f"status {status} instead of 200"]
    if not isinstance(body, dict):
        return (*problems, "the body is no JSON object")
    if body.get("success") is not True:
        problems.append(f"success is {_brief(body.get('success'))} instead of true")
    if not isinstance(body.get("data"), list):
        problems.append(f"data is {_kind(body.get('data'))} instead of a list")
    meta = body.get("meta")
    if not isinstance(meta, dict):
        problems.append(f"meta is {_kind(meta)} instead of an object")
        return tuple(problems)
    problems += [
        f"meta.{key} is {_brief(meta.get(key))} instead of a count"
        for key in ("total", "page", "limit", "totalPages")
        if not _is_count(meta.get(key))
    ]
    return tuple(problems)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _kind(value: Any) -> str:
    names: Mapping[type, str] = {
        type(None): "missing",
        dict: "an object",
        list: "a list",
        str: "text",
        bool: "a boolean",
    }
    return names.get(type(value), "a number")


def _brief(value: Any) -> str:
    if value is None or isinstance(value, (dict, list)):
        return _kind(value)
    return printable(json.dumps(value), 40)


def _text(value: Any) -> str | None:
    return printable(value, 200) if isinstance(value, str) else None


def _figure(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        return float(value) if math.isfinite(value) else None
    except OverflowError:
        return None


def _moment(value: Any) -> datetime | None:
    if not isinstance(value, str) or len(value) > 40:
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return moment if moment.tzinfo else None


def _grant(answer: Answer) -> facts.Grant:
    return facts.Grant(
        answer.status,
        answer.header("Access-Control-Allow-Origin"),
        answer.header("Access-Control-Allow-Credentials"),
    )
