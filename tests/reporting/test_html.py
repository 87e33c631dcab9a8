"""The HTML report in a real browser."""

from __future__ import annotations

import contextlib
import io
import os
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import cases
import pytest

from opsverify.reporting.digest import Heading
from opsverify.reporting.html import table
from opsverify.reporting.html.elements import code
from opsverify.reporting.html.page import MOST_BYTES, MOST_FINDINGS, Contents, Page
from opsverify.reporting.results import Result
from tests.npm import installed


@contextlib.contextmanager
def page_of(browser, path: Path, place: str = "", **options) -> Iterator:
    """The page, with everything that it must not do recorded in `page.mischief`."""
    context = browser.new_context(viewport={"width": options.pop("width", 1280), "height": 900}, **options)
    page = context.new_page()
    page.mischief = []
    page.on("dialog", lambda dialog: (page.mischief.append(dialog.message), dialog.dismiss()))
    page.on("pageerror", lambda error: page.mischief.append(str(error)))
    page.on("console", lambda message: message.type == "error" and page.mischief.append(message.text))
    page.on("request", lambda request: request.url.startswith("file:") or page.mischief.append(request.url))
    page.goto(path.as_uri() + place)
    yield page
    assert page.mischief == []
    context.close()


SIX = "6 findings need a person: 3 × P1, 2 × P3, 1 × P4"
FINDINGS = ".ov-findings .ov-list > li"
ROWS = ".ov-all .ov-list > li"


def shown(page, what: str = ROWS) -> list[str]:
    """The lines that can be seen."""
    return [line.inner_text() for line in page.locator(f"{what}:not([hidden])").all()]


def verdicts(page) -> list[str]:
    return [one.inner_text() for one in page.locator(f"{ROWS}:not([hidden]) b:first-of-type").all()]


def unfold(page) -> None:
    page.evaluate("document.querySelectorAll('details').forEach(details => details.open = true)")


def fits(page, width: int) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth") <= width)


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
        assert headline.locator("strong").inner_text().replace("\xa0", " ") == SIX
        for words in ("2 warned", "5 blocked", "Revision", "What is new is not known"):
            assert words in headline.inner_text()
        first = page.locator(FINDINGS).first
        for words in ("P1", "Alert", "The API says it is well", "503, database: error", "by 03-02 13:04"):
            assert words in first.inner_text()
        assert first.bounding_box()["height"] < 60  # its title, and below it the check
        first.locator("summary").click()
        for words in (
            "observed 503, database: error, expected 200, status ok",
            "Restart mycats-backend; if it stays, fail over to green.",
            "Respond by 2026-03-02 13:04 UTC+09:00",
        ):
            assert words in first.inner_text()
        cause = page.locator(".ov-findings li.ov-blocked")
        assert cause.count() == 1
        assert "5 checks could not be determined" in cause.inner_text()
        body = page.locator("body").inner_text()
        assert "waived by tanaka until 2026-04-01" in body
        assert "there is only one slot here" in body
        # Top to bottom: headline, findings, all checks, what rarely matters.
        places = (".ov-headline", ".ov-findings", ".ov-all", "#environment")
        tops = [page.locator(place).first.bounding_box()["y"] for place in places]
        assert tops == sorted(tops)
        screenshot(page, "ordinary")


def test_how_many_are_new_stands_beside_the_verdict(run_sample, browser):
    with page_of(browser, run_sample(cases.with_history()).html) as page:
        news = page.locator(".ov-news")
        assert news.locator("span").all_inner_texts() == ["1 new", "1 known", "1 recovered"]
        assert [line for line in shown(page, FINDINGS) if "since 3 runs, 2 days" in line]
        page.select_option("select[name=state]", "worse")
        assert [line for line in shown(page) if "disk-usage[db1]" in line] == shown(page)
        screenshot(page, "history")


def test_figures_are_drawn_inside_their_bands_and_over_the_last_runs(run_sample, browser):
    with page_of(browser, run_sample(cases.with_history()).html) as page:
        disk = page.locator("#row-disk-usage-db1")
        gauge = disk.locator(".ov-gauge")
        assert gauge.get_attribute("style") == "--v:84;--w:80;--a:90"
        stops = gauge.evaluate("e => getComputedStyle(e).backgroundImage")
        assert "80%" in stops and "90%" in stops
        assert len(disk.locator("polyline").get_attribute("points").split()) == 29
        assert "84 %" in disk.inner_text()  # what is drawn stands beside it in words
        health = page.locator("#row-api-health-blue summary .ov-strip i")
        assert [one.get_attribute("style") for one in health.all()] == ["--n:29", "--n:1"]
        fresh = page.locator("#finding-database-backup-fresh-nightly")
        fresh.locator("summary").click()
        text = fresh.locator(".ov-past").inner_text()
        assert "Alert × 2 runs since 2026-02-28 03:04, before that Normal × 28 runs since 2026-02-01 03:04" in text
        assert page.locator("#row-old-logs-removed-logs svg, #row-old-logs-removed-logs .ov-strip").count() == 0


def test_a_waiver_says_how_many_days_are_left(run_sample, browser):
    with page_of(browser, run_sample(cases.with_history()).html) as page:
        cells = page.locator(".postfix .ov-section", has_text="Waived").locator("td").all_inner_texts()
        assert cells[3] == "30"


def test_a_warning_is_amber_and_says_warned(run_sample, browser, options):
    run = run_sample(cases.ordinary(), *options)
    with page_of(browser, run.html) as page:
        assert verdicts(page).count("Warned") == 2
        warned = page.locator(f"{ROWS}.ov-warning b").first
        red, green, blue = map(int, re.findall(r"\d+", warned.evaluate("e => getComputedStyle(e).color"))[:3])
        assert red > green > blue
        assert "Passed" not in page.locator("body").inner_text()
        colours = {
            kind: page.locator(f"{ROWS}.ov-{kind} b").first.evaluate("e => getComputedStyle(e).color")
            for kind in ("alert", "blocked", "warning", "normal", "waived")
        }
        assert len(set(colours.values())) == 5


def test_the_worst_comes_first(run_sample, browser, options):
    with page_of(browser, run_sample(cases.ordinary(), *options).html) as page:
        order = verdicts(page)
        assert len(order) == len(cases.ordinary())
        assert order[:3] == ["Alert"] * 3
        assert order.index("Blocked") < order.index("Warned") < order.index("Normal")


def test_filters_are_in_the_address_and_can_be_sent(run_sample, browser):
    run = run_sample(cases.fleet())
    with page_of(browser, run.html) as page:
        page.locator("a.ov-chip", has_text="9 alert").click()
        assert page.url.endswith("report.html#verdict=alert")
        assert verdicts(page) == ["Alert"]
        assert len(shown(page, FINDINGS)) == 1
        assert page.locator(".ov-status").inner_text() == "1 of 7 rows shown"
        page.fill("input[name=host]", "app012")
        assert page.locator(".ov-status").inner_text() == "0 of 7 rows shown"
        assert not page.locator(".ov-findings").first.is_visible()
        page.select_option("select[name=verdict]", "")
        sent = page.url
        assert sent.endswith("#host=app012")
    with page_of(browser, run.html, sent.partition("report.html")[2]) as page:
        assert verdicts(page) == ["Blocked"]
        assert page.input_value("input[name=host]") == "app012"
        page.click(".ov-clear")
        assert len(shown(page)) == 7
    with page_of(browser, run.html, "#verdict=alert,warning&text=" + quote("Memory USAGE")) as page:
        assert verdicts(page) == ["Warned"] * 3
    ordinary = run_sample(cases.ordinary())
    with page_of(browser, ordinary.html, "#severity=P1&chapter=PERF&verdict=normal,alert") as page:
        assert verdicts(page) == ["Alert", "Alert", "Normal"]
        assert page.input_value("select[name=chapter]") == "PERF"


def test_findings_and_rows_lead_to_each_other_and_the_filters_stay(run_sample, browser):
    with page_of(browser, run_sample(cases.ordinary()).html, "#severity=P1") as page:
        finding = page.locator("#finding-api-health-blue")
        finding.locator("summary").click()
        finding.locator("a", has_text="All of this check").click()
        row = page.locator("#row-api-health-blue")
        assert row.locator("details").get_attribute("open") is not None
        assert page.evaluate("document.activeElement.closest('li').id") == "row-api-health-blue"
        assert page.url.endswith("#severity=P1&at=row-api-health-blue")
        row.locator("a").click()
        assert page.evaluate("document.activeElement.closest('li').id") == "finding-api-health-blue"
        assert set(verdicts(page)) == {"Alert", "Normal", "Blocked", "Waived"}
    # A link that somebody sent, with no filter, and without our script.
    with page_of(browser, run_sample(cases.ordinary()).html, "#row-old-logs-removed-logs") as page:
        assert "14 files older" in page.locator("#row-old-logs-removed-logs .ov-details").inner_text()
    with page_of(browser, run_sample(cases.ordinary()).html, java_script_enabled=False) as page:
        page.locator("#finding-api-health-blue summary").click()
        page.locator("#finding-api-health-blue a").click()
        assert page.locator("#row-api-health-blue").bounding_box()["y"] < 900
        assert len(shown(page)) == len(cases.ordinary())


def test_a_command_is_copied_and_one_that_is_warned_of_is_not(run_sample, browser):
    action = "Look with `df -h /var`, never try `rm -rf /var`; set `NODE_ENV`. Then `du -x /var | sort`."
    run = run_sample([cases.case("disk-usage", "alert", observed="99 %", expected="< 80 %", action=action)])
    with page_of(browser, run.html, permissions=["clipboard-read", "clipboard-write"]) as page:
        page.locator(f"{FINDINGS} summary").click()
        buttons = page.locator(f"{FINDINGS} .ov-act button")
        buttons.last.wait_for()  # they come with the event that it was unfolded
        names = [button.get_attribute("aria-label") for button in buttons.all()]
        assert names == ["Copy: df -h /var", "Copy: du -x /var | sort"]
        buttons.last.click()
        page.wait_for_function("document.querySelectorAll('.ov-act button')[1].textContent == 'Copied'")
        assert page.evaluate("navigator.clipboard.readText()") == "du -x /var | sort"
        # Where the browser refuses, the old way works.
        page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(new Error('refused')) }")
        buttons.first.click()
        page.wait_for_function("document.querySelectorAll('.ov-act button')[0].textContent == 'Copied'")
        assert page.evaluate("navigator.clipboard.readText()") == "df -h /var"


def test_commands_in_japanese():
    assert code("`df -h` を見る（`dropdb x` は実行しない）。") == (
        "<kbd>df -h</kbd> を見る（<code>dropdb x</code> は実行しない）。"
    )
    assert "<kbd>" not in code("編集したら `migrate reset` や `migrate dev` は使わない")
    assert code("<`a <b>`>") == "&lt;<kbd>a &lt;b&gt;</kbd>&gt;"


def test_all_can_be_done_by_keyboard(run_sample, browser):
    with page_of(browser, run_sample(cases.ordinary()).html) as page:
        page.locator(".ov-unfold").focus()
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.closest('li').id") == "finding-api-health-blue"
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
        page.keyboard.press("Enter")
        assert "Restart mycats-backend" in page.locator("#finding-api-health-blue").inner_text()
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.closest('li').id") == "row-api-health-blue"


def test_a_row_unfolds_to_all_that_is_known(run_sample, browser):
    run = run_sample(cases.ordinary())
    with page_of(browser, run.html) as page:
        row = page.locator("#row-api-health-blue")
        assert "システム監視項目" not in row.inner_text()
        row.locator("summary").click()
        assert "システム監視項目 (MON)" in row.inner_text()
        assert row.locator("pre").count() == 0
        broken = page.locator("#row-statistics-fresh-main")
        broken.locator("summary").click()
        assert "raise KeyError" in broken.locator(".ov-output").inner_text()
        assert "what the check printed <b>" in broken.locator(".ov-output").inner_text()


def test_no_text_of_a_target_runs_or_breaks_the_page(run_sample, browser, options):
    run = run_sample(cases.hostile(half_characters=not options), *options)
    with page_of(browser, run.html) as page:
        unfold(page)
        assert len(shown(page)) == len(cases.hostile())
        text = page.locator(".ov-all").inner_text()
        assert "<script>alert(1)</script>" in text
        assert not re.search("[\u202a-\u202e\u2066-\u2069\u0000-\u0008\u001b]", text)
        assert page.locator("img[src=x]").count() == 0
        page.fill("input[name=text]", "<img src=x onerror=alert(4)>")
        page.wait_for_timeout(200)
        screenshot(page, "hostile")
    # Nor does an address that somebody made up.
    with page_of(browser, run.html, "#at=<img src=x>&host='\"><script>alert(5)</script>&verdict=[object") as page:
        assert shown(page) == []


def test_what_many_have_in_common_is_one_finding_and_one_row(run_sample, browser, options):
    run = run_sample(cases.fleet(), *options)
    with page_of(browser, run.html) as page:
        full, dead, unseen = page.locator(".ov-section", has_text="Needs a person").locator("li").all()
        assert page.locator(".ov-headline strong").inner_text() == "3 findings need a person: 3\xa0×\xa0P2"
        for finding in (full, dead, unseen):
            finding.locator("summary").click()
        assert "disk-usage on 9 of 50 hosts: app001-app009" in full.inner_text()
        assert "worst app009: observed /var 99 %, expected < 80 % (alert > 90 %); 99 % … 91 %" in full.inner_text()
        assert "Run ssh app009 df" in re.sub(r"\s*Copy\s*", " ", full.inner_text()).replace("\n", " ")
        assert "(as for app009)" in full.inner_text()
        assert "connection refused on 6 of 50 hosts: app010-app015" in dead.inner_text()
        assert "could not be determined: <no> privilege" in unseen.inner_text()
        assert not page.locator(f"{ROWS} table").first.is_visible()
        full.locator("a", has_text="All 9 targets").click()
        cells = page.locator("#row-disk-usage td:visible").all_inner_texts()
        assert cells[4:6] == ["app008", "observed /var 98 %, expected < 80 % (alert > 90 %)"]
        # Fewer than four are what they were: the three that warn.
        assert verdicts(page) == ["Alert", "Blocked", "Not determined", "Warned", "Warned", "Warned", "Normal"]
        assert "50 % … 21 %, on 30 of 50 hosts" in shown(page)[-1]
        screenshot(page, "fleet")


def test_a_row_of_many_tells_of_each_of_them(run_sample, browser, options):
    run = run_sample(cases.fleet(), *options)
    with page_of(browser, run.html) as page:
        unfold(page)
        text = page.locator(".ov-all").inner_text().replace("`", "")
        for n, one in enumerate(cases.fleet()):
            assert f"test_case[{one['runbook']}-{one['target']}]" in text, n
            assert (one["sentence"] or one["observed"]) in text
            assert one["verdict"] == "normal" or one["action"].replace("`", "") in text
        assert fits(page, 1280)
        screenshot(page, "fleet-details")


def test_what_the_checks_of_a_row_of_many_printed_is_there(run_sample, browser):
    broken = [cases.case("disk-usage", "broken", target=f"app{n}", sentence="it broke") for n in range(5)]
    with page_of(browser, run_sample(broken).html) as page:
        assert len(shown(page)) == 1
        page.locator(f"{ROWS} summary").click()
        outputs = page.locator(".ov-output:visible").all_inner_texts()
        assert len(outputs) == 5
        assert all("what the check printed <b>" in output and "raise KeyError" in output for output in outputs)


@pytest.mark.parametrize("width", [390, 800])
def test_many_fit_a_narrow_window(run_sample, browser, width):
    with page_of(browser, run_sample(cases.fleet()).html, width=width) as page:
        unfold(page)
        assert fits(page, width)


def test_waivers_of_many_are_told_once(run_sample, browser):
    sentence = "waived by tanaka until 2026-04-01 23:59 UTC: new disks"
    many = [cases.case("disk-usage", "waived", target=f"app{n}", sentence=sentence) for n in range(1, 6)]
    slots = [cases.case("slots", "not applicable", target=f"app{n}", sentence="a container") for n in range(1, 6)]
    with page_of(browser, run_sample([*many, *slots]).html) as page:
        waivers = page.locator(".postfix .ov-section", has_text="Waived")
        assert waivers.locator("tbody tr").count() == 1
        assert "disk-usage on all 5 targets: app1-app5" in waivers.inner_text()
        assert len(shown(page)) == 2
        assert "slots on all 5 targets: app1-app5" in shown(page)[-1]


def test_many_are_told_in_japanese(run_sample, browser):
    with page_of(browser, run_sample(cases.fleet(), language="ja").html) as page:
        unfold(page)
        text = page.locator("body").inner_text()
        for words in (
            "disk-usage（hosts 50 件中 9 件）: app001-app009",
            "最悪値 app009: 実測 /var 99 % / 期待値 < 80 % (alert > 90 %); 99 % … 91 %",
            "(app009 の場合)",
            "対象 9 件すべて",
        ):
            assert words in text
        assert " on " not in page.locator(".ov-findings").first.inner_text()
        screenshot(page, "fleet-japanese")


def test_all_normal_is_green(run_sample, browser):
    run = run_sample(cases.healthy())
    with page_of(browser, run.html) as page:
        assert page.locator(".ov-headline.ov-green strong").inner_text() == "All 12 judged checks are normal"
        assert page.locator(".ov-findings").count() == 0
        gap = page.locator(".ov-all").bounding_box()["y"] - page.locator(".ov-headline").bounding_box()["y"]
        assert gap < 300
        screenshot(page, "healthy")


def test_it_speaks_japanese(run_sample, browser):
    run = run_sample(cases.japanese(), language="ja")
    with page_of(browser, run.html) as page:
        assert page.evaluate("document.documentElement.lang") == "ja"
        unfold(page)
        text = page.locator("body").inner_text()
        for words in (
            "2 件の対応が必要です",
            "API が正常に応答している",
            "実測 503, database: error / 期待値",
            "; 実測 no",
            "対応期限",
            "期限 03-02 13:04",
        ):
            assert words in text
        screenshot(page, "japanese")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_a_phone(run_sample, browser, scheme):
    run = run_sample(cases.with_history())
    with page_of(browser, run.html, width=390, color_scheme=scheme, is_mobile=True) as page:
        assert page.evaluate("innerWidth") == 390  # the page says that it knows what a phone is
        assert fits(page, 390)
        unfold(page)
        assert fits(page, 390)
        screenshot(page, f"phone-{scheme}")


@pytest.mark.parametrize("width", [720, 800, 1000, 1280])
def test_it_never_scrolls_sideways(run_sample, browser, width):
    with page_of(browser, run_sample(cases.with_history()).html, width=width) as page:
        unfold(page)
        assert fits(page, width)


# --- paper ---------------------------------------------------------------------------------------------------------


def printed(page) -> list[str]:
    """The pages of the report as Chromium prints it on A4, as texts."""
    pypdf = pytest.importorskip("pypdf", reason="pypdf is not installed")
    pdf = pypdf.PdfReader(io.BytesIO(page.pdf(format="A4", print_background=True)))
    return [one.extract_text() for one in pdf.pages]


def test_paper_has_the_findings_whole_and_no_controls(run_sample, browser):
    with page_of(browser, run_sample(cases.ordinary()).html) as page:
        text = " ".join(printed(page)[0].split()).replace("ﬁ", "fi")
        for words in ("6 findings need a person", "Restart mycats-backend; if it stays", "Respond by 2026-03-02 13:04"):
            assert words in text
        for words in ("Severity", "Unfold", "Duration"):
            assert words not in text
        assert page.locator("details[open]:not(.ov-filterbox)").count() == 0  # as it was before


def as_many_as_the_rehearsal() -> list[dict]:
    """As many checks as the rehearsal has, half a dozen of which failed, with texts as long as they get there."""
    action = "Delete no dump; restore older ones into a scratch database (`createdb scratch`, `psql -v ON_ERROR_STOP=1 "
    action += (
        "-d scratch -f <dump>`) to find the last good one, and take a new dump; never try it with `dropdb mycats`."
    )
    observed = "db_20261130_105719.sql, 43,090 bytes: it ends among the rows of public.weight_records"
    told = {"observed": observed, "expected": "a dump that goes on to its end", "action": action}
    title = "Every promise has a sentence for its title that is about as long as this one"
    failed = [cases.case(f"failed-{n}", "alert", "P1", title=title, **told) for n in range(8)]
    normal = [cases.case(f"normal-{n}", "normal", title=title, observed=observed) for n in range(105)]
    return [*failed, *normal]


def test_the_rehearsal_fits_four_pages(run_sample, browser):
    with page_of(browser, run_sample(as_many_as_the_rehearsal()).html) as page:
        pages = printed(page)
        assert len(pages) <= 4
        assert len(re.findall("^P2 Normal", "\n".join(pages), re.MULTILINE)) == 105


# --- whoever cannot see it -----------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def axe(tmp_path_factory) -> Path:
    return installed(tmp_path_factory.mktemp("axe"), "axe-core@4.10.3") / "axe-core" / "axe.min.js"


@pytest.mark.parametrize("language", ["en", "ja"])
@pytest.mark.parametrize("state", ["healthy", "with_history", "fleet"])
def test_axe_finds_nothing_serious(run_sample, browser, axe, state, language):
    run = run_sample(getattr(cases, state)(), language=language)
    script = axe.read_text()
    for scheme in ("light", "dark"):
        # The page lets nothing else run, which is what it is for.
        with page_of(browser, run.html, color_scheme=scheme, bypass_csp=True) as page:
            page.evaluate(script)
            unfold(page)
            violations = page.evaluate("axe.run().then(found => found.violations)")
            found = [
                f"{one['id']} ({one['impact']}): {one['nodes'][0]['html'][:200]}"
                for one in violations
                if one["impact"] in ("serious", "critical")
            ]
            assert found == [], scheme


# --- thousands -----------------------------------------------------------------------------------------------------


def unlike(count: int) -> list[Result]:
    """Alerts of which no two say the same, with long texts."""
    return [
        Result(
            f"checks/test_many.py::test_many[app{n:04}-{n % 60}]",
            runbook=f"check-{n}",
            environment="production",
            target=f"app{n:04}",
            target_kind="hosts",
            title="Every real file system keeps room to grow",
            action="Remove old logs and dumps, then grow the volume. " * 5,
            severity=f"P{n % 4 + 1}",
            verdict="alert",
            observed=f"/var {n} files",
            expected="< 80 % (alert > 90 %)",
            sentence=f"observed /var {n} files, " + "and so on, " * 30,
            source="MON",
        )
        for n in range(count)
    ]


def test_thousands_stay_small_and_say_what_is_left_out():
    page = Page(Contents(Heading("production"), unlike(6000), diagnostics={}))
    html = page.top() + page.bottom()
    assert MOST_BYTES < len(html.encode()) < 6_000_000
    assert html.count('id="finding-') == MOST_FINDINGS
    assert "5,500 more findings are among all checks below" in html
    assert html.count('id="row-') == 6000
    assert "the last lines have no details; --json FILE has all of them" in html
    assert "left out" not in page_text(unlike(20))


def page_text(results: list[Result]) -> str:
    page = Page(Contents(Heading("production"), results))
    return page.top().partition("</style>")[2] + page.bottom().partition("<script>")[0]


def test_of_many_alike_as_many_as_fit_are_listed():
    alike = [
        Result(
            **{
                **one.__dict__,
                "runbook": "disk-usage",
                "severity": "P2",
                "sentence": f"observed {one.target} {'x' * 1000}, expected none",
            }
        )
        for one in unlike(6000)
    ]
    html = page_text(alike)
    assert len(html.encode()) < 6_000_000
    listed = html.count("<tr><td>")
    assert 1000 < listed < 6000
    assert f"{6000 - listed:,} more targets are left out" in html


def test_of_several_environments_each_line_says_of_which_it_is():
    results = [Result(**{**one.__dict__, "environment": name}) for name in ("east", "west") for one in unlike(1)]
    html = Page(Contents(Heading("east + west"), results)).top()
    assert [html.count(f"<small>{name}: check-0[app0000]</small>") for name in ("east", "west")] == [2, 2]


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
    html.add_diagnostics("app1", "<details><summary>df</summary><pre>full</pre></details>")
    html.hosts = lambda result: ["app1"]
def test_x(): pass
"""
    run = run_sample([cases.case("a", "alert")], extra=extra)
    with page_of(browser, run.html) as page:
        assert page.locator(".ov-section h2", has_text="Traceability").is_visible()
        assert page.locator(".ov-section h2", has_text="Nothing").count() == 0
        page.locator("#finding-a-app1 summary").click()
        step = page.locator("#finding-a-app1 .ov-steps summary")
        assert step.inner_text() == "df"
        assert step.evaluate("e => getComputedStyle(e).display") == "list-item"  # and not laid out as a finding
        page.locator("#finding-a-app1 a", has_text="app1").click()
        assert page.locator("#diagnostics-app1 summary", has_text="df").is_visible()


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


def test_the_page_itself_forbids_to_load_anything(run_sample, browser):
    with page_of(browser, run_sample(cases.healthy()).html) as page:
        page.evaluate(
            "new Promise(done => { const image = new Image(); image.onload = image.onerror = done;"
            " document.addEventListener('securitypolicyviolation', done);"
            " image.src = 'https://127.0.0.1:1/x.png' })"
        )
        assert [text for text in page.mischief if "Content Security Policy" in text]
        page.mischief.clear()
