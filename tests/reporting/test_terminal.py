"""The end of the terminal's output: what needs a person, worst first, and an honest line of counts."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsverify.reporting.digest import Heading, concerns, tone, worst_first
from opsverify.reporting.results import Outcome, Result
from opsverify.reporting.terminal import Detail, columns, summary_lines, wrapped


def result(runbook: str, verdict: str, severity: str = "P2", target: str = "app1", **more: str) -> Result:
    nodeid = f"t.py::{runbook}[{target}]"
    return Result(nodeid, runbook, "production", target, severity=severity, verdict=verdict, **more)


def texts(*results: Result, partial: bool = False, width: int = 0, detail: Detail = Detail.USUAL) -> list[str]:
    heading = Heading("production", slot="green")
    lines = summary_lines(results, partial=partial, width=width, heading=heading, detail=detail)
    return [line.text for line in lines]


ALERT = result(
    "api-health",
    "alert",
    "P1",
    "blue",
    observed="503",
    expected="200",
    action="Restart it.",
    respond_by="2026-03-02T13:04:00+09:00",
)


def test_a_failure_says_which_and_by_when_then_what_was_found_then_what_to_do() -> None:
    assert texts(ALERT, width=80)[2:5] == [
        "P1  api-health[blue]  (respond by 2026-03-02 13:04 UTC+09:00)",
        "      observed 503, expected 200",
        "      → Restart it.",
    ]


def test_in_a_log_which_one_and_what_was_found_is_one_line() -> None:
    assert texts(ALERT)[2:4] == [
        "P1  api-health[blue]  observed 503, expected 200  (respond by 2026-03-02 13:04 UTC+09:00)",
        "      → Restart it.",
    ]


def test_quiet_is_one_line_a_finding() -> None:
    lines = texts(ALERT, result("idle", "not applicable"), detail=Detail.ONE_LINE)
    assert lines[:-1] == ["", "Needs a person", "P1  api-health[blue]  observed 503, expected 200", ""]


LONG = replace(ALERT, observed="a word " * 60, action="Restart it, then look. " * 20)


def test_on_a_terminal_a_finding_takes_five_lines_at_most_and_what_is_cut_is_seen() -> None:
    lines = texts(LONG, width=80)[2:]
    assert len(lines[: lines.index("")]) == 5
    assert [line.endswith(" …") for line in lines[:5]] == [False, False, True, False, True]
    assert all(columns(line) <= 80 for line in lines[:5])
    (short,) = [line for line in texts(LONG, width=80, detail=Detail.ONE_LINE) if "api-health" in line]
    assert short.endswith(" …")
    assert columns(short) <= 80


@pytest.mark.parametrize(("width", "detail"), [(80, Detail.WHOLE), (0, Detail.USUAL)], ids=["-v", "a log"])
def test_nothing_is_cut_where_it_is_asked_for_and_where_nobody_can_ask(width: int, detail: Detail) -> None:
    text = " ".join(" ".join(texts(LONG, width=width, detail=detail)).split())
    assert LONG.observed.strip() in text
    assert LONG.action.strip() in text
    assert "…" not in text


def test_the_last_line_counts_every_outcome_and_names_the_environment() -> None:
    assert texts(ALERT, result("a", "normal"), result("b", "warning"))[-1] == (
        "1 normal, 1 warned, 1 alert, 0 undetermined, 0 blocked, 0 waived, 0 not applicable"
        " — environment production (slot green)"
    )


def test_worst_comes_first() -> None:
    given_results = [
        result("normal", "normal", "P1"),
        result("excused", "not applicable", "P1"),
        result("waived", "waived", "P1"),
        result("warned", "warning", "P1"),
        result("late", "undetermined", "P1"),
        result("small", "alert", "P4"),
        result("big", "alert", "P1"),
    ]
    order = [r.runbook for r in worst_first(given_results)]
    assert order == ["big", "small", "late", "warned", "waived", "excused", "normal"]
    # For a person the severity decides first: not knowing a P1 is worse than a P4 that is known.
    assert [c.subject for c in concerns(given_results)] == ["big[app1]", "late[app1]", "small[app1]"]


def test_one_cause_is_one_line_with_its_count() -> None:
    cause = "host app1: connection refused"
    blocked = [result(f"check-{n:02}", "blocked", "P1" if n == 7 else "P3", cause=cause) for n in range(40)]
    first, second = texts(*blocked)[2:4]
    assert first == "P1  host app1: connection refused"
    assert second.startswith("      → 40 checks could not be determined: check-07[app1]")
    assert "and 32 more" in second
    assert sum(cause in line for line in texts(*blocked)) == 1


def test_undetermined_says_so_and_gives_no_instruction_for_a_fault_nobody_has_seen() -> None:
    lines = texts(result("slow-queries", "undetermined", sentence="extension missing", action="Kill queries."))
    assert lines[2].endswith("could not be determined: extension missing")
    assert "Kill" not in "".join(lines)


def test_what_is_no_check_is_shown_first_by_its_node_id() -> None:
    crash = Result("checks/test_x.py::test_y", sentence="worker crashed")
    lines = texts(ALERT, crash)
    assert lines[2].startswith("--  checks/test_x.py::test_y  worker crashed")


def test_a_warning_is_amber_and_below_the_failures() -> None:
    lines = summary_lines([result("w", "warning"), ALERT], partial=False, width=0)
    amber = [n for n, line in enumerate(lines) if line.markup.get("yellow")]
    red = [n for n, line in enumerate(lines) if line.markup.get("red") and "api-health" in line.text]
    assert amber
    assert red
    assert max(red) < min(amber)


def test_waivers_and_exceptions_are_listed() -> None:
    lines = texts(
        result("cert", "waived", sentence="waived by tanaka until 2026-04-01 23:59 UTC: new CA"),
        result("slots", "not applicable", target="", sentence="not applicable here: one slot"),
        result("idle", "not applicable", target="", sentence="not applicable here: one slot"),
        detail=Detail.WHOLE,
    )
    assert "P2  cert[app1]  waived by tanaka until 2026-04-01 23:59 UTC: new CA" in lines
    assert "idle, slots: one slot" in lines


def test_why_checks_are_not_applicable_is_told_to_who_asks() -> None:
    lines = texts(ALERT, result("slots", "not applicable", sentence="not applicable here: one slot"))
    assert not any("one slot" in line for line in lines)
    assert any(line.startswith("-v says why") for line in lines)


@pytest.mark.parametrize(
    ("verdicts", "partial", "colour"),
    [
        (["normal"], False, "green"),
        (["normal", "not applicable"], False, "green"),
        (["normal"], True, "amber"),
        (["normal", "warning"], False, "amber"),
        (["normal", "waived"], False, "amber"),
        (["normal", "alert"], False, "red"),
        (["normal", "undetermined"], False, "red"),
        (["normal", "blocked"], False, "red"),
        (["normal", "broken"], False, "red"),
        (["not applicable"], False, "red"),
        ([], False, "red"),
    ],
)
def test_green_is_only_for_what_is_all_normal(verdicts: list[str], partial: bool, colour: str) -> None:
    assert tone([result(f"c{n}", verdict) for n, verdict in enumerate(verdicts)], partial=partial) == colour


def test_nothing_judged_and_partial_are_said_loudly() -> None:
    assert any("NOTHING WAS JUDGED" in line for line in texts(result("a", "not applicable")))
    assert any(line.startswith("PARTIAL") for line in texts(ALERT, partial=True))
    assert not any("PARTIAL" in line or "NOTHING" in line for line in texts(ALERT))


@given(st.text(alphabet="ab 日本語、は", max_size=200), st.integers(min_value=30, max_value=60))
def test_wrapped_lines_fit_and_lose_nothing(text: str, width: int) -> None:
    lines = wrapped(text.strip(), width)
    assert all(columns(line) <= width for line in lines)
    assert "".join("".join(lines).split()) == "".join(text.split())


def test_wide_characters_count_twice() -> None:
    assert columns("日本語 ab") == 9
    narrow = texts(replace(ALERT, action="再起動し、回復しない場合は切り替える。" * 4), width=60)
    assert all(columns(line) <= 60 for line in narrow[:-1])


def test_every_outcome_has_a_place() -> None:
    everything = [result(outcome.name, outcome.value) for outcome in Outcome]
    joined = "\n".join(texts(*everything))
    for outcome in Outcome:
        if outcome is not Outcome.NORMAL:
            assert (outcome.name + "[app1]" in joined) or outcome is Outcome.NOT_APPLICABLE
    assert "1 broken" in joined
