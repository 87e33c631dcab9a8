"""Which slots' targets a check is for, where that is not the slot of the run. For the `among` of a fact.

Each takes the environment, a kind of target, and the slot named by `--slot`; returns targets in the file's order, or
raises NotApplicable with the reason why there is nothing to aim at, by the environment's own word.
"""

from __future__ import annotations

from opsverify.config.environment import Environment, Target
from opsverify.errors import NotApplicable


def named(environment: Environment, kind: str, slot: str | None) -> list[Target]:
    """Those of the slot that the run names, else of the active one: what nearly every check looks at."""
    return environment.targets(kind, slot)


def every(environment: Environment, kind: str, slot: str | None) -> list[Target]:
    """Those of all slots; of one only where the run names it."""
    return environment.targets(kind, slot) if slot else list(getattr(environment, kind).values())


def where_slots_are(environment: Environment, kind: str, slot: str | None) -> list[Target]:
    """Those that every slot shares, where the environment has slots at all."""
    if environment.active_slot is None and not environment.slots:
        raise NotApplicable("this environment has no slots")
    return environment.targets(kind, slot) if environment.active_slot else []


def idle(environment: Environment, kind: str, slot: str | None) -> list[Target]:
    """Those of the slot that the run names, where it is not the active one."""
    if not environment.slots:
        raise NotApplicable("this environment has no slots")
    if slot is None:
        raise NotApplicable("the run names no idle slot (--slot), it is aimed at the active one")
    if slot == environment.active_slot:
        raise NotApplicable(f"--slot names the active slot, {slot}, which is not idle")
    return [target for target in environment.targets(kind, slot) if getattr(target, "slot", None) == slot]


def retired(environment: Environment, kind: str, slot: str | None) -> list[Target]:
    """Those of the slots that the environment declares retired; of one only where the run names it."""
    wanted = [one for one in environment.retired_slots if slot in (None, one)]
    if not wanted:
        raise NotApplicable("the environment declares no slot retired" + (f" that --slot {slot} names" if slot else ""))
    return [target for target in getattr(environment, kind).values() if getattr(target, "slot", None) in wanted]
