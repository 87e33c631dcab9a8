"""`--json FILE`: a whole run for machines. The models below are the format; `run.schema.json` is generated from them.

Source: JSON Schema 2020-12 (json-schema.org), date-time as RFC 3339 has it. Everything that a target says is redacted
and printable already, as in every other report.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from opsverify import __version__
from opsverify.config.items import Severity
from opsverify.reporting.change import State
from opsverify.reporting.digest import counts
from opsverify.reporting.finished import FinishedRun
from opsverify.reporting.results import Outcome, Result

FORMAT_VERSION: Literal[1] = 1
"""Goes up when a field goes, or means something else. Fields that are added leave it: readers skip what is new."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, json_schema_serialization_defaults_required=True)


class Limits(_Part):
    """Of the band that judged a figure: normal strictly short of `warning`, an alert strictly past `alert`."""

    warning: float = Field(description="Where normal ends, in `unit`.")
    alert: float = Field(description="Behind this an alert begins, in `unit`.")
    worse: Literal["above", "below"] = Field(description="Which way is past: disk usage is worse above its limits.")


class Measurement(_Part):
    """A figure that was judged, or is remembered for later runs."""

    about: str = Field(description='What it is about, "/var"; empty where a check has but one.')
    value: float = Field(description="In `unit` where the check has limits.")


class WaiverTerms(_Part):
    """Who answers for a known failure."""

    owner: str = Field(description="Who answers for it.")
    expires: datetime = Field(description="From then on the failure counts again.")
    reason: str = Field(description="Why it is accepted until then.")


class CheckResult(_Part):
    """One check of one target. Unique by `nodeid`."""

    check: str | None = Field(
        description="The check's id, `disk-usage`; `waiver-of-…` for a waiver that must go; null for what is no check: "
        "a file that could not be read, an internal error. Such a result is `broken`."
    )
    nodeid: str = Field(description="As pytest calls it: `checks/test_resources.py::test_disk_usage[app1]`.")
    file: str | None = Field(description="Where the check is written, relative to the project's folder.")
    line: int | None = Field(ge=1, description="In `file`, counted from 1.")
    environment: str | None = Field(description="The environment's name.")
    target: str | None = Field(description="The target's name, `app1`; null where the check has none.")
    target_kind: str | None = Field(description="The key in the environment file under which it stands: `hosts`.")
    title: str = Field(description="What is promised, in the run's language.")
    severity: Severity | None = Field(description="How soon somebody must respond to a failure.")
    schedule: list[str] = Field(description="When the check runs: smoke, daily, weekly, monthly, drill, stopped.")
    source: list[str] = Field(description="The runbook's chapters that promise it, by their short names.")
    verdict: Outcome = Field(
        description="normal: the promise holds. warning: between the limits. alert: it is broken. undetermined: it "
        "could not be found out. blocked: the target did not answer. broken: the check itself failed. waived: a known "
        "failure. not applicable: it does not exist here."
    )
    failed: bool = Field(description="Whether a person must act: alert, undetermined, blocked or broken.")
    observed: str = Field(description="What was found, for people; empty where nothing was.")
    expected: str = Field(description="What should have been, for people.")
    value: float | None = Field(description="The figure that decided, in `unit`; null where the check is a yes or no.")
    unit: str = Field(description='Of `value`, `limits` and `measurements`: "%", "ms", "days"; empty for a count.')
    limits: Limits | None = Field(description="Null where the check is a yes or no.")
    measurements: list[Measurement] = Field(description="Every figure, as many as fit in 3,900 characters.")
    sentence: str = Field(description="Why it did not pass, was skipped or waived; empty when normal.")
    cause: str | None = Field(description="What kept it from an answer; equal for all checks with the same cause.")
    action: str = Field(description="What to do when it fails, in the run's language.")
    state: State | None = Field(
        description="Beside the last run that judged it: new, worse, known, or recovered (normal again). Null where "
        "that is not known, or there is nothing to tell."
    )
    since: datetime | None = Field(description="When the first run of the unbroken row of those that found it began.")
    maintenance: str | None = Field(
        description="The maintenance window in which it was expected to fail, so that nobody was notified."
    )
    respond_by: datetime | None = Field(description="By when somebody must respond; null where nobody must.")
    waiver: WaiverTerms | None = Field(description="Where the verdict is `waived`, by which waiver.")
    seconds: float = Field(ge=0, description="The judgement alone; what the evidence took is not in it.")


class Counts(_Part):
    """How many results of each verdict."""

    total: int = Field(ge=0, description="All of `results`.")
    by_verdict: dict[Outcome, Annotated[int, Field(ge=0)]] = Field(description="Every verdict is a key.")


class RunDocument(_Part):
    """A run of the operational verification suite."""

    format_version: Literal[1] = Field(
        description="Goes up when a field goes, or means something else. Fields may be added: skip what is not known."
    )
    suite_version: str = Field(description="The version of opsverify that made the run.")
    environments: list[str] = Field(min_length=1, description="The names of the environments that were verified.")
    title: str = Field(description="What people call them, with the slot.")
    slot: str | None = Field(description="What `--slot` said; null for the active slot.")
    selection: str | None = Field(description="What `-m` said, `daily`; null for all checks.")
    revision: str | None = Field(description="The commit that was meant to be deployed, where `--revision` said it.")
    language: Literal["en", "ja"] = Field(description="Of titles and actions.")
    started: datetime = Field(description="UTC.")
    ended: datetime = Field(description="UTC: `started` and `seconds`, whatever happened to the clock.")
    seconds: float = Field(ge=0, description="How long the run took.")
    exit_code: int = Field(
        ge=0,
        le=5,
        description="0: nothing decides against the system. 1: something does, or a report could not be written. "
        "2: interrupted. 3: internal error. 4: usage error. 5: nothing was judged.",
    )
    complete: bool = Field(description="Whether the run got to its end: if not, checks are missing from `results`.")
    incomplete_reason: str | None = Field(description="Why it did not.")
    counts: Counts = Field(description="What the results come to.")
    results: list[CheckResult] = Field(description="Worst first.")


def text(run: FinishedRun) -> str:
    """The content of the file."""
    return document(run).model_dump_json(indent=1) + "\n"


def document(run: FinishedRun) -> RunDocument:
    """The run as the schema has it."""
    heading = run.heading
    return RunDocument(
        format_version=FORMAT_VERSION,
        suite_version=__version__,
        environments=heading.environments,
        title=heading.label,
        slot=heading.slot or None,
        selection=heading.selection or None,
        revision=heading.revision or None,
        language="ja" if heading.language == "ja" else "en",
        started=run.started,
        ended=run.ended,
        seconds=round(run.seconds, 3),
        exit_code=run.exit_code,
        complete=not run.partial,
        incomplete_reason=run.stopped or None,
        counts=Counts(
            total=len(run.results),
            by_verdict=counts(run.results),
        ),
        results=[_check_result(result) for result in run.results],
    )


def schema() -> dict[str, Any]:
    """The JSON Schema of the file. It allows fields that it does not know: those of later versions of the suite."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **RunDocument.model_json_schema(mode="serialization"),
    }


def _check_result(result: Result) -> CheckResult:
    bounds = result.bounds
    return CheckResult(
        check=result.runbook or None,
        nodeid=result.nodeid,
        file=result.file or None,
        line=result.line or None,
        environment=result.environment or None,
        target=result.target or None,
        target_kind=result.target_kind or None,
        title=result.title,
        severity=Severity(result.severity) if result.runbook else None,
        schedule=result.schedule.split(),
        source=result.source.split(),
        verdict=result.outcome,
        failed=result.outcome.failed,
        observed=result.observed,
        expected=result.expected,
        value=float(result.value) if result.value else None,
        unit=result.unit,
        limits=Limits(warning=bounds.warning, alert=bounds.alert, worse=bounds.worse) if bounds else None,
        measurements=[Measurement(about=about, value=value) for about, value in result.figures.items()],
        sentence=result.sentence,
        cause=result.cause or None,
        action=result.action,
        state=result.change.state if result.change else None,
        since=datetime.fromisoformat(result.change.since) if result.change and result.change.since else None,
        maintenance=result.maintenance or None,
        respond_by=datetime.fromisoformat(result.respond_by) if result.respond_by else None,
        waiver=_waiver(result.terms) if result.terms else None,
        seconds=round(result.seconds, 3),
    )


def _waiver(terms: Mapping[str, str]) -> WaiverTerms:
    return WaiverTerms(owner=terms["owner"], expires=datetime.fromisoformat(terms["expires"]), reason=terms["reason"])
