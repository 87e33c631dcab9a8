"""Figures as people write them, in Japanese or English, full-width or half-width. Pure."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

_UNITS = {
    "ms": ("time", 0.001), "msec": ("time", 0.001), "ミリ秒": ("time", 0.001), "millisecond": ("time", 0.001),
    "s": ("time", 1), "sec": ("time", 1), "秒": ("time", 1), "second": ("time", 1),
    "min": ("time", 60), "分": ("time", 60), "minute": ("time", 60),
    "h": ("time", 3600), "時間": ("time", 3600), "hour": ("time", 3600),
    "営業日": ("business days", 1), "business day": ("business days", 1), "working day": ("business days", 1),
    "d": ("time", 86400), "日": ("time", 86400), "日間": ("time", 86400), "day": ("time", 86400),
    "週間": ("time", 604800), "週": ("time", 604800), "week": ("time", 604800),
    "%": ("share", 1), "パーセント": ("share", 1), "percent": ("share", 1),
}  # fmt: skip
_SMALLER = ("<", "<=", "≤", "未満", "以下", "以内", "within", "less than", "below", "under", "at most")
_LARGER = (">", ">=", "≥", "超", "を超え", "以上", "より大き", "more than", "above", "over", "at least", "or more")


@dataclass(frozen=True)
class Quantity:
    """A figure: `unit` as it is written, `side` "<" or ">" where it limits something, "" where it does not."""

    value: float
    unit: str = ""
    side: str = ""

    def within(self, unit: str) -> float | None:
        """The value in another unit; None where they do not measure the same. Without a unit it is taken for that."""
        if not self.unit or self.unit == unit:
            return self.value
        mine, other = _UNITS.get(_singular(self.unit)), _UNITS.get(_singular(unit))
        if mine is None or other is None or mine[0] != other[0]:
            return None
        return self.value * mine[1] / other[1]


def plain(text: str) -> str:
    """Full-width digits, letters and signs as half-width ones (Unicode NFKC), blanks as one blank."""
    return " ".join(unicodedata.normalize("NFKC", text).split())


def _alternatives(words: tuple[str, ...]) -> str:
    return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))


# A letter after a unit makes it another word: "3 servers" are no seconds.
_PATTERN = re.compile(
    rf"(?P<before>{_alternatives(_SMALLER + _LARGER)})?\s*(?<![\w.])(?P<value>\d[\d,]*(?:\.\d+)?)"
    rf"\s*(?:(?P<unit>{_alternatives(tuple(_UNITS))})s?(?![A-Za-z]))?"
    rf"\s*(?P<after>{_alternatives(_SMALLER + _LARGER)})?",
    re.IGNORECASE,
)


def quantity(text: str) -> Quantity | None:
    """The first figure in a text, None where it states none."""
    match = _PATTERN.search(plain(text))
    if match is None:
        return None
    sign = (match["before"] or match["after"] or "").lower()
    side = "<" if sign in _SMALLER else ">" if sign in _LARGER else ""
    try:
        return Quantity(float(match["value"].replace(",", "")), match["unit"] or "", side)
    except ValueError:
        return None


def _singular(unit: str) -> str:
    word = unit.lower()
    return word.removesuffix("s") if len(word) > 2 and word not in _UNITS else word
