"""What is new, worse, known or recovered: held against its definition, run by run."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import groupby

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsverify.history.changes import (
    FLAPS,
    MOST_SPELLS,
    RECENT,
    Check,
    Spells,
    change,
    check_of,
    lengthened,
    remembered,
)
from opsverify.reporting.change import Change, State
from opsverify.reporting.results import Outcome, Result

from .conftest import result

START = datetime(2026, 3, 1, 2, 30, tzinfo=UTC)
N, W, A, V = Outcome.NORMAL, Outcome.WARNING, Outcome.ALERT, Outcome.WAIVED
U, B, X, E = Outcome.UNDETERMINED, Outcome.BLOCKED, Outcome.BROKEN, Outcome.NOT_APPLICABLE
LETTERS = {"N": N, "W": W, "A": A, "V": V, "U": U, "B": B, "X": X, "E": E}

letters = st.text(alphabet="NWAVUBX", max_size=40)


def told(runs: str, moments: list[datetime] | None = None) -> Spells:
    """What is remembered of runs that ended so, one a day."""
    spells: Spells = ()
    for day, letter in enumerate(runs):
        began = moments[day] if moments else START + timedelta(days=day)
        spells = lengthened(spells, LETTERS[letter].value, began)
    return spells


def state(runs: str) -> Change | None:
    """The state of the last of these runs."""
    return change(told(runs[:-1]), LETTERS[runs[-1]], START + timedelta(days=len(runs) - 1))


@pytest.mark.parametrize(
    ("runs", "expected", "was", "count", "days"),
    [
        ("A", State.NEW, "", 1, 0),
        ("NNA", State.NEW, "", 1, 0),
        ("NAA", State.KNOWN, "", 2, 1),
        ("NAAAA", State.KNOWN, "", 4, 3),
        ("NW", State.NEW, "", 1, 0),
        ("NWA", State.WORSE, "warning", 1, 0),
        ("NWWAA", State.KNOWN, "", 2, 1),  # as an alert; that it had been warned of is another age
        ("NAAW", State.KNOWN, "", 3, 2),  # it is better, and was not well in between
        ("NAAN", State.RECOVERED, "alert", 2, 2),
        ("NWN", State.RECOVERED, "warning", 1, 1),
        ("AUUA", State.KNOWN, "", 2, 3),  # that nobody could see it did not repair it
        ("AUBN", State.RECOVERED, "alert", 1, 3),
        ("NUA", State.NEW, "", 1, 0),
        ("UA", State.NEW, "", 1, 0),
        ("NU", State.NEW, "", 1, 0),
        ("AU", State.NEW, "", 1, 0),  # nobody knows what it hides
        ("NUB", State.KNOWN, "", 2, 1),
        ("NBX", State.KNOWN, "", 2, 1),
        ("UNU", State.NEW, "", 1, 0),
        ("NVVA", State.WORSE, "waived", 1, 0),  # nobody answers for it any more
        ("NAVVAA", State.KNOWN, "", 5, 4),
        ("NVN", State.RECOVERED, "waived", 1, 1),
        ("AVW", State.KNOWN, "", 3, 2),
    ],
)
def test_what_an_operator_is_told(runs: str, expected: State, was: str, count: int, days: int) -> None:
    found = state(runs)
    assert found is not None
    assert (found.state, found.was, found.runs, found.days) == (expected, was, count, days)


@pytest.mark.parametrize("runs", ["N", "NN", "UN", "NUN", "ANN", "V", "AV", "E", "AE"])
def test_nothing_to_tell(runs: str) -> None:
    assert state(runs) is None


@pytest.mark.parametrize(
    ("runs", "expected"),
    [
        ("NAN", False),
        ("NANA", True),
        ("NWNW", True),
        ("WAWAWA", False),
        ("NAUUNUBUA", True),
        ("NANNNNNNNNA", False),
        ("NANNNNNNNNAN", False),
        ("ANNNNNNNANA", True),
    ],
)
def test_flapping_is_what_did_not_stay_repaired(runs: str, expected: bool) -> None:
    found = state(runs)
    assert found is not None
    assert found.flapping is expected


def as_defined(runs: str) -> tuple[State | None, int, bool]:
    """State, runs and flapping of the last of these runs, from the list of all of them."""
    now, judged = runs[-1], [letter for letter in runs[:-1] if letter in "NWAV"]
    if now in "UBX":
        row = len(runs) - len(runs.rstrip("UBX"))
        return (State.KNOWN if row > 1 else State.NEW), row, False
    good = [letter == "N" for letter in [*judged, now]][-RECENT:]
    flaps = len(list(groupby(good))) - 1 >= FLAPS
    last = judged[-1] if judged else "N"
    if now == "N":
        bad = "".join(judged)
        row = len(bad) - len(bad.rstrip("WAV"))
        return (State.RECOVERED, row, flaps) if row else (None, 0, False)
    if now == "V":
        return None, 0, False
    if last == "N":
        return State.NEW, 1, flaps
    if now == "A" and last in "WV":
        return State.WORSE, 1, flaps
    text = "".join(judged)
    return State.KNOWN, len(text) - len(text.rstrip("AV" if now == "A" else "WAV")) + 1, flaps


@given(letters.filter(bool))
def test_spells_say_what_the_runs_said(runs: str) -> None:
    expected, count, flaps = as_defined(runs)
    found = state(runs)
    if expected is None:
        assert found is None
    else:
        assert found is not None
        assert (found.state, found.flapping) == (expected, flaps)
        if len([*groupby(runs)]) <= MOST_SPELLS:
            assert found.runs == count


@given(letters, st.lists(st.datetimes(timezones=st.just(UTC)), min_size=41, max_size=41))
def test_no_clock_decides(runs: str, moments: list[datetime]) -> None:
    for now in LETTERS.values():
        right = change(told(runs), now, START + timedelta(days=50))
        wrong = change(told(runs, moments), now, moments[-1])
        if right is None or wrong is None:
            assert right is wrong
        else:
            assert (right.state, right.was, right.runs, right.flapping) == (
                wrong.state,
                wrong.was,
                wrong.runs,
                wrong.flapping,
            )
            assert wrong.days >= 0


@given(letters, st.lists(st.integers(0, 40), max_size=10))
def test_silence_in_between_changes_no_judgement(runs: str, silences: list[int]) -> None:
    judged = [letter for letter in runs if letter in "NWAV"][-MOST_SPELLS // 3 :]
    more = list(judged)
    for place in silences:
        more.insert(min(place, len(more)), "U")
    for now in (N, W, A, V):
        without, found = (change(told("".join(text)), now, START) for text in (judged, more))
        if without is None or found is None:
            assert without is found
        else:
            assert (without.state, without.was, without.runs, without.flapping) == (
                found.state,
                found.was,
                found.runs,
                found.flapping,
            )


@given(letters)
def test_only_so_much_is_remembered(runs: str) -> None:
    assert len(told(runs)) <= MOST_SPELLS


def test_the_same_check_is_known_however_the_run_was_started() -> None:
    alone = result(nodeid="checks/test_x.py::test_x[app1]")
    among = result(nodeid="checks/test_x.py::test_x[production:app1]")
    assert check_of(alone) == check_of(among) == Check("disk-usage", "test_x", "app1", "hosts")
    others = (
        result(nodeid="checks/test_x.py::test_y[app1]"),
        result(target="app2"),
        result(target_kind="services"),
        result(runbook="inode-usage"),
    )
    assert len({check_of(alone), *map(check_of, others)}) == 5


@pytest.mark.parametrize(
    ("verdict", "whole", "partial"),
    [(N, True, True), (A, True, True), (V, True, True), (U, True, False), (X, True, False), (E, False, False)],
)
def test_what_later_runs_are_told(verdict: Outcome, whole: bool, partial: bool) -> None:
    one = result(verdict.value)
    assert (remembered(one, partial=False), remembered(one, partial=True)) == (whole, partial)
    assert not remembered(Result("checks/test_x.py"), partial=False)


@pytest.mark.parametrize(("runs", "day"), [("NA", 1), ("NAAA", 1), ("NWA", 2), ("NAAN", 1), ("AUAA", 0)])
def test_since_when(runs: str, day: int) -> None:
    """Since the first run of the row that found it; what became worse, since now."""
    found = state(runs)
    assert found is not None
    assert found.since == (START + timedelta(days=day)).isoformat(timespec="seconds")


@pytest.mark.parametrize(
    ("nodeid", "function"),
    [
        ("checks/test_x.py::test_disk[app1]", "test_disk"),
        ("checks/test_x.py::TestDisks::test_disk[app1]", "test_disk"),
        ("checks/test_x.py::test_disk[a[1]::b]", "test_disk"),
        ("checks/test_x.py::test_disk", "test_disk"),
    ],
)
def test_a_check_is_known_by_its_function_however_the_run_was_started(nodeid: str, function: str) -> None:
    assert check_of(Result(nodeid, "disk-usage")).function == function
