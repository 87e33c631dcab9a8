"""Checks meet targets: which targets of an environment a check is for, or why for none. Nothing is contacted."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from opsverify.config import slots
from opsverify.config.environment import KINDS, excuse_of
from opsverify.config.loading import Loaded
from opsverify.errors import NotApplicable
from opsverify.facts.registry import FACTS, Fact
from opsverify.plugin.state import Case
from opsverify.reporting.traceability import Check


@dataclass
class Meeting:
    """What came of it: the cases, and what is wrong."""

    cases: list[Case] = field(default_factory=list)
    mistakes: list[str] = field(default_factory=list)


def meet(loaded: Loaded, item_id: str, facts: Sequence[Fact], slot: str | None, nodeid: str) -> Meeting:
    """The cases of a check that takes these facts, of the item, in an environment: one for each target of the slot."""
    meeting = Meeting()
    meeting.cases = list(_cases(loaded, item_id, facts, slot, nodeid, meeting.mistakes))
    return meeting


def unmet(loaded: Loaded, checks: Iterable[Check], slot: str | None, incomplete: Collection[str]) -> Iterator[str]:
    """What all these checks miss in an environment, of kinds that are listed and not `incomplete`: the rest is told."""
    for check in checks:
        facts = [FACTS[name] for name in check.arguments if name in FACTS]
        kinds = {fact.kind for fact in facts}
        listed = all(getattr(loaded.environment, kind) for kind in kinds)
        if check.item in loaded.items and len(kinds) == 1 and listed and not kinds & set(incomplete):
            yield from meet(loaded, check.item, facts, slot, check.nodeid).mistakes


def _cases(
    loaded: Loaded, item_id: str, facts: Sequence[Fact], run_slot: str | None, nodeid: str, mistakes: list[str]
) -> Iterator[Case]:
    environment = loaded.environment
    item = loaded.items.get(item_id)
    if item is None:
        mistakes.append(f"{nodeid}: found @runbook({item_id!r}), allowed an id from checks/runbook.yaml")
        return
    kinds = {fact.kind for fact in facts}
    if len(kinds) != 1:
        names = sorted(kinds) or "no kind"
        mistakes.append(f"{nodeid}: found facts of {names}, allowed facts of one kind of target")
        return
    kind = kinds.pop()
    excused = environment.not_applicable
    excuse = excused.get(f"{item_id}:{kind}") or excused.get(item_id)
    if not excuse and not getattr(environment, kind):
        excuse = excuse_of(excused, kind)
    if excuse:
        yield Case(loaded, item, None, excuse)
        return
    among = next((fact.among for fact in facts if fact.among is not slots.named), slots.named)
    try:
        targets = among(environment, kind, run_slot)
    except NotApplicable as reason:
        yield Case(loaded, item, None, str(reason))
        return
    chosen = [t for t in targets if all(fact.where is None or fact.where(t) for fact in facts)]
    if not chosen and not getattr(environment, kind) and KINDS[kind].optional:
        yield Case(loaded, item, None, f"no {kind} are listed")
        return
    missing = next((fact.missing for fact in facts if fact.missing), kind)
    if not chosen and any(fact.optional for fact in facts):
        yield Case(loaded, item, None, f"no {missing} is listed")
        return
    if not chosen:
        slot = f" in slot {run_slot}" if run_slot else ""
        mistakes.append(
            f"{loaded.path}: {item_id}: found no {missing}{slot} to check, "
            f"allowed at least one, or a reason under not_applicable.{item_id}"
        )
    for target in chosen:
        excuses = (fact.excuse(target) for fact in facts if fact.excuse is not None)
        excuse = environment.excuse_on_host(item_id, target) or next(filter(None, excuses), "")
        yield Case(loaded, item, target, excuse)
