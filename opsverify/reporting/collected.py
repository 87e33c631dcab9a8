"""Gathers the reports of a run into results, in the process that reports: xdist's controller, or the only one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from opsverify.reporting.change import Change, Past
from opsverify.reporting.digest import worst_first
from opsverify.reporting.results import Outcome, Result, result_of
from opsverify.reporting.text import printable

_MOST_CHARACTERS = 4000

UNFINISHED = "the run ended before this check was judged"
"""Why a check is undetermined of which nothing was found out, not even that it fails."""


def explanation(report: Any) -> str:
    """The one sentence in a report's longrepr, whichever of its many shapes that has."""
    longrepr = getattr(report, "longrepr", None)
    if longrepr is None:
        return ""
    if isinstance(longrepr, tuple):
        return printable(str(longrepr[2]).removeprefix("Skipped: "))
    crash = getattr(longrepr, "reprcrash", None)
    text = str(crash.message) if crash is not None else str(longrepr)
    return printable(text)


def result_from(report: Any, earlier: Iterable[tuple[str, object]] = ()) -> Result:
    """The result that a report of any phase stands for.

    Neither pytest's word nor the check's is trusted alone: the worse of both counts, so that a failed report never
    shows as normal because the verdict was written before something broke. `earlier` are the properties of
    previous phases, for a report that lost its own (a worker that died).
    """
    kept = dict(earlier)
    kept.update(report.user_properties)
    # Cleaned where they were written; done again, since one missed place must not cost a report that cannot be written.
    safe = [(name, printable(str(value), _MOST_CHARACTERS)) for name, value in kept.items()]
    location = getattr(report, "location", None)
    result = result_of(_Report(printable(report.nodeid), safe, getattr(report, "duration", 0.0), location))
    has_verdict = "verdict" in kept
    try:
        outcome = result.outcome
    except ValueError:
        outcome = Outcome.BROKEN
    if report.failed:
        if not has_verdict or not outcome.failed:
            return replace(result, verdict=Outcome.BROKEN.value, sentence=_broken(report))
        return result if result.sentence else replace(result, sentence=explanation(report))
    if report.skipped:
        waived = hasattr(report, "wasxfail")
        sentence = str(report.wasxfail).removeprefix("reason: ") if waived else explanation(report)
        verdict = Outcome.WAIVED if waived else Outcome.NOT_APPLICABLE
        return replace(result, verdict=verdict.value, sentence=result.sentence or printable(sentence))
    if outcome in (Outcome.WAIVED, Outcome.NOT_APPLICABLE):
        return replace(result, verdict=Outcome.BROKEN.value, sentence=f"passed, yet says {outcome.value}")
    if not has_verdict:
        if not result.runbook:
            return replace(result, verdict=Outcome.NORMAL.value)
        return replace(result, verdict=Outcome.BROKEN.value, sentence="the check passed without judging anything")
    return replace(result, verdict=outcome.value)


def _broken(report: Any) -> str:
    text = explanation(report)
    return f"{text} (in the teardown)" if report.when == "teardown" else text


@dataclass(frozen=True)
class _Report:
    nodeid: str
    user_properties: Sequence[tuple[str, str]]
    duration: float
    location: tuple[str, int | None, str] | None = None


@dataclass
class _Seen:
    """What is known of one node id so far."""

    properties: dict[str, object] = field(default_factory=dict)
    result: Result | None = None
    finished: bool = False


class Results:
    """Plugin object that turns reports into results. Register it where reports arrive, never on an xdist worker."""

    def __init__(self) -> None:
        self._seen: dict[str, _Seen] = {}
        self._others: dict[str, Result] = {}
        self._stopped = ""
        self.compare: Callable[[Result], Change | None] | None = None
        """What is different about a result since earlier runs; set when that is known, before reports are written."""
        self.maintenance: dict[str, str] = {}
        """By node id: the window in which a failure is expected; filled before reports are written."""
        self.look_back: Callable[[Sequence[Result]], Mapping[str, Past]] | None = None
        """How results ended before, by node id; figures of the first ones only, where they are many."""

    def all(self) -> list[Result]:
        """One result per check and target, worst first."""
        finished = [seen.result or _unfinished(nodeid, seen) for nodeid, seen in self._seen.items()]
        results = worst_first([*finished, *self._others.values()])
        return [self._known(result) for result in results]

    def _known(self, result: Result) -> Result:
        change = self.compare(result) if self.compare else None
        maintenance = self.maintenance.get(result.nodeid, "")
        return replace(result, change=change, maintenance=maintenance) if change or maintenance else result

    def of(self, report: Any) -> Result:
        """The result that one report stands for, with what earlier phases of its test are known to have said."""
        if report.nodeid in self._others:
            return self._others[report.nodeid]
        seen = self._seen.get(report.nodeid)
        return result_from(report, seen.properties.items() if seen else ())

    @property
    def stopped(self) -> str:
        """Why this run did not get to its end, as a sentence; empty when it did."""
        return self._stopped

    @property
    def partial(self) -> bool:
        """Whether checks that were asked for are missing."""
        return bool(self._stopped)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        seen = self._seen.get(report.nodeid)
        if seen is None or (report.when == "setup" and seen.finished):
            seen = self._seen[report.nodeid] = _Seen()  # a rerun replaces what was before it
        if report.outcome == "rerun":  # type: ignore[comparison-overlap]
            self._seen[report.nodeid] = _Seen(properties=dict(report.user_properties))
            return
        telling = (
            report.when == "call"
            or (report.when == "setup" and not report.passed)
            or (report.when == "teardown" and report.failed)
            or report.when not in ("setup", "call", "teardown")  # xdist's "???": the worker died
        )
        if telling:
            result = result_from(report, seen.properties.items())
            # What failed already keeps its sentence; a teardown that fails too adds nothing a person acts on.
            if seen.result is None or not seen.result.outcome.failed:
                seen.result = result
        seen.properties.update(report.user_properties)
        seen.finished = seen.finished or report.when != "setup"

    @pytest.hookimpl(tryfirst=True)
    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            last = str(report.longrepr or "").strip().splitlines()[-1:]
            text = printable("".join(last)).removeprefix("E ").strip()
            self._others[report.nodeid] = Result(
                nodeid=report.nodeid or "collection",
                file=report.nodeid,
                sentence=f"could not be collected: {text}",
            )

    @pytest.hookimpl(tryfirst=True)
    def pytest_internalerror(self, excrepr: Any) -> None:
        text = printable("".join(str(excrepr).splitlines()[-1:]))
        self._others["internal error"] = Result(nodeid="internal error", sentence=text)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        self._stopped = stopped(session, exitstatus)


def stopped(session: Any, exitstatus: int) -> str:
    """Why a session ended before its end, as a sentence; empty when it did not."""
    if exitstatus == pytest.ExitCode.INTERRUPTED:
        return f"the run was interrupted ({session.shouldstop})" if session.shouldstop else "the run was interrupted"
    if exitstatus == pytest.ExitCode.INTERNAL_ERROR:
        return "the run broke off with an internal error"
    early = session.shouldfail or session.shouldstop
    return f"the run stopped early: {printable(str(early))}" if early else ""


def _unfinished(nodeid: str, seen: _Seen) -> Result:
    properties = [(k, printable(str(v))) for k, v in seen.properties.items() if k not in ("verdict", "sentence")]
    result = result_of(_Report(printable(nodeid), properties, 0.0))
    return replace(result, verdict=Outcome.UNDETERMINED.value, sentence=UNFINISHED)
