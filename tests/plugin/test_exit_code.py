"""The exit code: only a run that judged something, and found nothing that decides against it, is 0."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsverify.plugin.exit_code import LEVELS, FailOn, decides, exit_code
from opsverify.reporting.change import Change, State
from opsverify.reporting.results import Outcome, Result


def result(verdict: str, severity: str = "P3", state: State | None = None) -> Result:
    change = Change(state) if state else None
    return Result(nodeid="x", runbook="disk-usage", verdict=verdict, severity=severity, change=change)


verdicts, severities = st.sampled_from([o.value for o in Outcome]), st.sampled_from(["P1", "P2", "P3", "P4"])
results = st.builds(result, verdicts, severities, st.none() | st.sampled_from(State))
levels = st.sampled_from([*LEVELS, "new", *(f"new,{level}" for level in LEVELS)])
KNOWN, NEW, WORSE = State.KNOWN, State.NEW, State.WORSE


@pytest.mark.parametrize(
    ("listed", "fail_on", "code"),
    [
        ([], "P4", 5),
        ([result("not applicable")], "P4", 5),
        ([result("waived")], "P4", 0),
        ([result("normal")], "P4", 0),
        ([result("normal"), result("warning")], "P4", 0),
        ([result("normal"), result("warning")], "warning", 1),
        ([result("normal"), result("alert", "P3")], "P2", 0),
        ([result("normal"), result("alert", "P2")], "P2", 1),
        ([result("normal"), result("blocked", "P4")], "P3", 0),
        ([result("normal"), result("broken", "P4")], "P1", 1),
        ([result("normal"), result("alert", "P1", KNOWN)], "P4", 1),
        ([result("normal"), result("alert", "P1", KNOWN), result("blocked", "P1", KNOWN)], "new", 0),
        ([result("normal"), result("alert", "P4", NEW)], "new", 1),
        ([result("normal"), result("alert", "P4", WORSE)], "new", 1),
        ([result("normal"), result("undetermined", "P4", NEW)], "new", 1),
        ([result("normal"), result("alert", "P4")], "new", 1),  # what is new is not known
        ([result("normal"), result("alert", "P3", NEW)], "new,P2", 0),
        ([result("normal"), result("alert", "P2", NEW)], "P2,new", 1),
        ([result("normal"), result("warning", "P2", NEW)], "new", 0),
        ([result("normal"), result("warning", "P2", NEW)], "new,warning", 1),
        ([result("normal"), result("warning", "P2", KNOWN)], "new,warning", 0),
        ([result("normal"), result("broken", "P4", KNOWN)], "new", 1),
        ([result("blocked", "P4", KNOWN)], "new", 1),
        ([result("blocked", "P4")], "P1", 1),  # nothing was judged: not green, whatever the level
    ],
)
def test_what_decides(listed: list[Result], fail_on: str, code: int) -> None:
    assert exit_code(listed, FailOn.parse(fail_on), 0) == code


@pytest.mark.parametrize("pytests", [2, 3, 4])
def test_what_pytest_says_of_a_broken_run_stands(pytests: int) -> None:
    assert exit_code([result("normal")], FailOn(), pytests) == pytests


def test_a_partial_run_is_never_green() -> None:
    assert exit_code([result("normal")], FailOn(), 0, partial=True) == 1


@given(st.lists(results), levels, st.sampled_from([0, 1, 5]), st.booleans())
def test_zero_means_judged_whole_and_undecided_against(
    result: list[Result], fail_on: str, pytests: int, partial: bool
) -> None:
    if exit_code(result, FailOn.parse(fail_on), pytests, partial=partial) == 0:
        assert any(r.outcome.judged for r in result)
        assert not any(decides(r, FailOn.parse(fail_on)) for r in result)
        assert not partial


@given(st.lists(results, min_size=1))
def test_a_stricter_level_never_turns_red_into_green(result: list[Result]) -> None:
    codes = [exit_code(result, FailOn(level), 0) == 0 for level in LEVELS]
    assert codes == sorted(codes, reverse=True)


@given(st.lists(results, min_size=1), st.sampled_from(LEVELS))
def test_only_what_is_known_is_let_through(result: list[Result], level: str) -> None:
    unknown = [r for r in result if r.change is None or r.change.state is not State.KNOWN]
    code = exit_code(result, FailOn(level, only_new=True), 0)
    if code == 0:
        assert not any(decides(r, FailOn(level)) for r in unknown)
    else:
        assert exit_code(result, FailOn(level), 0) != 0


@pytest.mark.parametrize("text", ["P9", "", "new,new", "P1,P2", "new,P1,P2", "new,", "new, P2", "NEW"])
def test_what_is_not_understood_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="P1, P2, P3, P4, warning, new, or new and one of the others, as new,P2"):
        FailOn.parse(text)
