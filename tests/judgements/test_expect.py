"""Expectations: what was seen is recorded also when all is well, and nothing judged is never a pass."""

from __future__ import annotations

from typing import Any

import pytest

from opsverify.config.bands import Verdict
from opsverify.config.items import Item
from opsverify.errors import ProbeError
from opsverify.judgements.expect import Expect, Finding, NothingJudged, PromiseBroken


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


def test_a_finding_is_told_whole() -> None:
    expect = Expect(item(band=BAND))
    expect(91, detail="of 2 GB")
    expect(42.5, "/var")
    assert expect.findings == [
        Finding(Verdict.ALERT, "91 % (of 2 GB)", "< 80 % (alert > 90 %)", "%", 91.0, ""),
        Finding(Verdict.NORMAL, "/var 42.5 %", "< 80 % (alert > 90 %)", "%", 42.5, "/var"),
    ]


def test_a_fact_returns_whether_it_holds() -> None:
    expect = Expect(item())
    assert expect.that(True, observed=3, expected="any") is True
    assert expect.that(False, observed="none", expected="any") is False
    assert expect.findings == [Finding(Verdict.NORMAL, "3", "any"), Finding(Verdict.ALERT, "none", "any")]


def test_what_is_not_known_counts_less_than_what_is_known_to_be_broken() -> None:
    reason = ProbeError("nobody may look")
    expect = Expect(item())
    for _ in range(2):
        with pytest.raises(ProbeError, match="nobody may look"):
            expect.unknown(reason)
        expect.that(False, observed="worn", expected="new", otherwise=Verdict.WARNING)
    expect.that(False, observed="broken", expected="whole")
    expect.unknown(reason)
    assert expect.worst.observed == "broken"


def test_what_is_remembered_is_kept_and_not_judged() -> None:
    expect = Expect(item(band=BAND))
    expect.remember("rows", 7)
    expect.remember("/var", 1)
    with pytest.raises(NothingJudged, match="disk-usage judged nothing"):
        expect.conclude()
    expect(42.5, "/var")
    assert expect.measurements == {"rows": 7.0, "/var": 42.5}
    with pytest.raises(ProbeError, match="rows: a figure must be finite"):
        expect.remember("rows", float("nan"))


def test_the_sentence_says_of_what_there_is_no_figure() -> None:
    expect = Expect(item(band=BAND))
    with pytest.raises(ProbeError, match="^disk-usage: a figure must be"):
        expect(float("nan"))
    with pytest.raises(ProbeError, match="^/var: a figure must be"):
        expect(float("nan"), "/var")
    with pytest.raises(TypeError, match="disk-usage has no band"):
        Expect(item())(1)


def test_of_equals_the_last_tells_a_pass_and_the_first_a_failure() -> None:
    expect = Expect(item(band=BAND))
    expect.that(True, observed="there", expected="x")
    expect.that(True, observed="what it is", expected="x")
    assert expect.conclude().observed == "what it is"
    expect(85, "a")
    expect.that(False, observed="odd", expected="x", otherwise=Verdict.WARNING)
    expect(89, "b")
    assert expect.conclude().observed == "a 85 %"
