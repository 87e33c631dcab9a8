"""Bands: limits are read strictly, and nothing that is no number ever passes."""

from __future__ import annotations

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import ValidationError

from opsverify.config.bands import AtLeast, AtMost, Verdict, quantity, worst

finite = st.floats(allow_nan=False, allow_infinity=False, width=32)


@pytest.mark.parametrize(
    ("value", "verdict"),
    [(79.999, "normal"), (80, "warning"), (85, "warning"), (90, "warning"), (90.001, "alert")],
)
def test_both_limits_of_at_most_are_warnings(value: float, verdict: str) -> None:
    assert AtMost(below=80, alert_above=90).judge(value) == Verdict(verdict)


@pytest.mark.parametrize(
    ("value", "verdict"),
    [(30.001, "normal"), (30, "warning"), (20, "warning"), (14, "warning"), (13.999, "alert"), (-5, "alert")],
)
def test_both_limits_of_at_least_are_warnings(value: float, verdict: str) -> None:
    assert AtLeast(above=30, alert_below=14).judge(value) == Verdict(verdict)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_figure_that_is_not_finite_is_never_judged(value: float) -> None:
    with pytest.raises(ValueError, match="finite"):
        AtMost(below=80, alert_above=90).judge(value)


@pytest.mark.parametrize("value", [True, "70", None])
def test_what_is_no_number_is_never_judged(value: object) -> None:
    with pytest.raises(TypeError, match="number"):
        AtMost(below=80, alert_above=90).judge(value)  # type: ignore[arg-type]


def test_inverted_bands_are_rejected_when_read() -> None:
    with pytest.raises(ValidationError, match="alert_above"):
        AtMost(below=90, alert_above=80)
    with pytest.raises(ValidationError, match="alert_below"):
        AtLeast(above=14, alert_below=30)


@given(a=finite, b=finite, x=finite, y=finite)
def test_at_most_is_monotone(a: float, b: float, x: float, y: float) -> None:
    band = AtMost(below=min(a, b), alert_above=max(a, b))
    assume(x <= y)
    assert band.judge(x).rank <= band.judge(y).rank


@given(a=finite, b=finite, x=finite)
def test_at_least_mirrors_at_most(a: float, b: float, x: float) -> None:
    low, high = min(a, b), max(a, b)
    assert AtLeast(above=high, alert_below=low).judge(x) == AtMost(below=-high, alert_above=-low).judge(-x)


def test_texts_carry_their_unit() -> None:
    assert str(AtMost(below=80, alert_above=90, unit="%")) == "< 80 % (alert > 90 %)"
    assert str(AtLeast(above=30, alert_below=14, unit="days")) == "> 30 days (alert < 14 days)"
    assert quantity(0.1 + 0.2, "s") == "0.3 s"
    assert quantity(1234567.0) == "1,234,567"
    assert quantity(1000.4) == "1,000"
    assert quantity(100.0) == "100"
    assert quantity(-13.5, "days") == "-13.5 days"


def test_the_worst_of_nothing_is_an_error() -> None:
    assert worst([Verdict.NORMAL, Verdict.ALERT, Verdict.WARNING]) is Verdict.ALERT
    with pytest.raises(ValueError, match="empty"):
        worst([])
