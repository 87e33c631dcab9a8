"""What is kept of a run. Pure; all text in it is already redacted and printable."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from opsverify.reporting.results import Outcome, Result

GOOD = (Outcome.NORMAL.value, Outcome.WARNING.value)
"""Verdicts whose figures may serve as a baseline: a failing run must never lower what the next is held against."""

KEPT_DAYS = 400
"""Runs older than this are removed when a new one is written: a year, and a month to compare it with."""


class HistoryError(Exception):
    """The history could not be used; the message is one sentence that names the database and holds no secret."""


@dataclass(frozen=True)
class RunRecord:
    """One run of one environment. Times are aware."""

    environment: str
    slot: str
    started_at: datetime
    finished_at: datetime
    exit_code: int
    partial: bool
    revision: str
    """The suite's own commit, where it is known."""
    arguments: str
    results: Sequence[Result]


@dataclass(frozen=True)
class Subject:
    """A target of an environment, as results name it."""

    environment: str
    target: str
    target_kind: str


@dataclass(frozen=True)
class LastResult:
    """How a check of a target ended the last time."""

    nodeid: str
    runbook: str
    target: str
    verdict: str
    started_at: datetime
    """When that run began."""


@dataclass(frozen=True, slots=True)
class PastResult:
    """How one check of one target ended in one run."""

    started_at: datetime
    """When that run began."""
    runbook: str
    target: str
    target_kind: str
    severity: str
    verdict: str
    waiver: str
    """The sentence of a waived result: who answers for it, until when and why, and what was found; "" otherwise."""


@dataclass(frozen=True, slots=True)
class Figure:
    """What one run measured, in its item's unit."""

    started_at: datetime
    runbook: str
    target: str
    about: str
    value: float


@dataclass(frozen=True)
class Notice:
    """What one channel knows of one check of a target that is not well, or was not until just now. Times are aware."""

    channel: str
    result: Result
    """As it was when it failed last."""
    since: datetime
    """When it failed first."""
    seen_at: datetime
    """When it failed last."""
    runs: int = 1
    """In how many runs in a row it failed."""
    told_at: datetime | None = None
    told_severity: str = ""
    told_verdict: str = ""
    """As the channel was told it."""
    ended_at: datetime | None = None
    """Since when it fails no more; the channel has yet to be told."""
    ending: str = ""
    """Why it counts no more, where it is not well again: a waiver's words."""


Series = dict[str, list[tuple[datetime, float]]]
"""Figures by what they are about, oldest first."""
