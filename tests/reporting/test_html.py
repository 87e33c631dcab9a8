"""The HTML report in a real browser."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator
from pathlib import Path

import cases
import pytest

from opsverify.reporting.html import table


@contextlib.contextmanager
def page_of(browser, path: Path, **options) -> Iterator:
    """The page, with everything that it must not do recorded in `page.mischief`."""
    context = browser.new_context(viewport={"width": options.pop("width", 1280), "height": 900}, **options)
    page = context.new_page()
    page.mischief = []
    page.on("dialog", lambda dialog: (page.mischief.append(dialog.message), dialog.dismiss()))
    page.on("pageerror", lambda error: page.mischief.append(str(error)))
    page.on("console", lambda message: message.type == "error" and page.mischief.append(message.text))
    page.on("request", lambda request: request.url.startswith("file:") or page.mischief.append(request.url))
    page.goto(path.as_uri())
    yield page
    assert page.mischief == []
    context.close()


def rows(page) -> list[str]:
    return [row.inner_text() for row in page.query_selector_all("#results-table tbody tr.collapsible")]


def verdicts(page) -> list[str]:
    return [cell.inner_text() for cell in page.query_selector_all("#results-table td.ov-verdict")]


def screenshot(page, name: str) -> None:
    """For people to look at: OPSVERIFY_SCREENSHOTS=folder keeps them."""
    folder = os.environ.get("OPSVERIFY_SCREENSHOTS")
    image = page.screenshot(full_page=True)
    assert len(image) > 10_000
    if folder:
        (Path(folder) / f"{name}.png").write_bytes(image)


def test_it_says_at_the_top_what_a_person_must_know(run_sample, browser, options):
    run = run_sample(cases.ordinary(), *options)
    with page_of(browser, run.html) as page:
        assert page.title() == "production (slot green) — 2026-03-02 03:04 UTC"
        headline = page.locator(".ov-headline")
        assert headline.locator("strong").inner_text() == "6 findings need a person: 3 × P1, 2 × P3, 1 × P4"
        assert "2 warned" in headline.inner_text()
        assert "5 blocked" in headline.inner_text()
        first = page.locator(".ov-list li").first.inner_text()
        assert "The API says it is well" in first
        assert "observed 503, database: error, expected 200, status ok" in first
        assert "Respond by 2026-03-02 13:04 UTC+09:00" in first
        cause = page.locator(".ov-list li.ov-blocked")
        assert cause.count() == 1
        assert "5 checks could not be determined" in cause.inner_text()
        body = page.locator("body").inner_text()
        assert "waived by tanaka until 2026-04-01" in body
        assert "there is only one slot here" in body
        # Top to bottom: headline, findings, table of all checks, what rarely matters.
        tops = [page.locator(s).first.bounding_box()["y"] for s in (".ov-headline", ".ov-list", "#results-table")]
        assert tops == sorted(tops)
        assert page.locator("#environment").bounding_box()["y"] > tops[-1]
        screenshot(page, "ordinary")


def test_a_warning_is_amber_and_says_warned(run_sample, browser, options):
    run = run_sample(cases.ordinary(), *options)
    with page_of(browser, run.html) as page:
        assert verdicts(page).count("Warned") == 2
        warned = page.locator("td.ov-verdict.ov-warning b").first
        red, green, blue = map(int, re.findall(r"\d+", warned.evaluate("e => getComputedStyle(e).color"))[:3])
        assert red > green > blue
        assert "Passed" not in page.locator("#results-table").inner_text()
        colours = {
            kind: page.locator(f"td.ov-verdict.ov-{kind} b").first.evaluate("e => getComputedStyle(e).color")
            for kind in ("alert", "blocked", "warning", "normal", "waived")
        }
        assert len(set(colours.values())) == 5


def test_filters_and_sorting_work(run_sample, browser, options):
    run = run_sample(cases.ordinary(), *options)
    with page_of(browser, run.html) as page:
        assert len(rows(page)) == len(cases.ordinary())
        order = verdicts(page)
        assert order[:3] == ["Alert"] * 3
        assert order.index("Blocked") < order.index("Warned") < order.index("Normal")

        failed = page.locator('input[data-test-result="failed"]')
        assert failed.is_visible()
        failed.click()
        assert "Alert" not in verdicts(page)
        assert verdicts(page).count("Warned") == 2
        page.locator('input[data-test-result="passed"]').click()
        assert "Warned" not in verdicts(page)
        assert "Blocked" in verdicts(page)
        page.locator('input[data-test-result="passed"]').click()
        page.locator('input[data-test-result="failed"]').click()
        assert len(rows(page)) == len(cases.ordinary())

        severities = "#results-table td.col-severity"
        page.locator('th[data-column-type="severity"]').click()
        result = page.locator(severities).all_inner_texts()
        assert result == sorted(result)
        page.locator('th[data-column-type="severity"]').click()
        assert page.locator(severities).all_inner_texts() == sorted(result, reverse=True)
        for name in ("check", "observed", "expected", "action", "duration", "rank"):
            page.locator(f'th[data-column-type="{name}"]').click()
            assert len(rows(page)) == len(cases.ordinary())


def test_a_click_opens_the_details(run_sample, browser):
    run = run_sample(cases.ordinary())
    with page_of(browser, run.html) as page:
        assert page.locator(".ov-details:visible").count() == 0
        page.locator("tbody.failed td.ov-verdict b").first.click(force=True)
        details = page.locator(".ov-details:visible")
        assert details.count() == 1
        assert "システム監視項目 (MON)" in details.inner_text()
        assert page.locator(".ov-output:visible").count() == 0
        page.locator("td.ov-broken").first.click()
        output = page.locator(".ov-output:visible")
        assert "    raise KeyError" in output.inner_text() or "raise KeyError" in output.inner_text()
        assert "what the check printed <b>" in output.inner_text()


def test_no_text_of_a_target_runs_or_breaks_the_page(run_sample, browser, options):
    run = run_sample(cases.hostile(half_characters=not options), *options)
    with page_of(browser, run.html) as page:
        page.click("#show_all_details")
        assert len(rows(page)) == len(cases.hostile())
        assert "<script>alert(1)</script>" in page.locator("#results-table").inner_text()
        assert page.locator("img[src=x]").count() == 0
        page.wait_for_timeout(200)
        screenshot(page, "hostile")


def test_what_many_have_in_common_is_one_entry_and_one_row(run_sample, browser, options):
    run = run_sample(cases.fleet(), *options)
    with page_of(browser, run.html) as page:
        full, dead, unseen = page.locator(".ov-section", has_text="Needs a person").locator("li").all()
        assert page.locator(".ov-headline strong").inner_text() == "3 findings need a person: 3 × P2"
        assert "disk-usage on 9 of 50 hosts: app001-app009" in full.inner_text()
        assert "worst app009: observed /var 99 %, expected < 80 % (alert > 90 %); 99 % … 91 %" in full.inner_text()
        assert "Run `ssh app009 df` and make room. (as for app009)" in full.inner_text()
        assert "connection refused on 6 of 50 hosts: app010-app015" in dead.inner_text()
        assert "could not be determined: <no> privilege" in unseen.inner_text()
        assert not full.locator("table").is_visible()
        full.locator("summary").click()
        assert full.locator("td").all_inner_texts()[2:4] == [
            "app008",
            "observed /var 98 %, expected < 80 % (alert > 90 %)",
        ]
        # Fewer than four are what they were: the three that warn.
        assert len(rows(page)) == 4 + 3
        assert verdicts(page) == ["Alert", "Blocked", "Not determined", "Warned", "Warned", "Warned", "Normal"]
        assert "worst app050: / 50 %; 50 % … 21 %" in rows(page)[-1]
        screenshot(page, "fleet")


def test_a_row_of_many_tells_of_each_of_them(run_sample, browser, options):
    run = run_sample(cases.fleet(), *options)
    with page_of(browser, run.html) as page:
        page.click("#show_all_details")
        text = page.locator("#results-table").inner_text()
        for n, one in enumerate(cases.fleet()):
            assert f"test_case[{one['runbook']}-{one['target']}]" in text, n
            assert (one["sentence"] or one["observed"]) in text
            assert one["verdict"] == "normal" or one["action"] in text
        assert page.evaluate("document.documentElement.scrollWidth") <= 1280
        screenshot(page, "fleet-details")


def test_what_the_checks_of_a_row_of_many_printed_is_there(run_sample, browser):
    broken = [cases.case("disk-usage", "broken", target=f"app{n}", sentence="it broke") for n in range(5)]
    with page_of(browser, run_sample(broken).html) as page:
        assert len(rows(page)) == 1
        page.locator("td.ov-broken").click()
        outputs = page.locator(".ov-output:visible").all_inner_texts()
        assert len(outputs) == 5
        assert all("what the check printed <b>" in output and "raise KeyError" in output for output in outputs)


@pytest.mark.parametrize("width", [390, 800])
def test_many_fit_a_narrow_window(run_sample, browser, width):
    with page_of(browser, run_sample(cases.fleet()).html, width=width) as page:
        page.click("#show_all_details")
        for summary in page.locator(".ov-targets summary").all():
            summary.click()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.evaluate(CONTRAST) == []


def test_waivers_and_exceptions_of_many_are_told_once(run_sample, browser):
    def many(runbook, verdict, sentence):
        return [cases.case(runbook, verdict, target=f"app{n}", sentence=sentence) for n in range(1, 6)]

    waived = many("disk-usage", "waived", "waived by tanaka until 2026-04-01 23:59 UTC: new disks")
    run = run_sample([*waived, *many("slots", "not applicable", "a container")])
    with page_of(browser, run.html) as page:
        sections = page.locator(".additional-summary.postfix .ov-section")
        assert [section.locator("tbody tr").count() for section in sections.all()] == [1, 1]
        assert "disk-usage on all 5 targets: app1-app5" in sections.first.inner_text()
        assert "slots on all 5 targets: app1-app5" in sections.last.inner_text()


def test_many_are_told_in_japanese(run_sample, browser):
    with page_of(browser, run_sample(cases.fleet(), language="ja").html) as page:
        text = page.locator("body").inner_text()
        for words in (
            "disk-usage（hosts 50 件中 9 件）: app001-app009",
            "最悪値 app009: 実測 /var 99 % / 期待値 < 80 % (alert > 90 %); 99 % … 91 %",
            "(app009 の場合)",
            "対象 9 件すべて",
        ):
            assert words in text
        assert " on " not in page.locator(".ov-list").first.inner_text()
        screenshot(page, "fleet-japanese")


def test_no_text_of_many_targets_runs_or_breaks_the_page(run_sample, browser):
    many = [{**one, "target": f"app{n}"} for one in cases.hostile() for n in range(5)]
    with page_of(browser, run_sample(many).html) as page:
        page.click("#show_all_details")
        for summary in page.locator(".ov-targets summary").all():
            summary.click()
        assert len(rows(page)) == len(cases.hostile())
        assert page.locator("img[src=x]").count() == 0
        page.wait_for_timeout(200)


def test_all_normal_is_green(run_sample, browser):
    run = run_sample(cases.healthy())
    with page_of(browser, run.html) as page:
        assert page.locator(".ov-headline.ov-green strong").inner_text() == "All 12 judged checks are normal"
        assert page.locator(".ov-list").count() == 0
        gap = page.locator("#results-table").bounding_box()["y"] - page.locator(".ov-headline").bounding_box()["y"]
        assert gap < 300
        screenshot(page, "healthy")


def test_it_speaks_japanese(run_sample, browser):
    run = run_sample(cases.japanese(), language="ja")
    with page_of(browser, run.html) as page:
        text = page.locator("body").inner_text()
        for words in (
            "2 件の対応が必要です",
            "API が正常に応答している",
            "実測 503, database: error / 期待値",
            "; 実測 no",
            "対応期限",
        ):
            assert words in text
        for name, words in {"show": "詳細をすべて開く", "hide": "すべて閉じる"}.items():
            shown = f"getComputedStyle(document.querySelector('#{name}_all_details'), '::after').content"
            assert page.evaluate(shown) == f'"{words}"'
        screenshot(page, "japanese")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_a_phone(run_sample, browser, scheme):
    run = run_sample(cases.ordinary())
    with page_of(browser, run.html, width=390, color_scheme=scheme) as page:
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        screenshot(page, f"phone-{scheme}")


@pytest.mark.parametrize("width", [720, 800, 1000, 1280])
def test_it_never_scrolls_sideways(run_sample, browser, width):
    run = run_sample(cases.ordinary())
    with page_of(browser, run.html, width=width) as page:
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_printing_shows_the_findings_and_no_controls(run_sample, browser):
    run = run_sample(cases.ordinary())
    with page_of(browser, run.html) as page:
        page.emulate_media(media="print")
        assert page.locator(".ov-headline").is_visible()
        assert not page.locator(".controls").is_visible()
        page.set_viewport_size({"width": 720, "height": 1000})
        assert page.evaluate("document.documentElement.scrollWidth") <= 720


def test_contrast_is_good(run_sample, browser):
    run = run_sample(cases.ordinary())
    for scheme in ("light", "dark"):
        with page_of(browser, run.html, color_scheme=scheme) as page:
            poor = page.evaluate(CONTRAST)
            assert poor == []


CONTRAST = """() => {
  const lum = c => { const v = c.slice(0, 3).map(x => (x /= 255) <= .03928 ? x / 12.92 : ((x + .055) / 1.055) ** 2.4);
    return .2126 * v[0] + .7152 * v[1] + .0722 * v[2]; };
  const parse = s => s.match(/[\\d.]+/g).map(Number);
  const behind = e => { for (; e; e = e.parentElement) {
    const c = parse(getComputedStyle(e).backgroundColor);
    if (c.length < 4 || c[3] > 0) return c; }
    return [255, 255, 255]; };
  const poor = [];
  for (const e of document.querySelectorAll('body *')) {
    if (!e.offsetParent || ![...e.childNodes].some(n => n.nodeType === 3 && n.data.trim())) continue;
    const [a, b] = [lum(parse(getComputedStyle(e).color)), lum(behind(e))];
    const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
    if (ratio < 4.5) poor.push(`${e.tagName}.${e.className} ${e.textContent.slice(0, 30)} ${ratio.toFixed(2)}`);
  }
  return poor; }"""


def test_a_table_escapes_everything():
    assert "<b>" not in table(["<b>"], [["<b>"]])


def test_sections_can_be_added(run_sample, browser):
    extra = """
import pytest
from opsverify.reporting.html import table
@pytest.fixture(scope="session", autouse=True)
def section(request):
    html = request.config.pluginmanager.get_plugin("opsverify-html")
    html.add_section("Traceability", lambda results: table(["n"], [[str(len(results))]]))
    html.add_section("Nothing", lambda results: "")
def test_x(): pass
"""
    run = run_sample([cases.case("a", "normal")], extra=extra)
    with page_of(browser, run.html) as page:
        assert page.locator(".ov-section h3", has_text="Traceability").is_visible()
        assert page.locator(".ov-section h3", has_text="Nothing").count() == 0


def test_the_table_of_how_it_was_made_is_escaped_and_redacted(run_sample, browser):
    run = run_sample(
        [cases.case("a", "normal")],
        "--metadata",
        "URL",
        "https://user:hunter2@example.org/<img src=y onerror=alert(3)>",
    )
    with page_of(browser, run.html) as page:
        assert "hunter2" not in page.content()
        assert page.locator("img[src=y]").count() == 0
