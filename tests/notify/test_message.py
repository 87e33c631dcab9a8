"""A message is plain text, worst first, and what a target says is no markup in it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsverify.notify.message import MOST_ENTRIES, Event, Frame, harmless, message, trial
from opsverify.notify.state import Kind

from .conftest import MONDAY, finding


def frame(*results: Any, **more: Any) -> Frame:
    given = {"revision": "45a60e6f00112233", "report_url": "https://ci.example.com/r/", "results": results}
    return Frame("production", "My Cats production", ZoneInfo("Asia/Tokyo"), MONDAY, **{**given, **more})


def events(kind: Kind, *results: Any, hours: float = 0) -> list[Event]:
    return [Event(kind, result, MONDAY - timedelta(hours=hours)) for result in results]


def test_a_message_says_what_is_new_and_what_to_do_and_until_when() -> None:
    new = finding("alert", "app1", respond_by="2026-11-30T16:00:00+09:00")
    urgent = finding("undetermined", "api", "api-health", severity="P1", sentence="no answer", observed="")
    well = finding("alert", "db1", "memory-usage")
    told = message(
        frame(new, urgent, finding("normal", "db1", "memory-usage")),
        events(Kind.NEW, new) + events(Kind.REMINDER, urgent, hours=5) + events(Kind.RECOVERED, well, hours=2),
    )
    assert told.title == "P1 My Cats production: 1 new, 1 still failing, 1 recovered"
    assert told.text.splitlines() == [
        "2026-11-30 12:00 JST, revision 45a60e6f0011: 1 normal, 0 warned, 1 alert, 1 undetermined, 0 blocked, "
        "0 waived, 0 not applicable",
        "Report: https://ci.example.com/r/",
        "",
        "New:",
        "P2  disk-usage[app1]  observed 97 %, expected < 80 %",
        "    → Remove old logs. (respond by 2026-11-30 16:00 JST)",
        "",
        "Still failing:",
        "P1  api-health[api]  could not be determined: no answer (since 2026-11-30 07:00 JST)",
        "    → find out why, then run this check again",
        "",
        "Recovered:",
        "P2  memory-usage[db1] (failed since 2026-11-30 10:00 JST)",
    ]
    assert told.body["text"] == told.text
    assert [entry["kind"] for entry in told.body["findings"]] == ["new", "still failing", "recovered"]
    assert told.body["counts"]["alert"] == 1


def test_forty_hosts_are_one_entry() -> None:
    found = [finding("alert", f"app{n:03}") for n in range(40)]
    well = [finding("normal", f"app{n:03}") for n in range(40, 1000)]
    told = message(frame(*found, *well), events(Kind.NEW, *found))
    (entry,) = told.body["findings"]
    assert entry["name"] == "disk-usage on 40 of 1,000 hosts: app000-app039"
    assert told.title == "P2 My Cats production: 40 new"
    again = message(frame(*well), events(Kind.RECOVERED, *found))
    assert "disk-usage on 40 of 1,000 hosts: app000-app039 (failed since" in again.text


def test_a_long_list_ends_with_how_many_more_there_are() -> None:
    found = [finding("alert", "app1", f"check-{n}") for n in range(MOST_ENTRIES + 12)]
    told = message(frame(*found), events(Kind.NEW, *found))
    assert told.text.splitlines()[-1] == "and 12 more, see the report"
    assert len(told.body["findings"]) == MOST_ENTRIES + 12


def test_what_a_run_cannot_know_is_said() -> None:
    found = finding()
    assert "PARTIAL: " in message(frame(found, partial=True), events(Kind.NEW, found)).text
    assert "Without a history" in message(frame(found, remembered=False), events(Kind.NEW, found)).text


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("<!channel> wake up", "‹!channel› wake up"),
        ("<https://evil.example|your report>", "‹https[:]//evil.example|your report›"),
        ("see [your report](https://evil.example)", "see [your report] (https[:]//evil.example)"),
        ("@everyone and @here", "‹at›everyone and ‹at›here"),
        ("<b>all is well</b>", "‹b›all is well‹/b›"),
        ("observed 97 %, expected < 80 %", "observed 97 %, expected < 80 %"),
        ("verify@mycats.example.com", "verify@mycats.example.com"),
        ("one\nNew:\ntwo", "one New: two"),
    ],
)
def test_what_a_target_says_is_no_markup(said: str, shown: str) -> None:
    assert harmless(said) == shown
    told = message(frame(), events(Kind.NEW, finding(sentence=said)))
    assert shown in told.text
    assert said not in told.text or said == shown


@given(st.text(max_size=2000))
def test_any_text_is_one_line_without_links_and_mentions(said: str) -> None:
    text = harmless(said)
    assert len(text.splitlines()) <= 1
    assert "](" not in text
    assert "<!" not in text and "<@" not in text
    assert not text.startswith("@everyone")


def test_a_test_message_cannot_be_taken_for_an_alarm() -> None:
    told = trial(frame(), "pager")
    assert told.title.startswith("TEST ")
    assert "Nothing is wrong" in told.text
    assert told.body["kind"] == "test"
