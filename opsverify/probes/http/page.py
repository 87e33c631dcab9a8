"""The front end's page and what it names: a prerendered 200 proves little unless its scripts load too."""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from opsverify.errors import ProbeError
from opsverify.evidence.executors import DaemonThreads
from opsverify.probes.http.addresses import place_of, same_origin, same_site
from opsverify.probes.http.html_document import read
from opsverify.probes.http.media_types import is_nosniff, refusal
from opsverify.probes.http.next_error import next_error
from opsverify.probes.http.other_addresses import OtherAddresses, ask_others
from opsverify.probes.http.timing import Timed
from opsverify.probes.tcp.transport import printable

if TYPE_CHECKING:
    from opsverify.probes.http.session import Session
    from opsverify.probes.http.transport import Answer, Client

ASSET_LIMIT = 40
NEXT = "/_next/"
"""Where Next.js keeps what it built, below the CDN's address too (`assetPrefix`): what else is of another origin is not
the application's."""
AT_ONCE = 4


@dataclass(frozen=True)
class Page:
    """To a Frontend: does the page load with its scripts and styles? Answer: `PageFacts`. No privilege needed."""

    def answer(self, session: Session) -> PageFacts:
        """Fetch the page and the application's assets. Raises as `Client.get` does, for the page itself only."""
        target = session.target
        with session.client() as client:
            url = target.url if urlsplit(target.url).path else target.url + "/"
            answer = client.get(url)
        text = answer.text
        is_html = answer.media_type in (None, "text/html", "application/xhtml+xml")
        named = read(text if is_html else "", answer.url, session.deadline)
        own = [(url, kind) for url, kind in named.assets.items() if same_origin(url, answer.url) or _is_built(url)]
        assets = _fetch(session, own[:ASSET_LIMIT]) if answer.status == 200 else ()
        contains = getattr(target, "contains", None)
        return PageFacts(
            timings=(answer.timing,),
            status=answer.status,
            content_type=answer.media_type,
            title=None if named.title is None else printable(named.title, 200),
            error=next_error(named, text),
            contains_ok=None if contains is None else contains in text or contains in html.unescape(text),
            elsewhere=None if same_site(answer.url, target.url) else printable(place_of(answer.url), 200),
            assets=assets,
            foreign_assets=len(named.assets) - len(own),
            assets_left_out=max(0, len(own) - ASSET_LIMIT),
            size=len(answer.body),
            truncated=answer.truncated,
            server=answer.header("Server"),
            rate_limited=answer.rate_limited or any(asset.problem == "rate-limited" for asset in assets),
            retry_after=answer.retry_after,
            excerpt=session.excerpt(text),
            others=ask_others(session, url, answer.peer, _no_page),
        )


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

    `error`: the error page of Next.js that it is, whatever its status, or None. `elsewhere` is where it came from, when
    that is another site than the target's. `foreign_assets`: named by the page, but of other origins and none of the
    application's, not fetched; `assets_left_out`: beyond the cap of 40. `truncated`: the page is larger than 2 MiB and
    was read so far only.
    """

    status: int
    content_type: str | None
    title: str | None
    error: str | None
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
    others: OtherAddresses
    """What is wrong at other addresses of the name than the one that answered."""


def _no_page(answer: Answer) -> str | None:
    well = answer.rate_limited or (answer.status == 200 and "html" in (answer.media_type or ""))
    return None if well else f"{answer.status} {answer.media_type or 'without content type'}"


def _is_built(url: str) -> bool:
    return NEXT in urlsplit(url).path


def _fetch(session: Session, wanted: list[tuple[str, str]]) -> tuple[Asset, ...]:
    """Fetch assets over at most four kept connections, in the page's order."""
    lanes = min(AT_ONCE, len(wanted))

    def lane(number: int) -> list[tuple[int, Asset]]:
        with session.client() as client:
            return [(index, _asset(client, *wanted[index])) for index in range(number, len(wanted), lanes)]

    if not wanted:
        return ()
    with DaemonThreads() as threads:
        by_index = dict(pair for pairs in threads.map(lane, range(lanes)) for pair in pairs)
    return tuple(by_index[index] for index in range(len(wanted)))


def _asset(client: Client, url: str, kind: str) -> Asset:
    path = printable(urlsplit(url).path, 200)
    try:
        answer = client.get(url)
    except ProbeError as error:
        return Asset(path, kind, None, 0, False, str(error))
    problem = asset_problem(answer, kind)
    return Asset(path, kind, answer.status, len(answer.body), problem is None, problem)


def asset_problem(answer: Answer, kind: str) -> str | None:
    """Why an asset's answer is not what the page needs, or None."""
    if answer.rate_limited:
        return "rate-limited"
    if answer.status != 200:
        return f"status {answer.status} instead of 200"
    if not answer.body:
        return "an empty file"
    return refusal(kind, answer.media_type, is_nosniff(answer.header("X-Content-Type-Options")))
