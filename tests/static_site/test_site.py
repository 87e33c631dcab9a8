"""The site of a month that is known: every figure recomputed by hand, and pages that a browser shows without a word."""

from __future__ import annotations

import csv
import io
import re
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsverify.config.history_location import Location, locate
from opsverify.config.loading import load_items
from opsverify.history.availability import State
from opsverify.history.records import KEPT_DAYS
from opsverify.history.store import Store
from opsverify.site.__main__ import main
from opsverify.site.about import About, about
from opsverify.site.capacity import MEASURED, certificates, disks, percentile, responses
from opsverify.site.figures import Kept, kept, promises
from opsverify.site.pages import duration, folders, percent
from opsverify.site.spreadsheet import cell, document
from opsverify.site.words import EN, JA
from tests.history.conftest import result
from tests.history.test_store import future

from .conftest import BEGIN, NOW, ROOT, WAIVER, _record, september, url

HOURS = 720.0
SINCE = NOW - timedelta(days=KEPT_DAYS)


@pytest.fixture
def known(project: Path) -> About:
    items = load_items(project / "checks" / "runbook.yaml")
    return about("production", project / "environments" / "production.yaml", items)


@pytest.fixture
def told(history: Location, known: About) -> Kept:
    return kept(promises(Store(history).past_results("production", SINCE), known, "en"), NOW)


HAND = {
    # Known from the first run on, at 02:00: two hours of each are not.
    "api-health": {State.KEPT: 715, State.BROKEN: 3, State.UNKNOWN: 2},
    # The run of the 14th holds for two days; that of the 19th is the next: three days' gap.
    "disk-usage": {State.KEPT: 646, State.UNKNOWN: 2 + 72},
    "memory-usage": {State.KEPT: 646, State.WAIVED: 72, State.UNKNOWN: 2},
    "cpu-usage": {State.KEPT: 694, State.UNKNOWN: 2 + 24},
    "inode-usage": {State.KEPT: 646, State.BROKEN: 3 * 24, State.UNKNOWN: 2},
    "service-active": {State.KEPT: 694, State.BROKEN: 24, State.UNKNOWN: 2},
    # Weekly: known from the 2nd, for two weeks from the 9th, and again from the 30th.
    "statistics-fresh": {State.KEPT: 526, State.UNKNOWN: 26 + 168},
    "container-health": {State.EXCUSED: 718, State.UNKNOWN: 2},
}


def test_time_in_state_as_by_hand(told: Kept) -> None:
    found = {promise.id: windows for promise, windows in told.promises}
    for name, hours in HAND.items():
        expected = {state: hours.get(state, 0) / HOURS for state in State}
        assert dict(found[name][30].shares) == pytest.approx(expected), name
    assert found["api-health"][30].available == pytest.approx(715 / 718)
    assert found["memory-usage"][30].available == pytest.approx(646 / 718)
    assert found["cpu-usage"][30].available == 1
    assert found["container-health"][30].available is None
    # Sixty days before the history began.
    assert found["api-health"][90].shares[State.UNKNOWN] == pytest.approx((60 * 24 + 2) / (90 * 24))
    assert found["api-health"][90].available == pytest.approx(715 / 718)


def test_the_whole_is_the_mean_of_all_that_was_ever_asked_for(told: Kept) -> None:
    assert len(told.promises) == len(HAND) + 2  # two that are always well
    broken = sum(hours.get(State.BROKEN, 0) for hours in HAND.values())
    assert told.all[30].shares[State.BROKEN] == pytest.approx(broken / HOURS / len(told.promises))
    start, tenth = told.daily[-21]
    assert start == BEGIN + timedelta(days=9)
    assert tenth[State.BROKEN] == pytest.approx(3 / 24 / len(told.promises))
    assert len(told.daily) == 90


def test_repairs_as_by_hand(told: Kept) -> None:
    assert {level: (of.repaired, of.open, of.mean, of.longest) for level, of in told.repairs.items()} == {
        "P1": (2, 0, timedelta(hours=13.5), timedelta(hours=24)),  # 3 and 24 hours
        "P2": (3, 0, timedelta(hours=24), timedelta(hours=24)),
    }


def test_capacity_as_by_hand(history: Location, known: About) -> None:
    figures = Store(history).figures("production", MEASURED, SINCE)
    (response,) = responses(figures, NOW, (30, 90))
    assert response.windows == {30: (15, 29, 30), 90: (15, 29, 30)}
    (disk,) = disks(figures, NOW, known)
    measured = datetime(2026, 9, 30, 2, tzinfo=NOW.tzinfo)
    assert (disk.name, disk.used, disk.measured, disk.limit) == ("app1 /", 65, measured, 95)
    for moment in (disk.expected, disk.earliest, disk.latest):  # a straight line leaves no doubt
        assert moment is not None
        assert (moment - measured) / timedelta(days=1) == pytest.approx(60)
    (certificate,) = certificates(figures, NOW, known)
    assert certificate.expires == measured + timedelta(days=30)
    assert certificate.alert == certificate.expires - timedelta(days=14)


def test_a_query_each_for_results_and_figures(history: Location) -> None:
    from sqlalchemy import event

    store, asked = Store(history), []
    event.listen(store._engine, "before_cursor_execute", lambda *told: asked.append(told[2]))
    store.past_results("production", SINCE)
    store.figures("production", MEASURED, SINCE)
    assert len([statement for statement in asked if "FROM runs" in statement]) == 2
    assert not [statement for statement in asked if statement.startswith(("INSERT", "UPDATE", "DELETE", "CREATE"))]


# --- the report of the month ---------------------------------------------------------------------------------------


def written(project: Path, history: Location, *more: str, now: datetime = NOW) -> Path:
    out = project / "out"
    assert main(["--out", str(out), "--history", url(history), *more], project, now) == 0
    return out


def lines(out: Path, name: str = "production/2026-09.csv") -> dict[str, dict[str, str]]:
    raw = (out / name).read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf")
    return {row["ID"]: row for row in csv.DictReader(io.StringIO(raw.decode("utf-8-sig"), newline=""))}


def test_the_months_report_as_by_hand(project: Path, history: Location) -> None:
    report = lines(written(project, history))
    assert set(load_items(ROOT / "checks" / "runbook.yaml")) == set(report)

    def of(name: str) -> tuple[str, ...]:
        columns = ("status", "runs", "periods done", "periods due", "in time", "late", "pending")
        return tuple(report[name][EN[column]] for column in columns)

    assert of("api-health") == ("not kept", "32", "30", "30", "0", "1", "0")  # 3 hours, one was allowed
    assert of("disk-usage") == ("kept", "26", "26", "30", "0", "0", "0")
    assert of("memory-usage") == ("waived", "30", "30", "30", "0", "0", "0")
    assert of("cpu-usage") == ("kept", "29", "29", "30", "0", "1", "0")  # gone after a day, four hours were allowed
    assert of("inode-usage") == ("not kept", "30", "30", "30", "0", "3", "0")
    assert of("statistics-fresh") == ("kept", "3", "3", "4", "0", "0", "0")
    assert of("container-health")[0] == "not applicable"
    assert of("time-synchronised") == ("not verified", "0", "0", "30", "0", "0", "0")
    assert of("required-variables") == ("not due", "0", "0", "0", "0", "0", "0")
    assert report["memory-usage"]["Waived"] == WAIVER
    assert report["memory-usage"]["waived (% of time)"] == "10.0"
    assert float(report["api-health"]["Available (% of known time)"]) == pytest.approx(100 * 715 / 718, abs=0.001)


def test_a_month_that_has_just_begun(project: Path, history: Location) -> None:
    out = written(project, history, now=NOW + timedelta(days=1, hours=12))
    report = lines(out, "production/2026-10.csv")
    assert (report["api-health"]["Periods due"], report["api-health"]["Runs that judged"]) == ("1", "0")
    assert report["api-health"]["Status"] == "not verified"
    assert "The month is not over" in (out / "production" / "2026-10.html").read_text()


# --- pages ---------------------------------------------------------------------------------------------------------


def test_what_a_history_says_is_text(project: Path, tmp_path: Path) -> None:
    hostile = "<script>alert(1)</script>"
    history = locate(f"sqlite:///{tmp_path}/h.db", tmp_path)
    record = _record(
        NOW - timedelta(hours=3),
        result("waived", sentence=f"=1+1 {hostile}", target=hostile, figures={f"{hostile}\"'": 1.0}),
        result(runbook="api-response-time", target=f"{hostile}{{{{ 7 * 7 }}}}", figures={"": 1.0}),
        result(runbook=f"-2+3 {hostile}"),
    )
    name = f"../../=x {hostile}"
    Store(history).write([type(record)(**{**vars(record), "environment": name})])
    out = written(project, history)
    pages = {path.relative_to(out).as_posix(): path.read_text("utf-8-sig") for path in out.rglob("*.*")}
    folder = "x-script-alert-1-script"  # and October: without a file, its clocks are Tokyo's
    assert set(pages) == {"index.html", *(f"{folder}/{end}" for end in ("2026-10.csv", "2026-10.html", "index.html"))}
    for path, text in pages.items():
        if path.endswith(".html"):
            assert "<script" not in text, path
            assert "{{" not in text.replace("{{ 7 * 7 }}", ""), path
    table = pages[f"{folder}/2026-10.csv"]
    assert f"'=1+1 {hostile}" in table
    assert f"'-2+3 {hostile}" in table


def test_folders_are_safe_and_unlike() -> None:
    assert folders(["a/b", "a-b", "A b", "本番", "", "x" * 300]) == {
        "a/b": "a-b", "a-b": "a-b-2", "A b": "A-b-3", "本番": "environment", "": "environment-2", "x" * 300: "x" * 60,
    }  # fmt: skip


def test_pages_open_without_a_word_and_ask_for_nothing(project: Path, tmp_path: Path, browser: Any) -> None:
    history = locate(f"sqlite:///{tmp_path}/h.db", tmp_path)
    Store(history).write(september())
    for language in ("en", "ja"):
        out = written(project, history, "--language", language)
        for path in ("index.html", "production/index.html", "production/2026-09.html"):
            for width, scheme, medium in ((1200, "light", "screen"), (390, "dark", "screen"), (800, "light", "print")):
                page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
                said: list[str] = []
                page.on("console", lambda message, said=said: said.append(message.text))
                page.on("pageerror", lambda error, said=said: said.append(str(error)))
                page.on("request", lambda request, said=said: said.append(request.url))
                page.emulate_media(media=medium, color_scheme=scheme)
                page.goto((out / path).as_uri())
                assert said == [(out / path).as_uri()]
                assert page.evaluate("document.documentElement.scrollWidth") <= width
                assert page.evaluate("document.documentElement.lang") == language
                for link in page.locator("a").evaluate_all("all => all.map(one => one.href)"):
                    assert Path(link.removeprefix("file://")).is_file(), link
                page.close()


def test_charts_say_what_they_show_and_follow_the_page(project: Path, tmp_path: Path, browser: Any) -> None:
    pytest.importorskip("pygal", reason="pygal is not installed (requirements-site.txt)")
    history = locate(f"sqlite:///{tmp_path}/h.db", tmp_path)
    Store(history).write(september())
    address = (written(project, history) / "production" / "index.html").as_uri()
    inks = []
    for scheme in ("light", "dark"):
        page = browser.new_page(color_scheme=scheme)
        page.goto(address)
        names = page.locator("svg[role=img]").evaluate_all(
            "all => all.map(one => ['aria-labelledby', 'aria-describedby']"
            ".map(name => document.getElementById(one.getAttribute(name)).textContent))"
        )
        assert [name for name, _ in names] == [EN["chart state"], EN["chart response"], EN["chart disk"]]
        assert all(len(description) > 40 for _, description in names)
        label = page.locator("svg .axis text").first
        inks.append(label.evaluate("one => getComputedStyle(one).fill"))
        assert label.evaluate("one => getComputedStyle(document.body).color") == inks[-1]
        page.close()
    assert inks[0] != inks[1]


def test_without_what_draws_charts_the_figures_are_there_all_the_same(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "pygal", None)
    history = locate(f"sqlite:///{tmp_path}/h.db", tmp_path)
    Store(history).write(september())
    page = (written(project, history) / "production" / "index.html").read_text()
    assert "pip install -r requirements-site.txt" in capsys.readouterr().out
    assert EN["no charts"] in page
    assert "<svg" not in page
    assert "29 ms" in page


def test_the_same_history_makes_the_same_site(project: Path, tmp_path: Path) -> None:
    history = locate(f"sqlite:///{tmp_path}/h.db", tmp_path)
    Store(history).write(september())
    first = {path: path.read_bytes() for path in written(project, history).rglob("*.*")}
    assert {path: path.read_bytes() for path in written(project, history).rglob("*.*")} == first


def test_both_languages_say_the_same() -> None:
    assert EN.keys() == JA.keys()
    for key in EN:
        places = [set(re.findall(r"\{\w+\}", words[key])) for words in (EN, JA)]
        assert places[0] == places[1], key


# --- arguments, and histories that cannot be read --------------------------------------------------------------------


def failed(capsys: pytest.CaptureFixture[str], project: Path, *arguments: str) -> tuple[int, list[str]]:
    code = main(arguments, project, NOW)
    captured = capsys.readouterr()
    assert captured.out == ""
    return code, captured.err.splitlines()


def test_mistakes_of_arguments_are_told_at_once(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "file").touch()
    (project / "environments" / "odd.yaml").write_text("country: ZZ\ntimezone: Mars\nhistory: none\n")
    told = ["--out", str(project / "file"), "--env", "odd", "nope", "--language", "fr", "--colour"]
    code, sentences = failed(capsys, project, *told)
    assert code == 2
    parts = ("--colour", "--out", "--env: found 'nope'", "country: found 'ZZ'", "Mars", "history: found 'none'", "'fr'")
    for part in parts:
        assert len([sentence for sentence in sentences if part in sentence]) == 1, part
    code, sentences = failed(capsys, project, "--out", "x", "--history", "mysql://u:hunter2@x/y", "--env", "odd")
    assert (code, len(sentences)) == (2, 3)
    assert sentences[0].startswith("--history: found a value that does not fit, allowed postgresql://")
    assert failed(capsys, project)[0] == 2
    assert failed(capsys, project, "--out") == (2, ["argument --out: expected one argument"])


def test_a_history_that_is_not_there_or_empty_is_one_sentence(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    missing = f"sqlite:///{tmp_path}/none.db"
    reason = f"the history could not be read: {tmp_path}/none.db: it holds no run"
    assert failed(capsys, project, "--out", f"{project}/out", "--history", missing) == (1, [reason])
    Store(locate(missing, tmp_path)).migrate()
    assert failed(capsys, project, "--out", f"{project}/out", "--history", missing) == (1, [reason])
    named = ("--out", f"{project}/out", "--history", missing, "--env", "production")
    assert failed(capsys, project, *named) == (1, [f"{reason} of production in the last 400 days"])
    assert not (project / "out").exists()


def test_a_newer_history_is_one_sentence(
    project: Path, location: Location, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Store(location, future(tmp_path / "later")).write(september())
    code, (sentence,) = failed(capsys, project, "--out", f"{project}/out", "--history", url(location))
    assert code == 1
    assert "newer version of this suite (schema 9999" in sentence


def test_what_cannot_be_written_is_one_sentence(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    history = locate(f"sqlite:///{tmp_path}/h.db", tmp_path)
    Store(history).write(september())
    code, (sentence,) = failed(capsys, project, "--out", "/proc/none/site", "--history", url(history))
    assert code == 1
    assert sentence.startswith("--out: /proc/none")


def test_an_environments_own_history_and_one_without_a_file(project: Path, tmp_path: Path) -> None:
    Store(locate(f"sqlite:///{project}/own.db", tmp_path)).write(september())
    with (project / "environments" / "production.yaml").open("a") as file:
        file.write("history: sqlite:///own.db\n")
    assert main(["--out", str(project / "out"), "--env", "production"], project, NOW) == 0
    (project / "environments" / "production.yaml").unlink()
    out = project / "other"
    named = ["--out", str(out), "--history", f"sqlite:///{project}/own.db"]
    assert main(named, project, NOW) == 0
    assert main([*named, "--env", "production", "production"], project, NOW) == 0
    assert "JST" in (out / "production" / "index.html").read_text()


# --- small pure ones -------------------------------------------------------------------------------------------------


@given(st.lists(st.floats(0, 1e6), min_size=1), st.floats(0, 1))
def test_a_percentile_is_one_of_the_values_and_not_exceeded_by_its_share(values: list[float], share: float) -> None:
    found = percentile(values, share)
    assert found in values
    assert sum(value <= found for value in values) >= share * len(values) - 1e-6


@given(st.text())
def test_no_cell_is_a_formula_and_every_text_comes_back(text: str) -> None:
    shown = cell(text)
    assert isinstance(shown, str)
    assert not re.match(r"\s*[=+\-@＝＋－＠]", shown)
    assert shown.removeprefix("'") == text.removeprefix("'")
    (row,) = csv.reader(io.StringIO(document([[text, 1.5, -2]]).decode("utf-8-sig"), newline=""))
    assert row == [shown, "1.5", "-2"]


@given(st.floats(0, 1))
def test_all_and_nothing_are_never_said_of_less(share: float) -> None:
    shown = percent(share)
    assert (shown == "100 %") == (share >= 1 - 1e-11)
    assert (shown == "0 %") == (share == 0)


@pytest.mark.parametrize(
    ("minutes", "expected"), [(0, "0 min"), (59, "59 min"), (180, "3 h 0 min"), (1440, "1 d 0 h"), (4000, "2 d 18 h")]
)
def test_time_spans_for_people(minutes: int, expected: str) -> None:
    assert duration(timedelta(minutes=minutes)) == expected
    assert duration(None) == percent(None) == "–"
