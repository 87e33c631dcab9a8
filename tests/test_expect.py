"""Expectations: what was seen is recorded also when all is well, and nothing judged is never a pass."""

from __future__ import annotations

from typing import Any

import pytest

from opsverify.bands import Verdict
from opsverify.errors import ProbeError
from opsverify.expect import Expect, NothingJudged, PromiseBroken
from opsverify.items import Item


def item(**more: Any) -> Item:
    text = {"en": "Room to grow", "ja": "空きがある"}
    return Item(id="disk-usage", title=text, action=text, source=["MON"], schedule=["daily"], severity="P2", **more)


BAND = {"below": 80, "alert_above": 90, "unit": "%"}


def test_a_normal_figure_leaves_what_was_seen() -> None:
    expect = Expect(item(band=BAND))
    expect(42.5, "/var")
    worst = expect.conclude()
    assert (worst.verdict, worst.observed, worst.expected) == (Verdict.NORMAL, "/var 42.5 %", "< 80 % (alert > 90 %)")


def test_the_worst_figure_decides_and_all_alerts_are_told() -> None:
    expect = Expect(item(band=BAND))
    expect.each({"/": 50, "/var": 91, "/srv": 99.5, "/tmp": 85}, of="file system")
    with pytest.raises(PromiseBroken) as caught:
        expect.conclude()
    assert str(caught.value) == (
        "observed /srv 99.5 %, expected < 80 % (alert > 90 %); observed /var 91 %, expected < 80 % (alert > 90 %)"
    )


def test_the_smallest_figure_is_the_worst_where_large_is_good() -> None:
    expect = Expect(item(band={"above": 30, "alert_below": 14, "unit": "days"}))
    expect.each({"a": 20, "b": 16, "c": 400}, of="certificate")
    assert expect.conclude().observed == "b 16 days"


def test_a_warning_does_not_fail() -> None:
    expect = Expect(item())
    expect.that(False, observed="silence", expected="a word", otherwise=Verdict.WARNING)
    assert expect.conclude().verdict is Verdict.WARNING


def test_a_failing_expectation_does_not_hide_the_next() -> None:
    expect = Expect(item())
    expect.that(False, observed="a", expected="b")
    expect.that(False, observed="c", expected="d")
    with pytest.raises(PromiseBroken, match="observed a, expected b; observed c, expected d"):
        expect.conclude()


def test_nothing_judged_is_an_error() -> None:
    with pytest.raises(NothingJudged):
        Expect(item()).conclude()
    with pytest.raises(ProbeError, match="no file system"):
        Expect(item(band=BAND)).each({}, of="file system")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "12", None, True])
def test_what_is_no_figure_could_not_be_determined(value: Any) -> None:
    with pytest.raises(ProbeError):
        Expect(item(band=BAND))(value)
