"""What the HTTP probe makes of the front end's page."""

from __future__ import annotations

from typing import Any

import pytest

from opsverify.config.environment import Frontend
from opsverify.errors import ProbeError
from opsverify.evidence.deadline import Deadline
from opsverify.probes.http.addresses import same_site
from opsverify.probes.http.html_document import read
from opsverify.probes.http.page import Page
from opsverify.probes.http.probe import probe as http_probe
from tests.pace import AMPLE


def load(site: Any, seconds: float = AMPLE, **more: Any) -> Any:
    frontend = Frontend.model_validate({"name": "main", "url": site.url, **more})
    answer = http_probe(frontend, frozenset([Page()]), Deadline(seconds))[Page()]
    if isinstance(answer, ProbeError):
        raise answer
    return answer


@pytest.fixture
def page(site: Any) -> Any:
    site.answer(
        "/",
        """<!DOCTYPE html><html><head><title>My &amp; Cats</title>
        <link rel="stylesheet" href="/_next/static/css/a.css"><link rel=preload as=font href="/f.woff2">
        <link rel="icon" href="/favicon.ico"><LINK REL="modulepreload" HREF="m.js">
        <script src="/_next/static/chunks/main.js?v=1&amp;w=2"></script><script>inline()</script>
        <script src="/_next/static/chunks/main.js?v=1&amp;w=2"></script>
        <script src="https://cdn.example.com/x.js"></script><script src="data:text/javascript,1"></script>
        </head><body>Caf&eacute; cats</body></html>""",
        Content_Type="text/html; charset=utf-8",
    )
    site.answer("/_next/static/css/a.css", "a{}", Content_Type="text/css")
    site.answer("/f.woff2", b"\x00", Content_Type="font/woff2")
    site.answer("/m.js", "1", Content_Type="application/javascript")
    site.answer("/_next/static/chunks/main.js?v=1&w=2", "1;", Content_Type="text/javascript")
    return site


def test_the_page_and_what_it_names_load(page: Any) -> None:
    facts = load(page, contains="Café cats")
    assert (facts.status, facts.title, facts.contains_ok) == (200, "My & Cats", True)
    assert [(a.url_path, a.expects, a.status, a.ok) for a in facts.assets] == [
        ("/_next/static/css/a.css", "style", 200, True),
        ("/f.woff2", "font", 200, True),
        ("/m.js", "module", 200, True),
        ("/_next/static/chunks/main.js", "script", 200, True),
    ]
    assert facts.foreign_assets == 1
    assert len(page.requests) == 5
    assert load(page, contains="dogs").contains_ok is False
    assert load(page).contains_ok is None


def test_what_a_cdn_serves_of_the_application_is_fetched_without_our_headers(page: Any) -> None:
    cdn = page.url.replace("127.0.0.1", "localhost")
    others = f"<script src={cdn}/analytics.js?on=/_next/></script>"
    scripts = f"<script src={cdn}/_next/static/a.js></script>{others}"
    page.answer("/", f"<link rel=preload as=image href=/logo.png>{scripts}", Content_Type="text/html")
    page.answer("/_next/static/a.js", "1", Content_Type="text/javascript")
    page.answer("/logo.png", b"x", Content_Type="image/png")
    facts = load(page, headers={"X-Key": "secret"})
    assert [(a.url_path, a.ok) for a in facts.assets] == [("/logo.png", True), ("/_next/static/a.js", True)]
    assert facts.foreign_assets == 1
    assert {path: headers.get("X-Key") for _, path, headers in page.requests} == {
        "/": "secret", "/logo.png": "secret", "/_next/static/a.js": None,
    }  # fmt: skip
    page.answer("/_next/static/a.js", "gone", status=404)
    assert [a.problem for a in load(page).assets if not a.ok] == ["status 404 instead of 200"]


def test_a_page_of_another_site_is_told(page: Any) -> None:
    page.answer("/", "", status=302, Location=page.url.replace("127.0.0.1", "localhost") + "/status")
    page.answer("/status", "<title>We will be back</title>", Content_Type="text/html")
    assert load(page).elsewhere.endswith(f"localhost:{page.port}")
    page.answer("/status", "<title>We will be back</title><script src=/s.js></script>", Content_Type="text/html")
    page.requests.clear()
    load(page, headers={"X-Key": "secret"})
    assert {path: headers.get("X-Key") for _, path, headers in page.requests} == {
        "/": "secret", "/status": None, "/s.js": None,
    }  # fmt: skip
    page.answer("/", "", status=302, Location="/status")
    assert load(page).elsewhere is None


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("https://mycats.example.com/", "http://www.mycats.example.com:3000", True),
        ("https://app.mycats.example.com/", "https://mycats.example.com", True),
        ("https://status.example.net/", "https://mycats.example.com", False),
        ("https://notmycats.example.com/", "https://mycats.example.com", False),
    ],
)
def test_which_addresses_are_of_one_site(one: str, other: str, same: bool) -> None:
    assert same_site(one, other) is same_site(other, one) is same


def test_a_script_that_is_a_page_is_not_ok(page: Any) -> None:
    page.answer("/m.js", "<html>not found</html>", Content_Type="text/html")
    del page.routes["/f.woff2"]
    page.answer("/_next/static/css/a.css", "", Content_Type="text/css")
    problems = {asset.url_path: asset.problem for asset in load(page).assets if not asset.ok}
    assert problems == {
        "/m.js": "a page (text/html) instead of a module",
        "/f.woff2": "status 404 instead of 200",
        "/_next/static/css/a.css": "an empty file",
    }


def test_an_asset_that_breaks_costs_only_itself(page: Any) -> None:
    page.raw("/m.js", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n1")
    broken = [asset for asset in load(page).assets if not asset.ok]
    assert [(a.url_path, a.status) for a in broken] == [("/m.js", None)]
    assert "broke off" in (broken[0].problem or "")


def test_a_limited_asset_makes_the_page_rate_limited(page: Any) -> None:
    page.answer("/m.js", "{}", status=429, Retry_After="60")
    facts = load(page)
    assert facts.rate_limited
    assert [a.problem for a in facts.assets if not a.ok] == ["rate-limited"]


def test_assets_are_capped_and_kept_apart(site: Any) -> None:
    site.answer("/", "".join(f"<script src=/{n}.js></script>" for n in range(60)), Content_Type="text/html")
    site.answer("*", "1", Content_Type="text/javascript")
    facts = load(site)
    assert (len(facts.assets), facts.assets_left_out) == (40, 20)
    assert all(asset.ok for asset in facts.assets)


def test_a_kept_connection_that_the_server_closed_is_replaced(site: Any) -> None:
    site.answer("/", "".join(f"<script src=/{n}.js></script>" for n in range(8)), Content_Type="text/html")

    def close_after(request: Any) -> None:
        request.close_connection = True  # without saying so in a header
        body = b"1"
        request.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/javascript\r\nContent-Length: 1\r\n\r\n" + body)

    site.routes["*"] = close_after
    assert all(asset.ok for asset in load(site).assets)


def test_a_maintenance_page_is_told(site: Any) -> None:
    site.answer("/", "<title>Maintenance</title>", status=503, Content_Type="text/html", Retry_After="3600")
    facts = load(site)
    assert (facts.status, facts.retry_after, facts.title, facts.rate_limited) == (503, 3600.0, "Maintenance", False)
    assert facts.assets == ()


def test_a_base_element_counts_and_broken_references_do_not() -> None:
    named = read(
        '<base href="/app/"><script src="a.js"></script><script src="http://[broken"></script><script src=""></script>'
        '<link rel="alternate stylesheet" href="other.css"><script src="javascript:1"></script>',
        "https://cats.example.com/x/y",
        Deadline(AMPLE),
    )
    assert named.assets == {"https://cats.example.com/app/a.js": "script"}


@pytest.mark.parametrize("text", ["<" * 20_000, "<!" * 20_000, "<a " * 20_000, "<script>" * 5000, "&" * 50_000])
def test_a_pathological_page_is_parsed_in_bounded_time(text: str) -> None:
    read(text, "https://x/", Deadline(AMPLE))
