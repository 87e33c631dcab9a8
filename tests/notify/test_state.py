"""The state machine: every failure is told, at least once, and its end at most once; whatever fails on the way."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsverify.history.records import Notice
from opsverify.notify.state import Kind, Policy, due, observed, told
from opsverify.notify.state import severity as severity_of
from opsverify.reporting.results import Outcome, Result

MONDAY = datetime(2026, 11, 30, 0, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def result(verdict: str = "alert", severity: str = "P2", **more: Any) -> Result:
    return Result("checks/test_x.py::test_x[app1]", "disk-usage", "production", "app1", "hosts",
                  verdict=verdict, severity=severity, **more)  # fmt: skip


@dataclass
class Line:
    """One channel and one check, run after run."""

    after: int = 1
    remind: timedelta | None = None
    notice: Notice | None = None

    def run(self, seen: Result | None, now: datetime, *, quiet: bool = False, taken: bool = True) -> Kind | None:
        policy = Policy(self.after, self.remind, quiet)
        if seen is not None:
            self.notice = observed(self.notice, "team", seen, policy, now)
        if self.notice is None:
            return None
        kind = due(self.notice, policy, now, seen=seen is not None)
        if kind and taken:
            self.notice = told(self.notice, kind, now)
        return kind


def days(*runs: tuple[str, str] | str, line: Line | None = None) -> list[str]:
    """What a line says to one run a day: verdict and severity of each."""
    line = line or Line()
    said = []
    for day, run in enumerate(runs):
        verdict, severity = run if isinstance(run, tuple) else (run, "P2")
        said.append(getattr(line.run(result(verdict, severity), MONDAY + day * timedelta(days=1)), "value", ""))
    return said


def test_a_failure_is_told_once_and_so_is_its_end() -> None:
    assert days("normal", "alert", "alert", "normal", "normal") == ["", "new", "", "recovered", ""]
    assert days("undetermined", "warning", "blocked", "normal") == ["new", "recovered", "new", "recovered"]


def test_worse_is_more_severe_or_known_to_be_wrong() -> None:
    assert days("undetermined", "alert", "undetermined", "alert") == ["new", "worse", "", ""]
    assert days(("alert", "P3"), ("alert", "P1"), ("alert", "P3")) == ["new", "worse", ""]


def test_a_check_may_have_to_fail_several_times_but_never_one_of_p1() -> None:
    assert days("alert", "normal", "alert", "alert", "alert", "normal", line=Line(after=3)) == (
        ["", "", "", "", "new", "recovered"]
    )
    assert days(("alert", "P1"), "normal", line=Line(after=3)) == ["new", "recovered"]


def test_what_is_waived_is_not_said_to_be_well() -> None:
    line = Line()
    line.run(result(), MONDAY)
    assert line.run(result("waived", sentence="waived by the platform team"), MONDAY + HOUR) is Kind.EXCUSED
    assert line.notice is None
    assert days("waived", "alert", "normal") == ["", "new", "recovered"]


def test_what_is_waived_without_a_word_is_not_said_to_be_well_either() -> None:
    line = Line()
    line.run(result(), MONDAY)
    assert line.run(result("not applicable"), MONDAY + HOUR) is Kind.EXCUSED


def test_what_is_known_says_who_was_told_and_since_when_it_failed() -> None:
    first = observed(None, "team", result(), Policy(), MONDAY)
    assert first is not None
    assert (first.channel, first.since, first.seen_at, first.runs) == ("team", MONDAY, MONDAY, 1)
    later = observed(first, "team", result(), Policy(), MONDAY + HOUR)
    assert later is not None
    assert (later.since, later.seen_at, later.runs) == (MONDAY, MONDAY + HOUR, 2)


def test_what_fails_again_before_its_end_was_told_has_no_end() -> None:
    notice = observed(None, "team", result(), Policy(), MONDAY)
    notice = told(notice, Kind.NEW, MONDAY) if notice else None
    ended = observed(notice, "team", result("waived", sentence="known"), Policy(), MONDAY + HOUR)
    assert ended is not None
    assert (ended.ended_at, ended.ending) == (MONDAY + HOUR, "known")
    again = observed(ended, "team", result(), Policy(), MONDAY + 2 * HOUR)
    assert again is not None
    assert (again.ended_at, again.ending) == (None, "")


def test_what_is_no_check_is_a_p2() -> None:
    assert severity_of(Result("t.py", severity="P4")) == "P2"
    assert severity_of(result(severity="P4")) == "P4"


@pytest.mark.parametrize(
    ("minutes", "kind"),
    [(30, None), (53, None), (54, Kind.REMINDER), (300, Kind.REMINDER), (-20, None), (-30, None), (-31, Kind.REMINDER)],
)
def test_a_reminder_comes_when_it_is_due_and_not_much_earlier(minutes: int, kind: Kind | None) -> None:
    """Or where the clock was ahead when it was told: then its time would not come for long."""
    line = Line(remind=HOUR)
    line.run(result(), MONDAY)
    assert line.run(result(), MONDAY + timedelta(minutes=minutes)) is kind


def test_no_reminder_of_what_a_run_did_not_look_at() -> None:
    line = Line(remind=HOUR)
    line.run(result(), MONDAY)
    assert line.run(None, MONDAY + 9 * HOUR) is None


def test_quiet_hours_hold_everything_but_p1_and_the_first_run_after_says_it_even_if_it_looks_elsewhere() -> None:
    line = Line()
    assert line.run(result(), MONDAY, quiet=True) is None
    assert line.run(None, MONDAY + 8 * HOUR) is Kind.NEW
    assert line.run(result("normal"), MONDAY + 20 * HOUR, quiet=True) is None
    assert line.run(None, MONDAY + 30 * HOUR) is Kind.RECOVERED
    urgent = Line()
    assert urgent.run(result(severity="P1"), MONDAY, quiet=True) is Kind.NEW
    assert urgent.run(result("normal", "P1"), MONDAY + HOUR, quiet=True) is Kind.RECOVERED


def test_what_came_and_went_in_quiet_hours_is_told_afterwards() -> None:
    line = Line()
    line.run(result(), MONDAY, quiet=True)
    line.run(result("normal"), MONDAY + HOUR, quiet=True)
    assert line.run(result("normal"), MONDAY + 8 * HOUR) is Kind.PASSED
    assert line.notice is None


def test_what_came_back_before_its_end_was_told_goes_on() -> None:
    line = Line()
    line.run(result(), MONDAY)
    line.run(result("normal"), MONDAY + HOUR, quiet=True)
    assert line.run(result(), MONDAY + 2 * HOUR) is None
    assert line.run(result("normal"), MONDAY + 3 * HOUR) is Kind.RECOVERED


def test_what_was_not_delivered_is_told_by_the_next_run() -> None:
    line = Line()
    assert line.run(result(), MONDAY, taken=False) is Kind.NEW
    assert line.run(None, MONDAY + HOUR) is Kind.NEW
    assert line.run(result("normal"), MONDAY + 2 * HOUR, taken=False) is Kind.RECOVERED
    assert line.run(result("normal"), MONDAY + 3 * HOUR) is Kind.RECOVERED
    assert line.notice is None


RUNS = st.lists(
    st.tuples(
        st.sampled_from([None, *(outcome.value for outcome in Outcome)]),
        st.sampled_from(["P1", "P2", "P3", "P4"]),
        st.booleans(),  # quiet
        st.booleans(),  # delivered
        st.integers(1, 60 * 24 * 8),
    ),
    max_size=30,
)


@given(RUNS, st.integers(1, 4), st.sampled_from([None, HOUR, timedelta(days=7)]))
def test_any_sequence_tells_every_failure_and_every_end_once(
    runs: list[tuple[str | None, str, bool, bool, int]], after: int, remind: timedelta | None
) -> None:
    line, now, taken = Line(after, remind), MONDAY, []
    open_told, in_a_row = False, 0
    for verdict, severity, quiet, delivered, minutes in runs:
        now += timedelta(minutes=minutes)
        seen = result(verdict, severity, sentence="because") if verdict else None
        kind = line.run(seen, now, quiet=quiet, taken=delivered)
        if verdict:
            in_a_row = in_a_row + 1 if Outcome(verdict).failed else 0
        if kind and delivered:
            taken.append(kind)
            # An end is told only of what was told, and a beginning only once.
            assert kind is not Kind.NEW or not open_told
            assert kind not in (Kind.WORSE, Kind.REMINDER, Kind.RECOVERED) or open_told
            open_told = kind.failing
        failing = verdict is not None and Outcome(verdict).failed
        if failing and delivered and (severity == "P1" or (in_a_row >= after and not quiet)):
            assert open_told, "a failure that nobody was told of"
    # Whatever was held or lost on the way: one quiet, healthy run later nothing is left untold.
    line.run(result("normal"), now + HOUR)
    assert line.notice is None


@given(RUNS)
def test_nothing_is_told_of_what_never_failed(runs: list[tuple[str | None, str, bool, bool, int]]) -> None:
    line = Line()
    for verdict, severity, quiet, _, minutes in runs:
        if verdict and not Outcome(verdict).failed:
            assert line.run(result(verdict, severity), MONDAY + timedelta(minutes=minutes), quiet=quiet) is None
