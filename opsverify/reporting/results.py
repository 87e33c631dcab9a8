"""What a run found, check by check: the one record that every report is written from.

A result travels from the process that ran the check to the one that reports inside pytest's own `user_properties`
(plain strings only: xdist passes nothing else on), so that the terminal, HTML, JUnit and history cannot disagree.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from enum import Enum
from typing import Any, Literal

import pytest

from opsverify.reporting.change import Change


class Outcome(str, Enum):
    """How a check ended. The first three were judged; the others were not, each for another reason."""

    NORMAL = "normal"
    WARNING = "warning"
    ALERT = "alert"
    UNDETERMINED = "undetermined"
    BLOCKED = "blocked"
    BROKEN = "broken"
    WAIVED = "waived"
    NOT_APPLICABLE = "not applicable"

    @property
    def judged(self) -> bool:
        """Whether a promise was held against a fact (a waived failure was, too)."""
        return self in (Outcome.NORMAL, Outcome.WARNING, Outcome.ALERT, Outcome.WAIVED)

    @property
    def failed(self) -> bool:
        """Whether a person must act before this can count as good."""
        return self in (Outcome.ALERT, Outcome.UNDETERMINED, Outcome.BLOCKED, Outcome.BROKEN)


@dataclass(frozen=True)
class Bounds:
    """A figure is normal strictly short of `warning`, and an alert strictly past `alert`."""

    warning: float
    alert: float
    worse: Literal["above", "below"]
    """Which way is past: `above` or `below`."""


@dataclass(frozen=True)
class Result:
    """One check of one target. All fields are text that is already redacted and printable."""

    nodeid: str
    runbook: str = ""
    """The item's id, `disk-usage`."""
    environment: str = ""
    target: str = ""
    """The target's name, `app1`."""
    target_kind: str = ""
    title: str = ""
    action: str = ""
    """What to do when it fails, one sentence."""
    severity: str = "P4"
    schedule: str = ""
    """Space separated."""
    source: str = ""
    """Runbook chapters, space separated."""
    verdict: str = Outcome.BROKEN.value
    observed: str = ""
    expected: str = ""
    unit: str = ""
    value: str = ""
    """The judged figure where there is one, as repr(float), in `unit`."""
    sentence: str = ""
    """Why it did not pass, or why it was skipped or waived; empty when normal."""
    cause: str = ""
    """For a blocked or undetermined check: `target: message`, equal for all checks with one cause."""
    respond_by: str = ""
    """ISO 8601 with offset, for what failed."""
    measurements: str = ""
    """Every figure that was judged or is to be remembered, as `figures_text` writes them; see `figures`."""
    limits: str = ""
    """Those of the item's band, as `limits_text` writes them; see `bounds`."""
    waiver: str = ""
    """The waiver that hides the failure, as `waiver_text` writes it; see `terms`."""
    file: str = ""
    """Where the check is written, relative to the project's folder."""
    line: int = 0
    """Counted from 1; 0 where it is not known."""
    seconds: float = field(default=0.0, compare=False)
    """Duration of the judgement itself; the probe's own time is not in it."""
    change: Change | None = None
    """What is different since the runs before; None where that is not known, or there is nothing to tell."""
    maintenance: str = ""
    """The maintenance window in which its failure is expected, so that nobody was notified; it fails all the same."""

    @property
    def outcome(self) -> Outcome:
        return Outcome(self.verdict)

    @property
    def name(self) -> str:
        """`api-health[blue]`, as people call it."""
        return f"{self.runbook or self.nodeid}[{self.target}]" if self.target else (self.runbook or self.nodeid)

    @property
    def figures(self) -> dict[str, float]:
        """The measurements, by what they are about; "" where a check has but one. In `unit` where it has a band."""
        return {str(about): float(value) for about, value in json.loads(self.measurements or "[]")}

    @property
    def bounds(self) -> Bounds | None:
        """The limits as numbers, in `unit`; None where the check has no band."""
        return Bounds(**json.loads(self.limits)) if self.limits else None

    @property
    def terms(self) -> dict[str, str]:
        """Who answers for a waived failure (`owner`), until when (`expires`) and why (`reason`); empty otherwise."""
        return {str(name): str(value) for name, value in json.loads(self.waiver or "{}").items()}


def limits_text(warning: float, alert: float, worse: str) -> str:
    """The limits of a band as JSON."""
    return json.dumps({"warning": warning, "alert": alert, "worse": worse})


def waiver_text(owner: str, expires: str, reason: str) -> str:
    """The terms of a waiver as JSON; texts that are redacted and printable, and short enough to stay whole."""
    return json.dumps({"owner": owner, "expires": expires, "reason": reason}, ensure_ascii=False)


MOST_FIGURES = 3900
"""Characters of `figures_text`: reports cut properties at 4000, and half a list is none."""


def figures_text(figures: Iterable[tuple[str, float]]) -> str:
    """Measurements as a JSON list of [about, value], as many of the first ones as fit; "" when there are none."""
    parts: list[str] = []
    size = 2
    for pair in figures:
        part = json.dumps(pair)  # ASCII: nothing in it that a report would have to clean
        size += len(part) + 2
        if size > MOST_FIGURES:
            break
        parts.append(part)
    return f"[{', '.join(parts)}]" if parts else ""


PROPERTIES = tuple(f.name for f in fields(Result) if f.name not in ("nodeid", "file", "line", "seconds", "change"))
"""Names of the user properties that carry a result."""


def record(item: pytest.Item, **values: str) -> None:
    """Set properties on a test item, once per name however often it is rerun."""
    for name in values:
        if name not in PROPERTIES:
            raise KeyError(name)
    kept = [(k, v) for k, v in item.user_properties if k not in values]
    item.user_properties[:] = [*kept, *values.items()]


def result_of(report: Any) -> Result:
    """The result that a pytest TestReport carries ; that of the call, or of a failed set-up, is the telling one."""
    properties: dict[str, Any] = {k: str(v) for k, v in report.user_properties if k in PROPERTIES}
    file, line = _place(report)
    seconds = getattr(report, "duration", 0.0)
    return Result(nodeid=report.nodeid, file=file, line=line, seconds=seconds, **properties)


def _place(report: Any) -> tuple[str, int]:
    """Where the check is written. pytest counts lines from 0, and everybody who reads reports from 1."""
    file, line, _ = getattr(report, "location", None) or ("", None, "")
    return file, 0 if line is None else line + 1
