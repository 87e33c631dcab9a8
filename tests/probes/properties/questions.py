"""Every Question that exists, found and built without knowing any of them: a new one is covered by being there."""

from __future__ import annotations

import ast
import importlib
import inspect
import itertools
import pkgutil
import re
import types
import typing
from collections.abc import Callable, Iterator
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from pathlib import Path
from typing import Any

import opsverify.drills
import opsverify.probes.host
from opsverify.errors import ProbeError
from opsverify.probes.host.question import Question
from opsverify.probes.host.shell_file import ShellFile

FOLDER = "/nowhere/mycats"
MOST_OF_A_KIND = 2
"""Instances of one question: enough to have each of its optional arguments given and left out."""


@cache
def kinds() -> tuple[type[Question], ...]:
    """All concrete classes of questions in the package, in the order of their names."""
    for package in (opsverify.probes.host, opsverify.drills):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)
    result = {
        kind for kind in _below(Question) if not inspect.isabstract(kind) and kind.__module__.startswith("opsver")
    }
    return tuple(sorted(result, key=lambda kind: kind.__name__))


def _below(kind: type[Question]) -> Iterator[type[Question]]:
    for child in kind.__subclasses__():
        yield child
        yield from _below(child)


@cache
def instances() -> tuple[Question, ...]:
    """A few of each kind, with made-up arguments of the right types."""
    return tuple(question for kind in kinds() for question in _built(kind, _asks))


def _asks(question: Question) -> None:
    """Some arguments are refused where they are used, not where they are given."""
    question.script()
    assert question.title


def _built(kind: type[Any], works: Callable[[Any], None] = lambda made: None) -> list[Any]:
    hints = typing.get_type_hints(kind)
    names = [field.name for field in fields(kind)]
    values = [_values(hints[field.name], field.default) for field in fields(kind)]
    made: list[Any] = []
    for arguments in itertools.product(*values):
        try:
            one = kind(**dict(zip(names, arguments, strict=True)))
            works(one)
        except (ValueError, ProbeError):  # arguments that exclude each other
            continue
        if one not in made:
            made.append(one)
    assert made, f"no arguments fit {kind.__name__}: teach _values their type"
    # The first and the last ones differ most.
    return [*made[: MOST_OF_A_KIND // 2], *made[MOST_OF_A_KIND // 2 :][-(MOST_OF_A_KIND // 2) :]]


def _values(hint: Any, default: Any) -> list[Any]:
    """One or two values of a type; a default is one of them."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    simple = {str: [FOLDER], int: [3], float: [24.0], bool: [False, True]}
    if origin is typing.Literal:
        result = list(arguments)
    elif origin in (types.UnionType, typing.Union):
        result = [value for argument in arguments for value in _values(argument, MISSING)]
    elif origin is tuple:
        more = [f"{FOLDER}/other"] if arguments[0] is str else []
        result = [(value, *more) for value in _values(arguments[0], MISSING)]
    elif hint is type(None):
        result = [None]
    elif is_dataclass(hint):
        result = _built(typing.cast("type[Any]", hint))
    else:
        result = simple[hint]
    return list(dict.fromkeys([*([] if default is MISSING else [default]), *result]))


@cache
def words(kind: type[Question]) -> tuple[str, ...]:
    """What its answers are made of, as far as its own module tells: the texts in its source, whole and in words."""
    source = Path(inspect.getfile(kind)).read_text(encoding="utf-8")
    texts = [node.value for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Constant)]
    files = [getattr(kind, name) for name in dir(kind) if isinstance(getattr(kind, name), ShellFile)]
    texts += [file.text for file in (*kind.helpers, *files)]
    result: dict[str, None] = {}
    for text in (text for text in texts if isinstance(text, str)):
        result.update(dict.fromkeys(re.findall(r"== [a-z-]+(?: [^'\"\n\\]*)?", text)))
        result.update(dict.fromkeys(re.findall(r"[A-Za-z_.:/=-]{2,24}", text)))
    return tuple(result)[:400]
