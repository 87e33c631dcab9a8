"""What the API says of its own health."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from opsverify.errors import ProbeError
from opsverify.probes.http.body import figure_in, moment_in, parse_json, text_in
from opsverify.probes.http.other_addresses import ALONE, OtherAddresses, ask_others
from opsverify.probes.http.timing import ClockReading, Timed

if TYPE_CHECKING:
    from opsverify.probes.http.session import Session
    from opsverify.probes.http.transport import Answer

MOST_MEETINGS = 24
"""Answers of one slot in which its processes are looked for: a quarter of what the API allows in a minute."""
CLOCK_JITTER = 5.0
"""Seconds by which the way of an answer may differ from that of another."""
SAME_PROCESS_SECONDS = 0.1
"""How far apart the starts of one process may be told."""


@dataclass(frozen=True)
class Health:
    """To an Api or Proxy: what does its health path say, and how fast? Answer: `HealthFacts`. No privilege needed."""

    def answer(self, session: Session) -> HealthFacts:
        answers = session.samples(session.target.url + session.target.health_path)
        worst = max(answers, key=_illness)
        body, data = _health_body(worst)
        state, service = text_in(data.get("status")), text_in(data.get("service"))
        success = body.get("success") if isinstance(body, dict) else None
        # The Date of an answer from a cache is of when the API gave it.
        server_date = None if worst.cached_seconds else worst.server_date
        clock = ClockReading(server_date, worst.received_at, worst.half_round_trip) if server_date else None
        error = data.get("error")
        return HealthFacts(
            timings=tuple(answer.timing for answer in answers),
            status=worst.status,
            statuses=tuple(answer.status for answer in answers),
            is_api_json=isinstance(success, bool) and state is not None and service is not None,
            success=success if isinstance(success, bool) else None,
            state=state,
            database=text_in(data.get("database")),
            error=session.excerpt(error) if isinstance(error, str) else None,
            service=service,
            version=text_in(data.get("version")),
            environment=text_in(data.get("environment")),
            uptime_seconds=figure_in(data.get("uptime")),
            timestamp=moment_in(data.get("timestamp")),
            server_date=server_date,
            clock=clock,
            server=worst.header("Server"),
            rate_limited=worst.rate_limited,
            retry_after=worst.retry_after,
            content_type=worst.media_type,
            excerpt=session.excerpt(worst.text),
            boots=_boots(session, answers),
            age_seconds=_age(answers),
            redirected=worst.redirected,
            others=ask_others(session, session.target.url + session.target.health_path, answers[0].peer, _ill),
        )


@dataclass(frozen=True)
class HealthFacts(Timed):
    """The health answer. `timings` has `target.samples` entries, fewer when an answer was an error or rate-limited.

    The facts are those of the first bad sample, by status or body, if any was bad, so that one sick process behind a
    proxy shows; a sample that is silent about the database is bad where none is worse.
    `is_api_json`: the body is the API's own (`success`, `data.status`, `data.service`), not a proxy's static 200.
    `database`: "ok", "error", or None when the answer is silent about it (which is no good sign, nor a bad one).
    `state`: the body's `data.status`. Strings from the body are bounded and printable.
    """

    status: int
    statuses: tuple[int, ...]
    is_api_json: bool
    success: bool | None
    state: str | None
    database: str | None
    error: str | None
    service: str | None
    version: str | None
    environment: str | None
    uptime_seconds: float | None
    timestamp: datetime | None
    server_date: datetime | None
    clock: ClockReading | None
    server: str | None
    rate_limited: bool
    retry_after: float | None
    content_type: str | None
    excerpt: str
    boots: tuple[datetime | None, ...] = ()
    """The `boot_time` of each sample: a proxy may send each one elsewhere. Of a slot's API also those of more answers,
    until all processes of a cluster should have been met."""
    age_seconds: float | None = None
    """How long ago the API gave the oldest of the samples, by a cache's word or its own; None where neither says."""
    others: OtherAddresses = ALONE
    """What is wrong at other addresses of the name than the one that answered."""
    redirected: str | None = None
    """Where the health path led first, `302 to /login`; None where it answers itself."""

    @property
    def boot_time(self) -> datetime | None:
        """When the answering process started, by its own clock: tells the processes behind one proxy apart."""
        return boot_time(self.timestamp, self.uptime_seconds)


def boot_time(timestamp: datetime | None, uptime_seconds: float | None) -> datetime | None:
    """When a process started that says how late it is and how long it runs; None where it does not."""
    if timestamp is None or uptime_seconds is None:
        return None
    try:
        return timestamp - timedelta(seconds=uptime_seconds)
    except OverflowError:
        return None


def boot_precision(uptime_seconds: float | None) -> float:
    """How exactly that is known, in seconds: by an uptime in whole seconds only, to 1 s."""
    return 1.0 if uptime_seconds is not None and uptime_seconds.is_integer() else 0.0


def _boots(session: Session, answers: list[Answer]) -> tuple[datetime | None, ...]:
    """When the processes behind these answers started, and behind more answers where the API is a slot's.

    The processes of a cluster take turns: where these were of several, more are asked for until none was new for a
    while.
    """
    boots = [_boot_time(answer) for answer in answers]
    if getattr(session.target, "slot", None) is None or answers[-1].status >= 400:
        return tuple(boots)
    url = session.target.url + session.target.health_path
    exactness = SAME_PROCESS_SECONDS + boot_precision(_uptime(answers[0]))
    with contextlib.suppress(ProbeError):  # what was met so far is known all the same
        while len(boots) < MOST_MEETINGS and _has_new(boots, exactness):
            with session.client() as client:
                answer = client.get(url)
            if answer.status >= 400:
                break
            boots.append(_boot_time(answer))
    return tuple(boots)


def _age(answers: list[Answer]) -> float | None:
    """How long ago the oldest of these was given: by the Age of a cache, else by what the API says the time is.

    Caches need not say that they are some (nginx does not), and the time of an API whose clock is wrong is old, too.
    But a wrong clock runs: where each answer is later than the one before by as much as it came later, they are new.
    """
    cached = [answer.cached_seconds for answer in answers if answer.cached_seconds is not None]
    told = [(answer, moment_in(_health_body(answer)[1].get("timestamp"))) for answer in answers]
    moments = [(answer, moment) for answer, moment in told if moment is not None]
    ages = [((answer.server_date or answer.received_at) - moment).total_seconds() for answer, moment in moments]
    late = [(answer.received_at - moment).total_seconds() for answer, moment in moments]
    said = [moment for _, moment in moments]
    runs = len(said) > 1 and all(one < later for one, later in pairwise(said)) and max(late) - min(late) < CLOCK_JITTER
    return max([0.0, *cached, *([] if runs else ages)]) if cached or moments else None


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


def _ill(answer: Answer) -> str | None:
    """What is wrong with a health answer, in a few words; None where nothing is."""
    if _illness(answer) < 2 or answer.rate_limited:
        return None
    return f"{answer.status}, {text_in(_health_body(answer)[1].get('status')) or 'not a status of the API'}"


def _boot_time(answer: Answer) -> datetime | None:
    """When the process behind a health answer started."""
    _, data = _health_body(answer)
    return boot_time(moment_in(data.get("timestamp")), _uptime(answer))


def _uptime(answer: Answer) -> float | None:
    return figure_in(_health_body(answer)[1].get("uptime"))


def _has_new(boots: list[datetime | None], exactness: float) -> bool:
    """Whether a process was met for the first time lately: within four answers, and two for each process there is."""
    met: list[datetime] = []
    since = 0
    for boot in boots:
        met_before = boot is None or any(abs((boot - one).total_seconds()) <= exactness for one in met)
        since = since + 1 if met_before else 0
        met += [] if met_before or boot is None else [boot]
    return len(met) > 1 and since < 2 * len(met) + 4
