"""Many things in one sentence: counted, the first few named, days as ranges."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta

FEW = 5


def few(names: Sequence[str], most: int = FEW, between: str = ", ") -> str:
    """`a, b and 40 more`: the first `most` of them, all where only one more would be left out; "" for none."""
    shown = len(names) if len(names) <= most + 1 else most
    left = len(names) - shown
    return between.join(names[:shown]) + (f" and {left:,} more" if left else "")


def day_ranges(days: Iterable[date]) -> str:
    """`2026-10-28 to 11-26, 11-30`: days that follow one another as a range, a year only where it changes."""
    runs: list[list[date]] = []
    for day in sorted(set(days)):
        if runs and day - runs[-1][-1] == timedelta(days=1):
            runs[-1].append(day)
        else:
            runs.append([day])
    words, year = [], None
    for run in runs:
        ends = []
        for day in (run[0], run[-1]) if len(run) > 1 else run:
            ends.append(f"{day:%m-%d}" if day.year == year else f"{day:%Y-%m-%d}")
            year = day.year
        words.append(" to ".join(ends))
    return ", ".join(words)


__all__ = ["day_ranges", "few"]
