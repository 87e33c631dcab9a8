"""What is left of an environment file that has mistakes: so that one mistake hides no other, as that of a whole target
hides behind that of one of its keys, and what checks miss behind both."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from opsverify.config.environment import KINDS, Environment
from opsverify.config.mistakes import fields_at, is_inner, near

_MOST_ROUNDS = 20
"""A mistake shows the next one only within the same target: nobody stacks that many."""
_REASON = "its reason is a mistake that is told"

Place = tuple[str, ...]


@dataclass
class Salvage:
    """The environment without what is wrong in it, and all that is: pydantic's errors."""

    environment: Environment | None = None
    errors: list[Mapping[str, Any]] = field(default_factory=list)
    removed: set[Place] = field(default_factory=set)

    @property
    def incomplete(self) -> frozenset[str]:
        """The kinds of which something was taken out: nothing is to be said of what they lack."""
        first = {place[0] for place in self.removed}
        about_all = {"active_slot", "retired_slots", "not_applicable"}
        unsure = any(place[0] in about_all and len(place) == 1 for place in self.removed)
        return frozenset(KINDS if unsure else KINDS.keys() & first)


def salvage(tree: Mapping[str, Any]) -> Salvage:
    """Validate a tree, again without what was wrong, until nothing is. A file without mistakes costs one validation."""
    try:
        return Salvage(Environment.model_validate(tree))
    except ValidationError as error:
        found, errors = Salvage(), error.errors()
    try:
        rest = deepcopy(dict(tree))
    except RecursionError:  # nobody's file: what was found is told
        return Salvage(errors=list(errors))
    for _ in range(_MOST_ROUNDS):
        found.errors += [one for one in errors if not _follows(one, found.removed)]
        before = len(found.removed)
        for one in errors:
            _take_out(rest, one, found.removed)
        if len(found.removed) == before:
            return found  # nothing that could be taken out: the rest is not an environment
        try:
            found.environment = Environment.model_validate(rest)
            return found
        except ValidationError as error:
            errors = error.errors()
    return found


def _place(error: Mapping[str, Any]) -> Place:
    return tuple(str(part) for part in error["loc"] if not is_inner(str(part)))


def _follows(error: Mapping[str, Any], removed: Collection[Place]) -> bool:
    """Whether an error is only there because something was taken out: a key that is missing now, a rule that holds for
    several keys of which one is gone. An unknown key that is like no other is missed by nobody."""
    place = _place(error)
    if error["type"] == "missing":
        return place in removed
    gone = [one for one in removed if len(one) > len(place) and one[: len(place)] == place]
    return any(not _unlike_any(one) for one in gone)


def _unlike_any(place: Place) -> bool:
    known = fields_at(list(place[:-1]))
    return place[-1] not in known and "did you mean" not in near(place[-1], known)


def _take_out(tree: dict[str, Any], error: Mapping[str, Any], removed: set[Place]) -> None:
    """Take out what an error is about: the key; where that is missing, what misses it; of a list, all of it."""
    place = _place(error)
    node: Any = tree
    way: list[tuple[Any, Any, Place]] = []
    """The containers on the way, each with the key that leads on, and the place of that."""
    for depth, part in enumerate(place, 1):
        key: Any = int(part) if isinstance(node, list) and part.isdecimal() else part
        if not ((isinstance(node, dict) and key in node) or (isinstance(node, list) and key in range(len(node)))):
            break
        way.append((node, key, place[:depth]))
        node = node[key]
    removed.add(place)
    while way and isinstance(way[-1][0], list):
        way.pop()
    if way:
        mapping, key, where = way[-1]
        removed.add(where)
        if len(where) == 2 and where[0] == "not_applicable":
            mapping[key] = _REASON  # there is one: what it excuses is not missing
        else:
            del mapping[key]


__all__ = ["Salvage", "salvage"]
