"""The exit code: only a run that judged something, and found nothing that decides against it, is 0."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsverify.plugin.exit_code import LEVELS, decides, exit_code
from opsverify.reporting.results import Outcome, Result


def result(verdict: str, severity: str = "P3") -> Result:
    return Result(nodeid="x", runbook="disk-usage", verdict=verdict, severity=severity)


results = st.builds(result, st.sampled_from([o.value for o in Outcome]), st.sampled_from(["P1", "P2", "P3", "P4"]))


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
        ([result("blocked", "P4")], "P1", 1),  # nothing was judged: not green, whatever the level
    ],
)
def test_what_decides(listed: list[Result], fail_on: str, code: int) -> None:
    assert exit_code(listed, fail_on, 0) == code


@pytest.mark.parametrize("pytests", [2, 3, 4])
def test_what_pytest_says_of_a_broken_run_stands(pytests: int) -> None:
    assert exit_code([result("normal")], "P4", pytests) == pytests


def test_a_partial_run_is_never_green() -> None:
    assert exit_code([result("normal")], "P4", 0, partial=True) == 1


@given(st.lists(results), st.sampled_from(LEVELS), st.sampled_from([0, 1, 5]), st.booleans())
def test_zero_means_judged_whole_and_undecided_against(
    result: list[Result], fail_on: str, pytests: int, partial: bool
) -> None:
    if exit_code(result, fail_on, pytests, partial=partial) == 0:
        assert any(r.outcome.judged for r in result)
        assert not any(decides(r, fail_on) for r in result)
        assert not partial


@given(st.lists(results, min_size=1))
def test_a_stricter_level_never_turns_red_into_green(result: list[Result]) -> None:
    codes = [exit_code(result, level, 0) == 0 for level in LEVELS]
    assert codes == sorted(codes, reverse=True)
