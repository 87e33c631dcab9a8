"""Bands: what is normal, what is worth a look, and what wakes somebody. Pure functions of numbers.

The runbook's chapter "システム監視項目" gives two limits per figure, "< 80 %" and "alert > 90 %". Read strictly, as
it is written: normal is below 80, an alert is above 90, and both limits themselves are warnings. `AtLeast` mirrors
that for figures that must stay large ("> 30 days left, alert < 14").
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from enum import Enum
from typing import Annotated, ClassVar

from pydantic import BaseModel, ConfigDict, Field, model_validator


class Verdict(str, Enum):
    """How one finding was judged, from best to worst."""

    NORMAL = "normal"
    WARNING = "warning"
    ALERT = "alert"

    @property
    def rank(self) -> int:
        """0 for normal, 1 for warning, 2 for alert."""
        return _RANKS[self]


_RANKS = {Verdict.NORMAL: 0, Verdict.WARNING: 1, Verdict.ALERT: 2}

Limit = Annotated[float, Field(allow_inf_nan=False, strict=False)]


def number(value: float) -> float:
    """Return `value` as a finite float.

    Raises ValueError for NaN and infinities (comparing NaN with a limit is always false: it would slip through
    every band) and TypeError for booleans and text.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"a figure must be a number, found {value!r}")
    if not math.isfinite(value):
        raise ValueError(f"a figure must be finite, found {value!r}")
    return float(value)


class _Band(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    unit: str = ""


class AtMost(_Band):
    """Small is good: normal strictly below `below`, alert strictly above `alert_above`, warning in between."""

    worse: ClassVar[str] = "above"
    below: Limit
    alert_above: Limit

    @property
    def limits(self) -> tuple[float, float]:
        """Where normal ends, and behind what an alert begins."""
        return self.below, self.alert_above

    @model_validator(mode="after")
    def _ordered(self) -> AtMost:
        if self.alert_above < self.below:
            raise ValueError(f"alert_above ({self.alert_above:g}) must not be smaller than below ({self.below:g})")
        return self

    def judge(self, value: float) -> Verdict:
        """Judge one finite figure; raises as `number` does."""
        figure = number(value)
        if figure < self.below:
            return Verdict.NORMAL
        return Verdict.ALERT if figure > self.alert_above else Verdict.WARNING

    def __str__(self) -> str:
        return f"< {quantity(self.below, self.unit)} (alert > {quantity(self.alert_above, self.unit)})"


class AtLeast(_Band):
    """Large is good: normal strictly above `above`, alert strictly below `alert_below`, warning in between."""

    worse: ClassVar[str] = "below"
    above: Limit
    alert_below: Limit

    @property
    def limits(self) -> tuple[float, float]:
        """Where normal ends, and behind what an alert begins."""
        return self.above, self.alert_below

    @model_validator(mode="after")
    def _ordered(self) -> AtLeast:
        if self.alert_below > self.above:
            raise ValueError(f"alert_below ({self.alert_below:g}) must not be larger than above ({self.above:g})")
        return self

    def judge(self, value: float) -> Verdict:
        """Judge one finite figure; raises as `number` does."""
        figure = number(value)
        if figure > self.above:
            return Verdict.NORMAL
        return Verdict.ALERT if figure < self.alert_below else Verdict.WARNING

    def __str__(self) -> str:
        return f"> {quantity(self.above, self.unit)} (alert < {quantity(self.alert_below, self.unit)})"


Band = AtMost | AtLeast


def quantity(value: float, unit: str = "") -> str:
    """Write a figure with its unit the same way everywhere: at most three decimals, no trailing zeros."""
    text = f"{value:,.3f}".rstrip("0").rstrip(".") if abs(value) < 1000 else f"{value:,.0f}"
    return f"{text} {unit}".rstrip()


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """The worst of some verdicts; raises ValueError when there are none (nothing judged is not a pass)."""
    return max(verdicts, key=lambda verdict: verdict.rank)
