"""Many things in one sentence."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsverify.judgements.many import day_ranges, few

DAY = date(2026, 10, 28)


@pytest.mark.parametrize(
    ("days", "words"),
    [
        ([], ""),
        ([DAY], "2026-10-28"),
        ([DAY + timedelta(days=n) for n in range(30)], "2026-10-28 to 11-26"),
        ([DAY, DAY + timedelta(days=2), DAY + timedelta(days=3)], "2026-10-28, 10-30 to 10-31"),
        ([date(2026, 12, 31), date(2027, 1, 1)], "2026-12-31 to 2027-01-01"),
        ([date(2027, 1, 1), date(2026, 12, 29)], "2026-12-29, 2027-01-01"),
    ],
)
def test_days_as_ranges(days: list[date], words: str) -> None:
    assert day_ranges(days) == words


@pytest.mark.parametrize(("count", "words"), [(0, ""), (1, "a0"), (4, "a0, a1, a2, a3"), (5, "a0, a1, a2 and 2 more")])
def test_the_first_few(count: int, words: str) -> None:
    assert few([f"a{n}" for n in range(count)], 3) == words


@given(st.sets(st.integers(0, 400), max_size=60))
def test_ranges_say_every_day_and_no_other(offsets: set[int]) -> None:
    said, year = set(), ""
    for words in filter(None, day_ranges(DAY + timedelta(days=n) for n in offsets).split(", ")):
        ends = []
        for text in words.split(" to "):
            year = text[:4] if len(text) > 5 else year
            ends.append(date.fromisoformat(text if len(text) > 5 else f"{year}-{text}"))
        said |= {ends[0] + timedelta(days=n) for n in range((ends[-1] - ends[0]).days + 1)}
    assert said == {DAY + timedelta(days=n) for n in offsets}
