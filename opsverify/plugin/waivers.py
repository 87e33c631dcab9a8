"""Waivers: known failures that somebody answers for until a date.

An active waiver turns the failure that it names into "waived". Whether a waiver is still needed is decided when the
run has judged all that it covers: one that expired, or that hid nothing although everything it covers was judged, is
a failure of its own. All waivers of the file are listed in every report, with what became of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from opsverify.config.environment import Waiver
from opsverify.config.items import Item
from opsverify.config.loading import Loaded
from opsverify.plugin.failures import reports_of_failure
from opsverify.plugin.state import RUN, Case, Run
from opsverify.reporting.results import Outcome, Result, waiver_text
from opsverify.reporting.text import printable
from opsverify.reporting.words import Words

_UNDECIDED = (Outcome.UNDETERMINED, Outcome.BLOCKED, Outcome.BROKEN)


def waiver_of(case: Case, now: datetime) -> Waiver | None:
    """The active waiver that covers a check of a target, the one that lasts longest."""
    name = case.target.name if case.target else None
    waivers = [w for w in case.environment.waivers if w.check == case.item.id and w.covers(name)]
    return max((w for w in waivers if w.expires > now), key=lambda waiver: waiver.expires, default=None)


def waived(waiver: Waiver) -> str:
    """Who answers for it, until when and why."""
    until = waiver.expires.astimezone(UTC)
    return f"waived by {waiver.owner} until {until:%Y-%m-%d %H:%M} UTC: {waiver.reason}"


def terms(waiver: Waiver, clean: Callable[[str], str]) -> str:
    """The same for machines, as results carry it. Each part is cleaned by itself: the whole must stay JSON."""
    until = waiver.expires.isoformat(timespec="seconds")
    return waiver_text(printable(clean(waiver.owner), 200), until, printable(clean(waiver.reason), 1500))


@dataclass(frozen=True)
class State:
    """What became of one waiver in a run; `problem` is why it is a failure itself, "" where it is none."""

    environment: str
    waiver: Waiver
    item: Item
    what: str
    problem: str = ""

    @property
    def name(self) -> str:
        """What it covers: `disk-usage[app1]`, or `disk-usage` where it covers all targets."""
        return f"{self.waiver.check}[{self.waiver.target}]" if self.waiver.target else self.waiver.check


def state_of(loaded: Loaded, waiver: Waiver, results: Iterable[Result], now: datetime) -> State:
    """What became of a waiver, by the results of the checks that it covers. Pure."""
    covered = [
        result.outcome
        for result in results
        if result.environment == loaded.environment.name
        and result.runbook == waiver.check
        and waiver.covers(result.target)
    ]
    item = loaded.items[waiver.check]

    def state(what: str, problem: str = "") -> State:
        return State(loaded.environment.name, waiver, item, what, problem)

    if not any(outcome is not Outcome.NOT_APPLICABLE for outcome in covered):
        return state("not looked at in this run")
    if waiver.expires <= now:
        return state("expired", f"the waiver has expired, renew or remove it ({waived(waiver)})")
    hidden = covered.count(Outcome.WAIVED)
    if hidden:
        return state(f"hides {hidden} failure{'s' if hidden > 1 else ''}")
    if any(outcome in _UNDECIDED for outcome in covered):
        return state("whether it is needed could not be determined")
    return state("hides nothing", f"the waiver hides nothing, remove it ({waived(waiver)})")


def states(run: Run, results: Iterable[Result]) -> list[State]:
    """What became of every waiver of the run's environments."""
    run_results = list(results)
    return [
        state_of(loaded, waiver, run_results, run.now)
        for loaded in run.environments
        for waiver in loaded.environment.waivers
    ]


def waivers_table(run: Run, words: Words, results: Iterable[Result]) -> str:
    """Every waiver of the environments with what became of it, as HTML."""
    from opsverify.reporting.html import table

    rows = [
        (
            state.name,
            state.what,
            str((state.waiver.expires - run.now).days),
            run.redactor.clean(waived(state.waiver)),
        )
        for state in states(run, results)
    ]
    return table((words("waiver"), words("in this run"), words("days left"), words("terms")), rows)


def pytest_sessionstart(session: pytest.Session) -> None:
    from _pytest.junitxml import xml_key

    log, run = session.config.stash.get(xml_key, None), session.config.stash.get(RUN, None)
    if log is None or run is None:
        return
    for state in states(run, ()):
        log.add_global_property("waiver", run.redactor.printable(f"{state.name} {waived(state.waiver)}", 2000))


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    config = session.config
    results = config.pluginmanager.get_plugin("opsverify-results")
    if results is None or RUN not in config.stash or config.option.collectonly or session.shouldstop:
        return
    run = config.stash[RUN]
    for number, state in enumerate(states(run, results.all())):
        if state.problem:
            for report in _reports(run, state, number):
                config.hook.pytest_runtest_logreport(report=report)


def _reports(run: Run, state: State, number: int) -> Iterator[pytest.TestReport]:
    """The reports of a failed test that stands for a waiver, so that every report and the exit code know of it."""
    name = f"waiver {state.name}"
    nodeid = f"environments/{state.environment}.yaml::{name} ({number + 1})"
    sentence = run.redactor.printable(state.problem, 2000)
    properties: list[tuple[str, Any]] = [
        ("runbook", f"waiver-of-{state.waiver.check}"),
        ("environment", state.environment),
        ("target", state.waiver.target or ""),
        ("title", state.item.title.en),
        ("severity", state.item.severity.value),
        ("schedule", " ".join(state.item.schedule)),
        ("source", " ".join(state.item.source)),
        ("verdict", Outcome.ALERT.value),
        ("observed", sentence),
        ("expected", "a waiver that is still needed, and has not expired"),
        ("unit", ""),
        ("sentence", sentence),
        ("action", "Edit the waiver in the environment file."),
    ]
    yield from reports_of_failure(f"environments/{state.environment}.yaml", name, nodeid, properties, sentence)


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    results = config.pluginmanager.get_plugin("opsverify-results")
    if results is None or RUN not in config.stash:
        return
    for state in states(config.stash[RUN], results.all()):
        line = f"Waiver {state.name}: {state.what} ({waived(state.waiver)})"
        terminalreporter.write_line(config.stash[RUN].redactor.printable(line, 2000))
