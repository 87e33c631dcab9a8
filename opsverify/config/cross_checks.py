"""What only the whole of an environment file can tell: names that must exist elsewhere in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from opsverify.config.environment import KINDS, excuse_of
from opsverify.config.items import Item
from opsverify.config.mistakes import near, shown


def cross_checks(tree: dict[str, Any], items: Mapping[str, Item]) -> Iterator[str]:
    """Mistakes, each a line. Works on the raw tree, so that they are told even beside others."""

    def section(name: str) -> dict[str, Any]:
        value = tree.get(name)
        return value if isinstance(value, dict) else {}

    for kind, model in KINDS.items():
        for name, body in section(kind).items():
            if not isinstance(body, dict):
                continue
            for key, other in (("host", "hosts"), ("database", "databases")):
                if key in model.model_fields and isinstance(body.get(key), str) and body[key] not in section(other):
                    allowed = ", ".join(section(other)) or f"an entry under {other}"
                    yield f"{kind}.{name}.{key}: found {shown(body[key])}, allowed {allowed}"
    slots = {str(b["slot"]) for k in KINDS for b in section(k).values() if isinstance(b, dict) and b.get("slot")}
    active = tree.get("active_slot")
    if active is not None and str(active) not in slots:
        allowed = ", ".join(sorted(slots)) or "no key: no target has a slot"
        yield f"active_slot: found {shown(active)}, allowed {allowed}"
    retired = tree.get("retired_slots")
    for index, slot in enumerate(retired if isinstance(retired, list) else []):
        if str(slot) == str(active) or str(slot) not in slots:
            allowed = ", ".join(sorted(slots - {str(active)})) or "no entry: there is no other slot"
            yield f"retired_slots.{index}: found {shown(slot)}, allowed {allowed}"
    excused = section("not_applicable")
    for kind, model in KINDS.items():
        if not section(kind) and not excuse_of(excused, kind) and not model.optional:
            yield f"{kind}: found none, allowed at least one, or a reason under not_applicable.{kind}"
        if section(kind) and kind in excused:
            yield f"not_applicable.{kind}: found a reason, but {kind} are listed; allowed one of the two"
    for key in excused:
        check, colon, kind = str(key).partition(":")
        if colon and check in items and kind not in KINDS:
            yield f"not_applicable.{key}: found an unknown kind of target, allowed {near(kind, KINDS)} after the colon"
        elif key not in KINDS and check not in items:
            yield f"not_applicable.{key}: found an unknown name, allowed {near(check, [*KINDS, *items])}"
    for key in section("checks"):
        if key not in items:
            yield f"checks.{key}: found an unknown check, allowed {near(str(key), items)}"
    waivers = tree.get("waivers")
    names = {str(name) for kind in KINDS for name in section(kind)}
    for index, waiver in enumerate(waivers if isinstance(waivers, list) else []):
        if not isinstance(waiver, dict):
            continue
        if isinstance(waiver.get("check"), str) and waiver["check"] not in items:
            yield f"waivers.{index}.check: found {shown(waiver['check'])}, allowed {near(waiver['check'], items)}"
        if isinstance(waiver.get("target"), str) and waiver["target"] not in names:
            yield f"waivers.{index}.target: found {shown(waiver['target'])}, allowed {near(waiver['target'], names)}"


__all__ = ["cross_checks"]
