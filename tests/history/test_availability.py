"""Shares of time, repairs and months: by hand, and for whatever a history may hold."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsverify.history.availability import (
    Finding,
    Segment,
    State,
    Subject,
    availability,
    findings,
    holds,
    mean,
    shares,
    timeline,
    worst,
)
from opsverify.history.compliance import Month, Status, Verified, months, status, verified
from opsverify.history.records import PastResult
from opsverify.history.repairs import BROKEN, FAILED, REPAIRED, SETTLED, Response, Spell, repairs, response, spells
from opsverify.reporting.results import Outcome

BEGIN = datetime(2026, 9, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
APP1 = Subject("disk-usage", "hosts", "app1")
TOKYO = ZoneInfo("Asia/Tokyo")


def at(hours: float) -> datetime:
    return BEGIN + hours * HOUR


def found(*outcomes: tuple[float, Outcome]) -> list[Finding]:
    return [Finding(at(hours), outcome, "P1") for hours, outcome in outcomes]


def past(hours: float, verdict: str, *, target: str = "app1", waiver: str = "") -> PastResult:
    return PastResult(at(hours), "disk-usage", target, "hosts", "P1", verdict, waiver)


SOME_FINDINGS = st.lists(
    st.tuples(st.integers(0, 2000), st.sampled_from(list(Outcome))), max_size=12, unique_by=lambda one: one[0]
).map(lambda pairs: found(*sorted(pairs)))
SPANS = st.tuples(st.integers(0, 2000), st.integers(1, 2000)).map(lambda pair: (at(pair[0]), at(sum(pair))))
HELD = st.integers(1, 300).map(lambda hours: hours * HOUR)


def test_a_verdict_holds_until_the_next_and_not_for_ever() -> None:
    runs = found((0, Outcome.NORMAL), (10, Outcome.ALERT), (13, Outcome.WARNING))
    assert timeline(runs, 48 * HOUR) == [
        Segment(at(0), at(10), State.KEPT),
        Segment(at(10), at(13), State.BROKEN),
        Segment(at(13), at(61), State.WARNED),
    ]


@pytest.mark.parametrize(
    ("schedule", "days"), [((), 31), (("smoke",), 31), (("smoke", "daily"), 2), (("weekly", "drill"), 14)]
)
def test_one_missed_run_is_no_gap(schedule: tuple[str, ...], days: int) -> None:
    assert holds(schedule) == timedelta(days=days)


def test_what_could_not_be_found_out_is_not_known_and_no_failure() -> None:
    for outcome in (Outcome.UNDETERMINED, Outcome.BLOCKED, Outcome.BROKEN):
        of = shares(timeline(found((0, Outcome.NORMAL), (6, outcome), (12, Outcome.ALERT)), DAY), at(0), at(24))
        assert (of[State.KEPT], of[State.UNKNOWN], of[State.BROKEN]) == (0.25, 0.25, 0.5)
        assert availability(of) == pytest.approx(1 / 3)


def test_a_waived_failure_was_one_all_the_same() -> None:
    of = shares(timeline(found((0, Outcome.NORMAL), (12, Outcome.WAIVED)), DAY), at(0), at(24))
    assert (of[State.WAIVED], of[State.BROKEN], availability(of)) == (0.5, 0, 0.5)


def test_nothing_known_is_no_availability() -> None:
    assert availability(shares([], at(0), at(1))) is None
    assert availability(mean([])) is None
    with pytest.raises(ValueError, match="ends before"):
        shares([], at(1), at(1))


def test_of_several_checks_of_a_promise_in_a_run_the_worst_counts() -> None:
    told = findings([past(0, "alert"), past(0, "normal"), past(1, "normal"), past(1, "waived", waiver="by ops")])
    assert [(one.outcome, one.waiver) for one in told[APP1]] == [(Outcome.ALERT, ""), (Outcome.WAIVED, "by ops")]


def test_a_promise_is_as_well_as_the_worst_of_its_targets_that_are_still_looked_at() -> None:
    gone, there = found((0, Outcome.ALERT)), found((0, Outcome.NORMAL), (24, Outcome.NORMAL), (48, Outcome.NORMAL))
    merged = worst([timeline(gone, 24 * HOUR), timeline(there, 48 * HOUR)])
    assert merged == [Segment(at(0), at(24), State.BROKEN), Segment(at(24), at(96), State.KEPT)]


@given(st.lists(SOME_FINDINGS, max_size=4), HELD, SPANS)
def test_shares_are_shares(targets: list[list[Finding]], held: timedelta, span: tuple[datetime, datetime]) -> None:
    of = shares(worst(timeline(runs, held) for runs in targets), *span)
    assert set(of) == set(State)
    assert all(0 <= share <= 1 for share in of.values())
    assert sum(of.values()) == pytest.approx(1)
    known = availability(of)
    assert known is None or 0 <= known <= 1


@given(SOME_FINDINGS, HELD, SPANS, st.floats(0.1, 0.9))
def test_shares_of_a_whole_are_those_of_its_parts(
    runs: list[Finding], held: timedelta, span: tuple[datetime, datetime], cut: float
) -> None:
    segments, (start, end) = timeline(runs, held), span
    middle = start + cut * (end - start)
    first, second, whole = shares(segments, start, middle), shares(segments, middle, end), shares(segments, *span)
    part = (middle - start) / (end - start)
    for state in State:
        assert whole[state] == pytest.approx(part * first[state] + (1 - part) * second[state])


@given(st.lists(SOME_FINDINGS, max_size=4), HELD)
def test_timelines_have_order_and_no_overlaps(targets: list[list[Finding]], held: timedelta) -> None:
    merged = worst(timeline(runs, held) for runs in targets)
    assert all(one.start < one.end for one in merged)
    assert all(one.end <= later.start for one, later in pairwise(merged))


@given(st.lists(SOME_FINDINGS, min_size=1, max_size=4), HELD, st.integers(0, 2300))
def test_the_worst_is_what_a_look_at_every_target_finds(
    targets: list[list[Finding]], held: timedelta, hours: int
) -> None:
    lines = [timeline(runs, held) for runs in targets]

    def seen(segments: list[Segment]) -> list[State]:
        return [one.state for one in segments if one.start <= at(hours) < one.end]

    every = [state for line in lines for state in seen(line)]
    assert seen(worst(lines)) == ([max(every, key=list(State).index)] if every else [])


# --- repairs -------------------------------------------------------------------------------------------------------


def test_a_repair_is_from_the_first_failing_run_to_the_first_good_one() -> None:
    runs = found(
        (0, Outcome.ALERT), (1, Outcome.UNDETERMINED), (2, Outcome.WAIVED), (3, Outcome.WARNING), (5, Outcome.ALERT)
    )
    broken = spells({APP1: runs}, BROKEN, REPAIRED)
    assert broken == [Spell(APP1, "P1", at(0), at(3)), Spell(APP1, "P1", at(5), None)]
    (of,) = repairs(broken).values()
    assert (of.repaired, of.open, of.mean, of.longest) == (1, 1, 3 * HOUR, 3 * HOUR)


def test_a_response_is_what_settled_the_finding_and_a_waiver_settles() -> None:
    runs = found((0, Outcome.UNDETERMINED), (2, Outcome.WAIVED), (3, Outcome.NORMAL))
    assert spells({APP1: runs}, BROKEN, REPAIRED) == []
    (failure,) = spells({APP1: runs}, FAILED, SETTLED)
    assert failure.ended == at(2)
    assert response(failure, at(2), at(9)) is Response.MET
    assert response(failure, at(1), at(9)) is Response.MISSED
    still = Spell(APP1, "P1", at(0), None)
    assert (response(still, at(1), at(1)), response(still, at(1), at(2))) == (Response.OPEN, Response.MISSED)


@given(SOME_FINDINGS)
def test_spells_end_after_they_begin_and_follow_each_other(runs: list[Finding]) -> None:
    for starts, ends in ((BROKEN, REPAIRED), (FAILED, SETTLED)):
        told = spells({APP1: runs}, starts, ends)
        assert all(one.ended is None or one.ended > one.began for one in told)
        assert all(one.ended and one.ended <= later.began for one, later in pairwise(told))
        assert all(of.mean is None or of.mean <= of.longest for of in repairs(told).values() if of.longest)


# --- months --------------------------------------------------------------------------------------------------------


def test_months_are_those_of_the_environments_clocks() -> None:
    first = datetime(2025, 11, 30, 15, tzinfo=UTC)  # midnight in Tokyo
    listed = [month.name for month in months(first, BEGIN, TOKYO)]
    assert (listed[0], listed[-1], len(listed)) == ("2026-09", "2025-12", 10)
    assert months(first, datetime(2025, 12, 31, 15, tzinfo=UTC), TOKYO) == [Month(2025, 12)]  # January has not begun
    assert Month(2025, 12).following == Month(2026, 1)
    assert [Month(2026, 2).days, Month(2028, 2).days, Month(2026, 12).days] == [28, 29, 31]
    assert Month(2026, 9).start(TOKYO) == datetime(2026, 8, 31, 15, tzinfo=UTC)


def test_a_month_in_which_clocks_change_has_all_its_hours() -> None:
    berlin, october = ZoneInfo("Europe/Berlin"), Month(2026, 10)
    assert october.following.start(berlin) - october.start(berlin) == timedelta(days=31, hours=1)


@pytest.mark.parametrize(
    ("schedule", "days", "now", "expected"),
    [
        (("smoke", "daily"), (1, 2, 2, 30), 30, Verified(4, 4, 3, 30, "daily")),
        (("daily",), (1, 3), 2.5, Verified(2, 2, 2, 3, "daily")),  # the third is not over, and verified
        (("daily",), (1,), 2.5, Verified(1, 1, 1, 2, "daily")),  # nor is it due where it is not
        (("weekly",), (7, 8, 30), 30, Verified(3, 3, 3, 4, "weekly")),
        (("monthly", "drill"), (), 30, Verified(0, 0, 0, 1, "monthly")),
        (("monthly",), (), 29, Verified(0, 0, 0, 0, "monthly")),
        (("drill",), (4,), 30, Verified(1, 1, 0, 0, "")),
    ],
)
def test_what_is_due_is_held_against_the_schedule(
    schedule: tuple[str, ...], days: tuple[int, ...], now: float, expected: Verified
) -> None:
    runs = [Finding(BEGIN + (day - 1) * DAY + n * HOUR, Outcome.NORMAL, "P1") for n, day in enumerate(days)]
    assert verified(runs, schedule, Month(2026, 9), ZoneInfo("UTC"), BEGIN + now * DAY) == expected


def test_a_run_that_found_nothing_out_verified_nothing() -> None:
    runs = found((0, Outcome.UNDETERMINED), (1, Outcome.NOT_APPLICABLE), (2, Outcome.BLOCKED))
    assert verified(runs, ("smoke",), Month(2026, 9), ZoneInfo("UTC"), at(9)) == Verified(2, 0, 0, 0, "")


@pytest.mark.parametrize(
    ("outcomes", "checked", "expected"),
    [
        ([(0, Outcome.NORMAL), (1, Outcome.ALERT), (2, Outcome.NORMAL)], Verified(3, 3, 1, 1, "daily"), Status.BROKEN),
        ([(0, Outcome.NORMAL), (1, Outcome.WAIVED)], Verified(2, 2, 1, 1, "daily"), Status.WAIVED),
        ([(0, Outcome.WARNING)], Verified(1, 1, 1, 1, "daily"), Status.KEPT),
        ([(0, Outcome.NOT_APPLICABLE)], Verified(0, 0, 0, 1, "daily"), Status.EXCUSED),
        ([(0, Outcome.BLOCKED)], Verified(1, 0, 0, 0, ""), Status.UNVERIFIED),
        ([], Verified(0, 0, 0, 1, "daily"), Status.UNVERIFIED),
        ([], Verified(0, 0, 0, 0, ""), Status.NOT_DUE),
    ],
)
def test_a_month_in_one_word(outcomes: list[tuple[float, Outcome]], checked: Verified, expected: Status) -> None:
    assert status(shares(timeline(found(*outcomes), DAY), at(0), at(24)), checked) is expected
