"""Runs that this rehearsal never saw, in its own history: what they measured is what the next is held against."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rehearsal.whole import Rehearsal


def measured(whole: Rehearsal, item: str, target: str, kind: str, days: Mapping[float, Mapping[str, float]]) -> None:
    """Write down that so many days ago a check was well and measured these figures."""
    from opsverify.config.history_location import locate
    from opsverify.history.records import RunRecord
    from opsverify.history.store import Store
    from opsverify.reporting.results import Result, figures_text

    path = whole.layout.history
    records = []
    for ago, figures in sorted(days.items(), reverse=True):
        when = datetime.now(UTC) - timedelta(days=ago)
        result = Result(
            f"checks::{item}[{target}]",
            environment="rehearsal",
            runbook=item,
            target=target,
            target_kind=kind,
            severity="P2",
            verdict="normal",
            measurements=figures_text(figures.items()),
        )
        records.append(RunRecord("rehearsal", "blue", when, when, 0, False, "", "--env rehearsal", [result]))
    Store(locate(f"sqlite:///{path}", path.parent)).write(records)
