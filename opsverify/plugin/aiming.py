"""One test per check and target. Nothing is contacted: ids, marks and properties come from the files alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from opsverify import selection, slots
from opsverify.errors import NotApplicable
from opsverify.loading import Loaded
from opsverify.nouns import NOUNS, Noun
from opsverify.plugin.state import AIM, RUN, Aim, Run, is_worker
from opsverify.results import record

UNASKED = pytest.StashKey[list[str]]()
"""The schedule of each check that was left out because the run did not name it."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    mark = metafunc.definition.get_closest_marker("runbook")
    if mark is None or RUN not in metafunc.config.stash:  # no run: somebody lists fixtures
        return
    run = metafunc.config.stash[RUN]
    nouns = [NOUNS[name] for name in metafunc.fixturenames if name in NOUNS]
    aims: list[Any] = []
    for loaded in run.environments:
        aims += _aims(run, loaded, mark.args[0], nouns, metafunc.definition.nodeid)
    only = mark.kwargs.get("only")
    run.mistakes += [
        f"{metafunc.definition.nodeid}: found only={only!r}, allowed {', '.join(aim.item.schedule)}"
        for aim in aims
        if only is not None and only not in aim.item.schedule
    ]
    prefix = len(run.environments) > 1
    ids = []
    for aim in aims:
        name = aim.target.name if aim.target else "not-applicable"
        ids.append(f"{aim.environment.name}:{name}" if prefix else name)
    if "target" not in metafunc.fixturenames:
        metafunc.fixturenames.append("target")
    metafunc.parametrize("target", aims, ids=ids, indirect=True)


def _aims(run: Run, loaded: Loaded, item_id: str, nouns: list[Noun], nodeid: str) -> Iterator[Aim]:
    environment = loaded.environment
    item = loaded.items.get(item_id)
    if item is None:
        run.mistakes.append(f"{nodeid}: found @runbook({item_id!r}), allowed an id from checks/runbook.yaml")
        return
    kinds = {noun.kind for noun in nouns}
    if len(kinds) != 1:
        found = sorted(kinds) or "no kind"
        run.mistakes.append(f"{nodeid}: found nouns of {found}, allowed nouns of one kind of target")
        return
    kind = kinds.pop()
    excused = environment.not_applicable
    excuse = excused.get(f"{item_id}:{kind}") or excused.get(item_id) or excused.get(kind)
    if excuse:
        yield Aim(loaded, item, None, excuse)
        return
    among = next((noun.among for noun in nouns if noun.among is not slots.named), slots.named)
    try:
        targets = among(environment, kind, run.slot)
    except NotApplicable as reason:
        yield Aim(loaded, item, None, str(reason))
        return
    chosen = [t for t in targets if all(noun.where is None or noun.where(t) for noun in nouns)]
    if not chosen:
        missing = next((noun.missing for noun in nouns if noun.missing), kind)
        slot = f" in slot {run.slot}" if run.slot else ""
        run.mistakes.append(
            f"{loaded.path}: {item_id}: found no {missing}{slot} to check, "
            f"allowed at least one, or a reason under not_applicable.{item_id}"
        )
    for target in chosen:
        yield Aim(loaded, item, target)


def pytest_itemcollected(item: pytest.Item) -> None:
    aim = getattr(item, "callspec", None) and item.callspec.params.get("target")  # type: ignore[attr-defined]
    if not isinstance(aim, Aim):
        return
    item.stash[AIM] = aim
    language = item.config.option.language or aim.environment.language
    only = _only(item)
    schedules = (only,) if only else aim.item.schedule
    for schedule in schedules:
        item.add_marker(schedule)
    item.add_marker(aim.item.severity.value)
    record(
        item,
        runbook=aim.item.id,
        environment=aim.environment.name,
        target=aim.target.name if aim.target else "",
        target_kind=aim.target.kind if aim.target else "",
        title=aim.item.title.in_language(language),
        action=aim.item.action.in_language(language),
        severity=aim.item.severity.value,
        schedule=" ".join(schedules),
        source=" ".join(aim.item.source),
        observed="",
        expected=str(aim.item.band or ""),
        unit=aim.item.band.unit if aim.item.band else "",
    )
    if aim.excuse:
        item.add_marker(pytest.mark.skip(reason=f"not applicable here: {aim.excuse}"))
    item.extra_keyword_matches.add(aim.item.id)  # -k takes what the report calls it


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
