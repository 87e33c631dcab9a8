"""Whether a page is, or holds, an error of Next.js: one that is streamed has status 200. Pure.

Source: Next.js 15.5 and 16, packages/next/src/server/app-render (an error before the first byte replaces the page by
`<html id="__next_error__">`; one after it is a row `E` of the data that follows) and server/render.tsx for pages/.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from opsverify.probes.tcp.transport import printable

if TYPE_CHECKING:
    from opsverify.probes.http.html_document import Named

_ROW = re.compile(r'(?:"|\\n)[0-9a-f]{1,8}:E\{\\"digest\\":\\"([^"\\]{0,200})')
"""An error among the rows of React's data: `self.__next_f.push([1,"5:E{\\"digest\\":\\"2231414472\\"}\\n"])`."""
_TITLE = re.compile(r"404: This page could not be found|500: Internal Server Error|Application error:")
"""Of the pages that Next.js shows where the application has none of its own."""


def next_error(named: Named, text: str) -> str | None:
    """What shows that the page is an error of Next.js, or None. A redirect is none, though it is written as one."""
    if named.ids & {"__next-page-redirect"}:
        return None
    for digest in _ROW.findall(text):
        if digest.startswith("NEXT_HTTP_ERROR_FALLBACK;") or digest == "NEXT_NOT_FOUND":
            return f"an error page of Next.js: {digest.partition(';')[2] or '404'}"
        if not digest.startswith(("NEXT_", "BAILOUT_", "DYNAMIC_")):
            return f"an error of the server that Next.js streamed: digest {printable(digest, 40)}"
    if named.ids & {"__next_error__"} or named.next_error:
        return f"an error page of Next.js{f': {printable(named.next_error, 40)}' if named.next_error else ''}"
    if title := next((match[0] for title in named.titles if (match := _TITLE.match(title.strip()))), None):
        return f"an error page of Next.js: {title}"
    return _of_pages_router(named.next_data)


def _of_pages_router(next_data: str) -> str | None:
    try:
        page = json.loads(next_data).get("page")
    except (ValueError, RecursionError, AttributeError):
        return None
    return f"an error page of Next.js: {page}" if page in ("/_error", "/404", "/500") else None
