"""What only the whole of an environment file can tell: names that must exist elsewhere in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any

from opsverify.config.environment import KINDS, excuse_of
from opsverify.config.items import Item
from opsverify.config.mistakes import near, shown
from opsverify.config.notification_checks import notification_checks


def cross_checks(
    tree: dict[str, Any],
    items: Mapping[str, Item],
    members: Mapping[str, Mapping[str, str]],
    complete: bool,
) -> Iterator[str]:
    """Mistakes, each a line. Works on the raw tree, so that they are told even beside others.

    `members` are the hosts of each group among the hosts, `complete` is whether those of all groups are known.
    """

    def section(name: str) -> dict[str, Any]:
        value = tree.get(name)
        return value if isinstance(value, dict) else {}

    hosts = {*section("hosts"), *chain.from_iterable(members.values())}
    for kind, model in KINDS.items():
        for name, body in section(kind).items():
            if not isinstance(body, dict):
                continue
            for key, other, known in (("host", "hosts", hosts), ("database", "databases", section("databases"))):
                if other == "hosts" and not complete:
                    continue
                if key in model.model_fields and isinstance(body.get(key), str) and body[key] not in known:
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
    yield from _excused("not_applicable", excused, items)
    for name, body in section("hosts").items():
        for where, one in _host_and_members(f"hosts.{name}", body):
            yield from _excused(f"{where}.not_applicable", one.get("not_applicable"), items)
    for key in section("checks"):
        if key not in items:
            yield f"checks.{key}: found an unknown check, allowed {near(str(key), items)}"
    waivers = tree.get("waivers")
    names = hosts | {str(name) for kind in KINDS for name in section(kind)}
    if members:
        from opsverify.config.expansion import names_on_groups

        for kind, name, on_host in names_on_groups(tree, members):
            names.add(on_host)
            if on_host in section(kind):
                yield f"{kind}.{on_host}: found a name that {kind}.{name} makes, allowed another"
    yield from notification_checks(tree.get("notify"), items, names if complete else None)
    for index, waiver in enumerate(waivers if isinstance(waivers, list) else []):
        if not isinstance(waiver, dict):
            continue
        if isinstance(waiver.get("check"), str) and waiver["check"] not in items:
            yield f"waivers.{index}.check: found {shown(waiver['check'])}, allowed {near(waiver['check'], items)}"
        if complete and isinstance(waiver.get("target"), str) and waiver["target"] not in names:
            yield f"waivers.{index}.target: found {shown(waiver['target'])}, allowed {near(waiver['target'], names)}"


def _host_and_members(where: str, body: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(body, dict):
        yield where, body
        members = body.get("members")
        for name, own in members.items() if isinstance(members, dict) else ():
            if isinstance(own, dict):
                yield f"{where}.members.{name}", own


def _excused(where: str, excused: Any, items: Mapping[str, Item]) -> Iterator[str]:
    for key in excused if isinstance(excused, dict) else ():
        check, colon, kind = str(key).partition(":")
        if colon and check in items and kind not in KINDS:
            yield f"{where}.{key}: found an unknown kind of target, allowed {near(kind, KINDS)} after the colon"
        elif key not in KINDS and check not in items:
            yield f"{where}.{key}: found an unknown name, allowed {near(check, [*KINDS, *items])}"


__all__ = ["cross_checks"]
