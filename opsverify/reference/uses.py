"""What a check makes use of, read from the code itself: facts, the questions behind them, keys of environment files.

A function's names (`__code__.co_names`) are followed to the functions and questions of the suite that they stand for.
So a key counts as used where code names an attribute that is called like it; the keys of a kind that none of its
facts names (an address, a deadline) are those by which the target is reached, and belong to every check of it.
"""

from __future__ import annotations

import ast
import importlib.util
import inspect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from textwrap import dedent
from types import CodeType, FunctionType
from typing import Any

from opsverify import privileges
from opsverify.config.environment import KINDS, OnHost
from opsverify.facts.registry import FACTS, Fact
from opsverify.plugin.declared import functions as declared

_FOLLOWED = ("opsverify.facts", "opsverify.judgements", "opsverify.config.slots")
_TARGETS = ("target", "environment")
_OF_ALL = ("slot", "host")
"""Keys that decide which targets a run looks at, whatever is asked of them."""
_MEANS = {"with_token": frozenset({"login", "token"})}
"""What stands for keys without being called like them: requests that are sent as a user who has logged in."""


@dataclass(frozen=True)
class Use:
    """One check: the functions that judge it."""

    functions: tuple[FunctionType, ...]

    @cached_property
    def facts(self) -> tuple[Fact, ...]:
        """What it takes as arguments, each once."""
        names = dict.fromkeys(name for one in self.functions for name in inspect.signature(one).parameters)
        return tuple(FACTS[name] for name in names if name in FACTS)

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of targets that it looks at, in the order of environment files."""
        return tuple(kind for kind in KINDS if any(fact.kind == kind for fact in self.facts))

    @cached_property
    def questions(self) -> tuple[type, ...]:
        """What its facts ask, each once."""
        asked = [value for fact in self.facts for value in _reached(fact.query) if inspect.isclass(value)]
        return tuple(dict.fromkeys(one for one in asked if one in set(privileges.questions())))

    @cached_property
    def names(self) -> frozenset[str]:
        """Every name in the code of its facts, and what the check asks for itself."""
        ways = [way for fact in self.facts for way in (fact.query, fact.where, fact.excuse) if way]
        named: set[str] = set()
        for value in (one for way in ways for one in (way, *_reached(way))):
            for function in _functions(value):
                named |= _names(function.__code__)
        return frozenset(named) | self.asked

    @cached_property
    def asked(self) -> frozenset[str]:
        """What its functions take as arguments, and what they ask of its target or the environment."""
        arguments = {name for function in self.functions for name in inspect.signature(function).parameters}
        return frozenset(arguments.union(*map(_asked_of_targets, self.functions)))


def uses(checks: Path) -> dict[str, Use]:
    """By the id of each item, what its check uses; `checks` is the folder with runbook.yaml."""
    found: dict[str, list[Any]] = {}
    for path in sorted(checks.glob("test_*.py")):
        for function in _module(path).values():
            for mark in getattr(function, "pytestmark", ()):
                if mark.name == "runbook" and function not in found.setdefault(mark.args[0], []):
                    found[mark.args[0]].append(function)
    for function in declared(checks / "runbook.yaml").values():
        (mark,) = function.pytestmark  # type: ignore[attr-defined]
        found.setdefault(mark.args[0], []).append(function)
    return {item: Use(tuple(dict.fromkeys(functions))) for item, functions in found.items()}


def checks_of(key: str, kind: str, all_uses: Mapping[str, Use]) -> list[str] | None:
    """Ids of the checks for which a key of a kind of target matters; None where those are all that look at it."""
    if key in _OF_ALL:
        return None
    kinds = {kind, *(other for other in KINDS if kind == "hosts" and issubclass(KINDS[other], OnHost))}
    if sum(key in model.model_fields or hasattr(model, key) for model in KINDS.values()) == 1:
        kinds = set(KINDS)  # whoever names it can mean no other
    named = [item for item, use in all_uses.items() if key in use.names and kinds & set(use.kinds)]
    looking = [item for item, use in all_uses.items() if kind in use.kinds]
    return named if named and not set(looking) <= set(named) else None


def checks_of_environment(key: str, all_uses: Mapping[str, Use]) -> list[str]:
    """Ids of the checks that name a key of the environment itself."""
    return [item for item, use in all_uses.items() if key in use.asked]


def _asked_of_targets(function: FunctionType) -> set[str]:
    """The attributes that a check takes from its target or its environment."""
    return {
        node.attr
        for node in ast.walk(ast.parse(dedent(inspect.getsource(function))))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in _TARGETS
    }


def _module(path: Path) -> dict[str, Any]:
    spec = importlib.util.spec_from_file_location(f"checks_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return {name: value for name, value in vars(module).items() if isinstance(value, FunctionType)}


def _names(code: CodeType) -> set[str]:
    """The names in a function, in those within it, and what they mean."""
    named = set(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            named |= _names(constant)
        elif isinstance(constant, tuple):
            named |= {key for word in constant if isinstance(word, str) for key in _MEANS.get(word, ())}
    return named


def _functions(value: object) -> Iterator[FunctionType]:
    if isinstance(value, FunctionType):
        yield value
    elif inspect.isclass(value):
        yield from (member for member in vars(value).values() if isinstance(member, FunctionType))


def _reached(value: object, seen: set[object] | None = None) -> list[object]:
    """The suite's own functions and classes that a function names, and those that these functions name."""
    seen = set() if seen is None else seen
    for function in _functions(value):
        for name in sorted(_names(function.__code__)):
            other = function.__globals__.get(name)
            module = str(getattr(other, "__module__", ""))
            if not (inspect.isclass(other) or isinstance(other, FunctionType)) or other in seen:
                continue
            if inspect.isclass(other) and module.startswith("opsverify."):
                seen.add(other)
            elif module.startswith(_FOLLOWED):
                seen.add(other)
                _reached(other, seen)
    return sorted(seen, key=lambda one: (one.__module__, one.__qualname__))  # type: ignore[attr-defined]
