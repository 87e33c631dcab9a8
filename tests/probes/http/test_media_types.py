"""Which answers a browser takes for scripts and styles: a real one is asked."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from opsverify.probes.http.media_types import JAVASCRIPT, is_nosniff, refusal

TYPES = (
    *sorted(JAVASCRIPT), None, "text/plain", "application/octet-stream", "application/json", "text/css", "text/csv",
    "image/png", "audio/mpeg", "video/mp4", "font/woff2", "binary/octet-stream", "application/x-css",
)  # fmt: skip
KINDS = ("script", "module", "style")
NOSNIFF = (None, "nosniff", "NoSniff", "nosniff, nosniff", "sniff, nosniff")


def test_a_browser_takes_what_is_not_refused(browser: Any, site: Any) -> None:
    cases = list(itertools.product(KINDS, TYPES, NOSNIFF))
    elements = []
    for number, (kind, media_type, options) in enumerate(cases):
        site.routes[f"/{number}"] = serving(number, kind, media_type, options)
        elements.append(
            f'<link rel="stylesheet" href="/{number}">'
            if kind == "style"
            else f'<script {"type=module" if kind == "module" else "defer"} src="/{number}"></script>'
        )
    site.answer("/", f"<!DOCTYPE html><body>{''.join(elements)}", Content_Type="text/html")
    page = browser.new_page()
    page.goto(site.url, wait_until="load")
    taken = page.evaluate(
        """count => [...Array(count).keys()].filter(number => window.ran?.includes(number)
             || getComputedStyle(document.body).getPropertyValue(`--taken-${number}`))""",
        len(cases),
    )
    page.close()
    expected = [n for n, (kind, type_, options) in enumerate(cases) if not refusal(kind, type_, is_nosniff(options))]
    assert [cases[n] for n in taken] == [cases[n] for n in expected]


def serving(number: int, kind: str, media_type: str | None, options: str | None) -> Any:
    script = f"(window.ran ??= []).push({number})"
    body = (f"body {{ --taken-{number}: 1 }}" if kind == "style" else script).encode()

    def handle(request: Any) -> None:
        request.send_response(200)
        if media_type:
            request.send_header("Content-Type", media_type)
        if options:
            request.send_header("X-Content-Type-Options", options)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    return handle


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("nosniff", [True, False])
def test_a_page_is_never_what_was_asked_for(kind: str, nosniff: bool) -> None:
    assert refusal(kind, "text/html", nosniff) == f"a page (text/html) instead of a {kind}"


@pytest.mark.parametrize("media_type", TYPES)
def test_fonts_and_images_may_be_of_any_type(media_type: str | None) -> None:
    assert refusal("font", media_type, nosniff=True) is None
