"""One test per check and target. Nothing is contacted: ids, marks and properties come from the files alone."""

from __future__ import annotations

from typing import Any

import pytest

from opsverify.config.advice import advice
from opsverify.facts.registry import FACTS
from opsverify.plugin import selection
from opsverify.plugin.declared import declared_at
from opsverify.plugin.meeting import meet
from opsverify.plugin.state import CASE, RUN, Case, is_worker
from opsverify.reporting.results import limits_text, record

UNASKED = pytest.StashKey[list[str]]()
"""The schedule of each check that was left out because the run did not name it."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    mark = metafunc.definition.get_closest_marker("runbook")
    if mark is None or RUN not in metafunc.config.stash:  # no run: somebody lists fixtures
        return
    run = metafunc.config.stash[RUN]
    facts = [FACTS[name] for name in metafunc.fixturenames if name in FACTS]
    cases: list[Any] = []
    for loaded in run.environments:
        meeting = meet(loaded, mark.args[0], facts, run.slot, metafunc.definition.nodeid)
        cases += meeting.cases
        run.mistakes += meeting.mistakes
    only = mark.kwargs.get("only")
    run.mistakes += [
        f"{metafunc.definition.nodeid}: found only={only!r}, allowed {', '.join(case.item.schedule)}"
        for case in cases
        if only is not None and only not in case.item.schedule
    ]
    prefix = len(run.environments) > 1
    ids = []
    for case in cases:
        name = case.target.name if case.target else "not-applicable"
        ids.append(f"{case.environment.name}:{name}" if prefix else name)
    if "target" not in metafunc.fixturenames:
        metafunc.fixturenames.append("target")
    metafunc.parametrize("target", cases, ids=ids, indirect=True)


def pytest_itemcollected(item: pytest.Item) -> None:
    case = getattr(item, "callspec", None) and item.callspec.params.get("target")  # type: ignore[attr-defined]
    if not isinstance(case, Case):
        return
    item.stash[CASE] = case
    place = declared_at(getattr(item, "function", None))
    if place is not None:  # reports lead to what was written, not to what made a function of it
        item.location = (str(place[0].relative_to(item.config.rootpath)), place[1], item.location[2])
    language = item.config.option.language or case.environment.language
    only = _only(item)
    schedules = (only,) if only else case.item.schedule
    for schedule in schedules:
        item.add_marker(schedule)
    item.add_marker(case.item.severity.value)
    record(
        item,
        runbook=case.item.id,
        environment=case.environment.name,
        target=case.target.name if case.target else "",
        target_kind=case.target.kind if case.target else "",
        title=case.item.title.in_language(language),
        action=advice(case.item.action.in_language(language), case.environment, case.target, language),
        severity=case.item.severity.value,
        schedule=" ".join(schedules),
        source=" ".join(case.item.source),
        observed="",
        expected=str(case.item.band or ""),
        unit=case.item.band.unit if case.item.band else "",
        limits=limits_text(*case.item.band.limits, case.item.band.worse) if case.item.band else "",
    )
    if case.excuse:
        item.add_marker(pytest.mark.skip(reason=f"not applicable here: {case.excuse}"))
    item.extra_keyword_matches.add(case.item.id)  # -k takes what the report calls it


@pytest.hookimpl(trylast=True)  # after -k and -m: what they leave out was not asked for either, and needs no telling
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if RUN in config.stash and config.stash[RUN].mistakes:
        raise pytest.UsageError("\n".join(dict.fromkeys(config.stash[RUN].mistakes)))
    unasked = [item for item in items if not selection.asked_for(_only(item), config.option.markexpr)]
    if unasked:
        config.hook.pytest_deselected(items=unasked)
        config.stash[UNASKED] = [str(_only(item)) for item in unasked]
        items[:] = [item for item in items if item not in unasked]


def _only(item: pytest.Item) -> str | None:
    """The one schedule that a check wants to be asked for by, where it does."""
    mark = item.get_closest_marker("runbook")
    only: str | None = mark.kwargs.get("only") if mark else None
    return only


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """xdist: every worker collects the same, so that what one of them left out is what the run left out."""
    node.config.stash[UNASKED] = getattr(node, "workeroutput", {}).get("opsverify_unasked", [])


def pytest_sessionfinish(session: pytest.Session) -> None:
    if is_worker(session.config):
        output: dict[str, Any] = session.config.workeroutput  # type: ignore[attr-defined]
        output["opsverify_unasked"] = session.config.stash.get(UNASKED, [])


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    unasked = config.stash.get(UNASKED, [])
    if unasked:
        counts = ", ".join(f"{unasked.count(name)} of -m {name}" for name in sorted(set(unasked)))
        terminalreporter.write_line(f"Left out, as they run only when asked for: {counts}")
