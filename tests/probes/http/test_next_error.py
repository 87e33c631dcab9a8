"""Pages that a real Next.js 15.5 gave, well and ill, whatever their status was."""

from __future__ import annotations

from pathlib import Path

import pytest

from opsverify.evidence.deadline import Deadline
from opsverify.probes.http.html_document import read
from opsverify.probes.http.next_error import next_error
from tests.pace import AMPLE

PAGES = Path(__file__).parent / "next_pages"


def error_of(text: str) -> str | None:
    return next_error(read(text, "https://cats.example.com/", Deadline(AMPLE)), text)


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("well", None),
        ("boom", "an error of the server that Next.js streamed: digest 2231414472"),  # thrown before the first byte
        ("late", "an error of the server that Next.js streamed: digest 25423062"),  # after it: with status 200
        ("missing", "an error page of Next.js: 404"),
        ("latemissing", "an error page of Next.js: 404"),
        ("nothere", "an error page of Next.js: 404: This page could not be found"),
        ("go", None),  # leads elsewhere
        ("boundary", None),  # fails on the server only: the browser renders it
    ],
)
def test_what_a_real_next_js_gave(name: str, error: str | None) -> None:
    assert error_of((PAGES / f"{name}.html").read_text(encoding="utf-8")) == error


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ('<html id="__next_error__"><head></head>', "an error page of Next.js"),
        ('<meta name="next-error" content="not-found">', "an error page of Next.js: not-found"),
        ('<html id="__next_error__"><meta id="__next-page-redirect" http-equiv="refresh">', None),
        ('<script id="__NEXT_DATA__" type="application/json">{"props":{},"page":"/_error"}</script>',
         "an error page of Next.js: /_error"),
        ('<script id="__NEXT_DATA__" type="application/json">{"props":{"page":"/_error"},"page":"/"}</script>', None),
        ('<script id="__NEXT_DATA__" type="application/json">[1]</script>', None),
        ('<script id="__NEXT_DATA__" type="application/json">{"page":</script>', None),
        ("<title>500: Internal Server Error.</title>", "an error page of Next.js: 500: Internal Server Error"),
        ("<title>Cats: 500: Internal Server Error.</title>", None),
        ("<p>id=\"__next_error__\" and 5:E{&quot;digest&quot;:&quot;1&quot;}</p>", None),
        # A user's text in React's data is quoted once more.
        (r'<script>self.__next_f.push([1,"5:[\"\\n6:E{\\\"digest\\\":\\\"1\\\"}\"]"])</script>', None),
    ],
)  # fmt: skip
def test_marks_of_other_versions_and_what_only_looks_like_one(text: str, error: str | None) -> None:
    assert error_of(text) == error
