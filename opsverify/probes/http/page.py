"""The front end's page and what it names: a prerendered 200 proves little unless its scripts load too."""

from __future__ import annotations

import html
from html.parser import HTMLParser
from typing import TYPE_CHECKING
from urllib.parse import urldefrag, urljoin, urlsplit

from opsverify.errors import ProbeError
from opsverify.evidence import DaemonThreads, Deadline
from opsverify.probes.dial import printable
from opsverify.probes.http.client import Answer, Client, place_of, same_origin
from opsverify.probes.http.facts import Asset, PageFacts

if TYPE_CHECKING:
    from opsverify.probes.http.asking import Asker

ASSET_LIMIT = 40
NEXT = "/_next/"
"""Where Next.js keeps what it built, below the CDN's address too (`assetPrefix`): what else is of another origin is not
the application's."""
AT_ONCE = 4


class Named(HTMLParser):
    """Collects the title and the scripts, styles and preloads that a page names: {absolute url: what it is}."""

    def __init__(self, url: str) -> None:
        super().__init__(convert_charrefs=True)
        self.assets: dict[str, str] = {}
        self.title: str | None = None
        self._base = url
        self._in_title = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """html.parser hands over names in lower case and values with their entities resolved."""
        given = {name: value or "" for name, value in attrs}
        if tag == "title":
            self._in_title = self.title is None
        elif tag == "base" and given.get("href"):
            self._base = self._absolute(given["href"]) or self._base
        elif tag == "script":
            self._note(given.get("src"), "script")
        elif tag == "link":
            self._link(given)

    def _link(self, given: dict[str, str]) -> None:
        relations = given.get("rel", "").lower().split()
        if "stylesheet" in relations and "alternate" not in relations:
            self._note(given.get("href"), "style")
        elif "modulepreload" in relations:
            self._note(given.get("href"), "script")
        elif "preload" in relations:
            self._note(given.get("href"), given.get("as", "").lower() or "preload")

    def _note(self, reference: str | None, kind: str) -> None:
        url = self._absolute(reference) if reference else None
        if url is not None and urlsplit(url).scheme in ("http", "https"):
            self.assets.setdefault(url, printable(kind, 20))

    def _absolute(self, reference: str) -> str | None:
        try:
            url = urldefrag(urljoin(self._base, reference.strip())).url
            _ = urlsplit(url).port
        except ValueError:
            return None
        return url

    def handle_data(self, data: str) -> None:
        """Text; only the title's is kept."""
        if self._in_title:
            self.title = (self.title or "") + data[:500]

    def handle_endtag(self, tag: str) -> None:
        """The end of an element."""
        if tag == "title":
            self._in_title = False


def read(text: str, url: str, deadline: Deadline) -> Named:
    """Parse a page in pieces, so that a pathological one cannot outlast the deadline."""
    named = Named(url)
    for start in range(0, len(text), 65536):
        deadline.remaining()
        named.feed(text[start : start + 65536])
    return named


def load(asker: Asker) -> PageFacts:
    """Fetch the page and the application's assets. Raises as `Client.get` does, for the page itself only."""
    target = asker.target
    with asker.client() as client:
        answer = client.get(target.url if urlsplit(target.url).path else target.url + "/")
    text = answer.text
    is_html = answer.media_type in (None, "text/html", "application/xhtml+xml")
    named = read(text if is_html else "", answer.url, asker.deadline)
    own = [(url, kind) for url, kind in named.assets.items() if same_origin(url, answer.url) or _is_built(url)]
    assets = _fetch(asker, own[:ASSET_LIMIT]) if answer.status == 200 else ()
    contains = getattr(target, "contains", None)
    return PageFacts(
        timings=(answer.timing,),
        status=answer.status,
        content_type=answer.media_type,
        title=None if named.title is None else printable(named.title, 200),
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
        excerpt=asker.excerpt(text),
    )


def same_site(one: str, other: str) -> bool:
    """Whether two addresses are of one host, or one is of a subdomain of the other's; `www.` makes no difference."""
    a, b = sorted(((urlsplit(url).hostname or "").removeprefix("www.") for url in (one, other)), key=len)
    return a == b or b.endswith(f".{a}")


def _is_built(url: str) -> bool:
    return NEXT in urlsplit(url).path


def _fetch(asker: Asker, wanted: list[tuple[str, str]]) -> tuple[Asset, ...]:
    """Fetch assets over at most four kept connections, in the page's order."""
    lanes = min(AT_ONCE, len(wanted))

    def lane(number: int) -> list[tuple[int, Asset]]:
        with asker.client() as client:
            return [(index, _asset(client, *wanted[index])) for index in range(number, len(wanted), lanes)]

    if not wanted:
        return ()
    with DaemonThreads() as threads:
        found = dict(pair for pairs in threads.map(lane, range(lanes)) for pair in pairs)
    return tuple(found[index] for index in range(len(wanted)))


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
    if kind in ("script", "style") and answer.media_type == "text/html":
        return f"a page (text/html) instead of a {kind}"
    if not answer.body:
        return "an empty file"
    return None
