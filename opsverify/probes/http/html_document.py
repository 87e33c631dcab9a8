"""What a page names: its titles, the scripts, styles and preloads that it needs, and the marks of a Next.js error."""

from __future__ import annotations

from html.parser import HTMLParser
from urllib.parse import urldefrag, urljoin, urlsplit

from opsverify.evidence.deadline import Deadline
from opsverify.probes.http.media_types import JAVASCRIPT
from opsverify.probes.tcp.transport import printable

NEXT_DATA_LIMIT = 200_000


class Named(HTMLParser):
    """Collects what a page names. `assets`: {absolute url: "script", "module", "style" or what a preload is for}.

    `ids`: of its html and meta elements; `next_error`: the content of a meta of that name; `next_data`: the text of
    the script `__NEXT_DATA__`.
    """

    def __init__(self, url: str) -> None:
        super().__init__(convert_charrefs=True)
        self.assets: dict[str, str] = {}
        self.titles: list[str] = []
        self.ids: set[str] = set()
        self.next_error = ""
        self.next_data = ""
        self._base = url
        self._inside = ""

    @property
    def title(self) -> str | None:
        """The first title, which is the one that browsers show."""
        return self.titles[0] if self.titles else None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """html.parser hands over names in lower case and values with their entities resolved."""
        given = {name: value or "" for name, value in attrs}
        if tag in ("html", "meta"):
            self.ids.add(given.get("id", ""))
        if tag == "title":
            self.titles.append("")
            self._inside = tag
        elif tag == "meta" and given.get("name", "").lower() == "next-error":
            self.next_error = given.get("content") or "error"
        elif tag == "base" and given.get("href"):
            self._base = self._absolute(given["href"]) or self._base
        elif tag == "script":
            self._inside = tag if given.get("id") == "__NEXT_DATA__" else ""
            self._script(given)
        elif tag == "link":
            self._link(given)

    def _script(self, given: dict[str, str]) -> None:
        """Note a script that browsers run: of any other type, it is data, and not fetched."""
        media_type = given.get("type", "").strip().lower()
        if media_type == "module":
            self._note(given.get("src"), "module")
        elif not media_type or media_type in JAVASCRIPT:
            self._note(given.get("src"), "script")

    def _link(self, given: dict[str, str]) -> None:
        relations = given.get("rel", "").lower().split()
        if "stylesheet" in relations and "alternate" not in relations:
            self._note(given.get("href"), "style")
        elif "modulepreload" in relations:
            self._note(given.get("href"), "module")
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
        """Text; only that of titles and of `__NEXT_DATA__` is kept."""
        if self._inside == "title":
            self.titles[-1] += data[:500]
        elif self._inside == "script" and len(self.next_data) < NEXT_DATA_LIMIT:
            self.next_data += data

    def handle_endtag(self, tag: str) -> None:
        """The end of an element."""
        if tag == self._inside:
            self._inside = ""


def read(text: str, url: str, deadline: Deadline) -> Named:
    """Parse a page in pieces, so that a pathological one cannot outlast the deadline."""
    named = Named(url)
    for start in range(0, len(text), 65536):
        deadline.remaining()
        named.feed(text[start : start + 65536])
    return named
