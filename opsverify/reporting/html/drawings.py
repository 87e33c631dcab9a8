"""Figures drawn: inside their bands, and over the last runs. What they show stands beside them in words."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from opsverify.reporting.results import Bounds, Outcome

RUNS = 30
"""So many runs are drawn, this one among them: a month of nights."""

_HEIGHT, _WIDTH = 18, 87


def gauge(value: float, bounds: Bounds, unit: str) -> str:
    """Where a figure lies: normal, warning and alert side by side, a mark for the figure. Drawn by the style sheet."""
    limits = (bounds.warning, bounds.alert)
    low = min(0.0, value, *limits)
    # An alert far behind its limit, or a certificate of two years, must not press the bands together.
    most = max(limits) + max(abs(bounds.warning - bounds.alert), 0.25 * (max(limits) - low))
    high = max(most, min(value, max(limits) + 2 * (most - max(limits))))
    if unit == "%" and max(limits) >= 50 and max(value, *limits) <= 100:  # there is no more
        high = 100.0
    percent = [max(0.0, min(100.0, 100 * (figure - low) / ((high - low) or 1))) for figure in (value, *limits)]
    at, warning, alert = (f"{share:.0f}" for share in percent)
    kind = " ov-low" if bounds.worse == "below" else ""
    return f'<i class="ov-gauge{kind}" style="--v:{at};--w:{warning};--a:{alert}"></i>'


def sparkline(values: Sequence[float]) -> str:
    """A line through the figures, oldest first, with a dot at the last one; empty where there are none before it."""
    values = values[-RUNS:]
    if len(values) < 2:
        return ""
    low, span = min(values), max(values) - min(values)
    step = _WIDTH / (RUNS - 1)
    first = RUNS - len(values)
    places = [
        (round((first + n) * step), round(2 + (_HEIGHT - 4) * (1 - (value - low) / span)) if span else _HEIGHT // 2)
        for n, value in enumerate(values)
    ]
    line = " ".join(f"{x},{y}" for x, y in places)
    x, y = places[-1]
    return (
        f'<svg class="ov-spark" viewBox="-2 0 {_WIDTH + 4} {_HEIGHT}" aria-hidden="true">'
        f'<polyline points="{line}"/><circle cx="{x}" cy="{y}" r="2"/></svg>'
    )


def strip(verdicts: Sequence[tuple[str, int]]) -> str:
    """A block for each of the last runs in the colour of its verdict: (verdict, runs in a row), oldest first."""
    runs = [verdict for verdict, count in verdicts for _ in range(min(count, RUNS))][-RUNS:]
    blocks = [f'<i class="ov-{kind(Outcome(of))}" style="--n:{len([*same])}"></i>' for of, same in groupby(runs)]
    return f'<span class="ov-strip">{"".join(blocks)}</span>' if len(runs) > 1 else ""


def kind(outcome: Outcome) -> str:
    """The outcome as a class of the style sheet, and in the address: `not-applicable`."""
    return outcome.name.lower().replace("_", "-")
