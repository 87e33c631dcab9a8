"""What can be asked over HTTP, and the frozen facts that answer it. All times are seconds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

# --- questions ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Health:
    """To an Api or Proxy: what does its health path say, and how fast? Answer: `HealthFacts`. No privilege needed."""


@dataclass(frozen=True)
class Smoke:
    """To an Api: does its data endpoint answer in the documented shape? Answer: `DataAnswer`. No privilege needed."""


@dataclass(frozen=True)
class Cats:
    """To an Api: the same of the cats endpoint, timed. Answer: `DataAnswer`. Needs the Api's token.

    Without a token the API's guard answers 401 before any query runs: `authenticated` tells which was measured.
    """


@dataclass(frozen=True)
class Cors:
    """To an Api: which origins does it grant? Answer: `CorsFacts`. No privilege needed."""

    allowed_origins: tuple[str, ...] = ()
    foreign_origin: str = "https://foreign.invalid"


@dataclass(frozen=True)
class Page:
    """To a Frontend: does the page load with its scripts and styles? Answer: `PageFacts`. No privilege needed."""


@dataclass(frozen=True)
class Headers:
    """To an Api, Frontend or Proxy: the security headers of its answer. Answer: `HeaderFacts`. No privilege needed.

    `path`: what to ask for; none: the target's health path, or its page.
    """

    path: str = ""


@dataclass(frozen=True)
class Redirect:
    """To an Api, Frontend or Proxy: where does plain http lead? Answer: `RedirectFacts`. No privilege needed.

    `http_url`: the address to try; none: the target's own with http and port 80.
    """

    http_url: str | None = None


@dataclass(frozen=True)
class Maintenance:
    """To a Proxy: what do users get while the system is down? Answer: `MaintenanceFacts`. No privilege needed.

    `contains`: text that the page must hold; empty: any.
    """

    contains: str = ""


# --- facts ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Timing:
    """Where the time of one request went, measured inside our own connection class.

    `dns`: resolving the name · `connect`: TCP, to the address that answered · `tls`: handshake and verification ·
    `first_byte`: from the request's first byte until the answer's headers had arrived · `body`: until its end ·
    `total`: all of it as a client sees it. Redirects followed are added up; a reused connection has 0 for the first
    three.
    """

    dns: float
    connect: float
    tls: float
    first_byte: float
    body: float
    total: float

    def __str__(self) -> str:
        phases = (
            f"{name} {getattr(self, name) * 1000:.0f}" for name in ("dns", "connect", "tls", "first_byte", "body")
        )
        return f"{self.total * 1000:.0f} ms ({', '.join(phases)})".replace("first_byte", "first byte")


@dataclass(frozen=True)
class Timed:
    """Facts with one `Timing` per sample, in order. Each sample used a fresh connection."""

    timings: tuple[Timing, ...]

    @property
    def timing(self) -> Timing:
        """The first sample."""
        return self.timings[0]

    @property
    def median_seconds(self) -> float:
        """Median of the samples' totals."""
        return median(timing.total for timing in self.timings)

    @property
    def worst(self) -> Timing:
        """The slowest sample with its phases."""
        return max(self.timings, key=lambda timing: timing.total)

    @property
    def worst_seconds(self) -> float:
        """Total of the slowest sample."""
        return self.worst.total


@dataclass(frozen=True)
class ClockReading:
    """A foreign clock beside ours. The Date header (RFC 9110, 6.6.1) is cut to whole seconds; nginx sets its own."""

    remote: datetime
    local: datetime
    half_round_trip: float
    resolution: float = 1.0

    @property
    def offset_seconds(self) -> float:
        """Their clock minus ours, best estimate; positive: theirs is ahead."""
        remote = self.remote + timedelta(seconds=self.resolution / 2)
        return (remote - self.local).total_seconds() + self.half_round_trip

    @property
    def uncertainty_seconds(self) -> float:
        """The truth lies within this of `offset_seconds`."""
        return self.half_round_trip + self.resolution / 2


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


@dataclass(frozen=True)
class DataAnswer(Timed):
    """The answer of a data endpoint.

    `shape_ok`: exactly 200 and `{"success":true,"data":[…],"meta":{total,page,limit,totalPages}}`; `problems` lists
    every difference. `rows`, `total`: of this page and of all, where the body has them. `error_code`: the API's own
    (`error.code`). `authenticated`: a token was sent.
    """

    status: int
    shape_ok: bool
    problems: tuple[str, ...]
    rows: int | None
    total: int | None
    error_code: str | None
    authenticated: bool
    rate_limited: bool
    retry_after: float | None
    content_type: str | None
    excerpt: str


@dataclass(frozen=True)
class Grant:
    """The CORS headers of one answer (Fetch standard, "CORS protocol"), None where absent."""

    status: int
    allow_origin: str | None
    allow_credentials: str | None

    def lets_in(self, origin: str) -> bool:
        """Whether a browser at `origin` may read the answer."""
        return self.allow_origin in ("*", origin)


@dataclass(frozen=True)
class OriginAnswer:
    """What one origin got. `expected`: it is one of the allowed ones; `preflight`: OPTIONS, `simple`: GET."""

    origin: str
    expected: bool
    preflight: Grant
    simple: Grant

    @property
    def granted(self) -> bool:
        """Whether the actual answer may be read from that origin."""
        return self.simple.lets_in(self.origin)

    @property
    def wildcard_with_credentials(self) -> bool:
        """`*` together with credentials: forbidden by the Fetch standard, and a sign of a careless setting."""
        return any(
            grant.allow_origin == "*" and (grant.allow_credentials or "").lower() == "true"
            for grant in (self.preflight, self.simple)
        )


@dataclass(frozen=True)
class CorsFacts:
    """One `OriginAnswer` per allowed origin, and one for a foreign origin."""

    origins: tuple[OriginAnswer, ...]
    rate_limited: bool


@dataclass(frozen=True)
class Asset:
    """A script, style or preload that the page names. `url_path` has no query; `size` in bytes, decoded.

    `status` is None when the request itself failed; `problem` is then why, else what is wrong with the answer.
    """

    url_path: str
    expects: str
    status: int | None
    size: int
    ok: bool
    problem: str | None


@dataclass(frozen=True)
class PageFacts(Timed):
    """The page and its assets. `contains_ok` is None when the environment asks for no text.

    `elsewhere` is where it came from, when that is another site than the target's. `foreign_assets`: named by the page,
    but of other origins and none of the application's, not fetched; `assets_left_out`: beyond the cap of 40.
    `truncated`: the page is larger than 2 MiB and was read so far only.
    """

    status: int
    content_type: str | None
    title: str | None
    contains_ok: bool | None
    elsewhere: str | None
    assets: tuple[Asset, ...]
    foreign_assets: int
    assets_left_out: int
    size: int
    truncated: bool
    server: str | None
    rate_limited: bool
    retry_after: float | None
    excerpt: str


@dataclass(frozen=True)
class HeaderFacts:
    """Security headers of the answer to one GET, None where absent, bounded."""

    status: int
    over_tls: bool
    strict_transport_security: str | None
    content_type_options: str | None
    frame_options: str | None
    content_security_policy: str | None
    referrer_policy: str | None
    permissions_policy: str | None
    server: str | None
    powered_by: str | None
    rate_limited: bool


@dataclass(frozen=True)
class RedirectFacts:
    """What plain http answered. `status` is None where nothing could be asked over it, which leaks nothing: `refused`,
    nothing listens there; `dropped`, a firewall lets nobody through (no connection within 5 s, or no route), though the
    host answers over https.

    `to_https`: it redirects to https of the same host; `permanent`: by 301 or 308; `location`: without query.
    """

    http_url: str
    refused: bool
    dropped: bool
    status: int | None
    location: str | None
    to_https: bool
    permanent: bool


@dataclass(frozen=True)
class MaintenanceFacts:
    """The answer to a user's GET of the public page. `retry_after`: seconds, None where absent or not understood.

    `contains_ok` is None when no text is asked for. Texts are printable and bounded.
    """

    status: int
    retry_after: float | None
    content_type: str | None
    title: str | None
    contains_ok: bool | None
    size: int
    excerpt: str
