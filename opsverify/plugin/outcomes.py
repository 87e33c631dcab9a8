"""What becomes of a check: its outcome, told in one sentence, printable and without secrets."""

from __future__ import annotations

from collections.abc import Generator
from datetime import UTC, datetime
from types import TracebackType
from typing import Any

import pytest

from opsverify.config.bands import Verdict
from opsverify.config.deadlines import respond_by
from opsverify.errors import NotApplicable, ProbeError, Unreachable
from opsverify.judgements.expect import Expect, NothingJudged, PromiseBroken
from opsverify.plugin.state import CASE, RUN, Case
from opsverify.plugin.waivers import terms, waived, waiver_of
from opsverify.reporting.results import Outcome, figures_text, record
from opsverify.reporting.text import printable, printable_block


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, Any, Any]:
    try:
        result = yield
    except NotApplicable as error:  # said by the check itself: there is nothing yet that could be judged
        if getattr(pyfuncitem.funcargs.get("expect"), "findings", None):
            raise
        pytest.skip(str(error))
    except ProbeError as error:  # what was found wrong before it counts more than what could not be found out
        alerts = _alerts(pyfuncitem)
        if not alerts:
            raise
        raise PromiseBroken("; ".join([*alerts, f"moreover, {error}"])) from None
    if CASE in pyfuncitem.stash:
        expect = pyfuncitem.funcargs.get("expect")
        if not isinstance(expect, Expect):
            raise NothingJudged(f"{pyfuncitem.name} takes no `expect`: it judged nothing")
        expect.conclude()
    return result


def _alerts(item: pytest.Function) -> list[str]:
    expect = item.funcargs.get("expect")
    return expect.sentences(Verdict.ALERT) if isinstance(expect, Expect) else []


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    error = call.excinfo.value if call.excinfo else None
    if CASE in item.stash and isinstance(error, (PromiseBroken, ProbeError)):
        # pytest would build a traceback, at many times the cost of the check, that nobody is shown.
        untraced = pytest.fail.Exception(str(error), pytrace=False)
        call.excinfo = pytest.ExceptionInfo.from_exc_info((type(untraced), untraced, _last(error.__traceback__)))
    report = yield
    run = item.config.stash.get(RUN, None)
    if run is None:
        return report
    clean = run.redactor.clean
    report.sections = [(name, printable_block(clean(text))) for name, text in report.sections]
    if CASE in item.stash:
        values = _outcome_of(item, error, report)
        waiver = waiver_of(item.stash[CASE], run.now)
        if waiver and values.get("verdict") == Outcome.ALERT.value:
            # What pytest itself makes of an expected failure: every reporter knows how to show it.
            report.outcome, report.wasxfail = "skipped", waived(waiver)
            values |= {"verdict": Outcome.WAIVED.value, "sentence": f"{waived(waiver)}; {values['sentence']}"}
        if values:
            record(item, **{name: printable(clean(text), limit=2000) for name, text in values.items()})
            record(item, respond_by=_due(item.stash[CASE], values["verdict"]))
            record(item, waiver=terms(waiver, clean) if waiver and hasattr(report, "wasxfail") else "")
            if report.when == "call":
                record(item, measurements=_figures(item, clean))
            report.user_properties = list(item.user_properties)
    if (report.failed or hasattr(report, "wasxfail")) and report.longrepr is not None:
        report.longrepr = _told(item, call, error, report, clean)
    return report


def _due(case: Case, verdict: str) -> str:
    """By when somebody must respond, ISO 8601 with offset; "" where nobody must."""
    if not Outcome(verdict).failed:
        return ""
    environment = case.environment
    due = respond_by(case.item.severity, datetime.now(UTC), environment.country, environment.timezone)
    return due.isoformat(timespec="seconds")


def _figures(item: pytest.Item, clean: Any) -> str:
    """What the check measured. Each name is cleaned by itself: the whole must stay JSON."""
    expect = getattr(item, "funcargs", {}).get("expect")
    if not isinstance(expect, Expect):
        return ""
    return figures_text((printable(clean(about), limit=100), value) for about, value in expect.measurements.items())


def _last(trace: TracebackType | None) -> Any:
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return trace


def _outcome_of(item: pytest.Item, error: BaseException | None, report: pytest.TestReport) -> dict[str, str]:
    """The properties that this phase of a check settles; empty where it settles nothing."""
    expect = getattr(item, "funcargs", {}).get("expect")
    seen: dict[str, str] = {}
    if report.when == "call" and isinstance(expect, Expect) and expect.findings:
        worst = expect.worst
        alike = expect.sentences(worst.verdict)
        seen = {"observed": worst.observed, "expected": worst.expected, "unit": worst.unit}
        if worst.value is not None:
            seen["value"] = repr(worst.value)
        if worst.verdict is not Verdict.NORMAL:
            seen["sentence"] = "; ".join(alike)
    if report.skipped:
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        return {"verdict": Outcome.NOT_APPLICABLE.value, "sentence": reason.removeprefix("Skipped: ")}
    if report.passed:
        if report.when != "call":
            return {}
        worst_verdict = expect.worst.verdict if isinstance(expect, Expect) else Verdict.NORMAL
        return {**seen, "verdict": worst_verdict.value}
    if isinstance(error, PromiseBroken):
        return {**seen, "verdict": Outcome.ALERT.value, "sentence": str(error)}
    if isinstance(error, ProbeError):
        blocked = error.cause is not None and isinstance(error, Unreachable)
        cause = f"{error.cause.target}: {error.cause.message}" if error.cause else ""
        verdict = Outcome.BLOCKED if blocked else Outcome.UNDETERMINED
        return {"verdict": verdict.value, "sentence": cause or str(error), "cause": cause, "observed": str(error)}
    where = f"{type(error).__name__}: {error}" if isinstance(error, NothingJudged) else type(error).__name__
    sentence = f"the check itself broke ({where}), run it with --tb=short"
    return {**seen, "verdict": Outcome.BROKEN.value, "sentence": sentence}


def _told(
    item: pytest.Item, call: pytest.CallInfo[None], error: BaseException | None, report: pytest.TestReport, clean: Any
) -> str:
    """What a failure says: one sentence for what we know, a redacted traceback for a bug of the suite."""
    properties = dict(item.user_properties)
    if CASE in item.stash and (error is None or isinstance(error, (PromiseBroken, ProbeError))):
        text = str(properties.get("sentence", ""))
        action = str(properties.get("action", ""))
        return f"{text} → {action}" if error is None or isinstance(error, PromiseBroken) else text
    return printable_block(clean(str(call.excinfo.getrepr(style="short") if call.excinfo else report.longrepr)))
