"""How a mistake in a file is told: `file: key.path: found …, allowed …`."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel

from opsverify.config.addresses import without_login
from opsverify.config.environment import Environment
from opsverify.config.substitution import KeyPath


def mistake(path: Path, where: KeyPath, error: Mapping[str, Any], written: Mapping[KeyPath, str] = {}) -> str:
    """One pydantic error in our words: `file: key.path: found …, allowed …`.

    `written` is what stands in the file where a value comes from outside: that is shown, as the value may be a secret.
    """
    loc = [part for part in where if not is_inner(part)]
    key = ".".join(loc)
    kind = error["type"]
    if kind == "extra_forbidden":
        return f"{path}: {key}: found an unknown key, allowed {near(loc[-1], fields_at(loc[:-1]))}"
    if kind == "missing":
        return f"{path}: {key}: found nothing, allowed a value: it is required"
    allowed = re.sub(r"^(Value error, |Input should be (a valid )?|String should (be )?)", "", error["msg"])
    allowed = allowed.replace("have at least", "at least").replace("match pattern", "text that matches")
    secret = {"dsn", "token", "headers", "history", "password", "client_secret", "heartbeat", "login"} & set(loc)
    whole = loc == ["notify"] or (loc[:1] == ["databases"] and len(loc) <= 2)
    if secret or whole or loc[:2] == ["notify", "channels"]:
        names = ", ".join(dict.fromkeys(re.findall(r"\$\{[^{}]*\}", written.get(where, ""))))
        return f"{path}: {key}: found a value that does not fit{f' ({names})' if names else ''}, allowed {allowed}"
    value = shown(written.get(where, error.get("input")))
    return f"{path}: {key}: found {value}, allowed {allowed}"


_FILLED_IN = ("name", "environment", "stands_for")
"""What no file says, but whoever reads it."""


def is_inner(part: str) -> bool:
    """Whether pydantic added it to a place, and no file has it: `function-after[…]`, `[key]`, one of several models."""
    ranged = re.search(r"\w*:\w+\]$", part)
    return part in ("AtMost", "AtLeast") or (part.endswith(("]", ")")) and not ranged)


def fields_at(loc: list[str]) -> list[str]:
    """The keys that an environment file may have at this place."""
    model: type[BaseModel] | None = Environment
    for part in loc:
        annotation = model.model_fields[part].annotation if model and part in model.model_fields else None
        if annotation is not None:
            model = next(models_in(annotation), None)
        # else: the name of a target, or an index: its description is of the model just found
    return [name for name in model.model_fields if name not in _FILLED_IN] if model else []


def models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    """The models that a field may hold, by its type."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from models_in(argument)


def in_order(mistakes: Iterable[str], path: Path, tree: Any) -> list[str]:
    """Mistakes of the file `path`, each once, in the order in which their keys stand in it; then those of others.

    What stands in it nowhere, as a kind of target that it lacks, comes after what does.
    """

    def rank(line: str) -> tuple[bool, list[int]]:
        key = line.removeprefix(f"{path}: ").partition(": ")[0]
        return not line.startswith(f"{path}: "), _position(tree, key)

    return sorted(dict.fromkeys(mistakes), key=rank)


def _position(tree: Any, key: str) -> list[int]:
    """Where a key path stands in a tree, level by level; a level at which it stands nowhere comes last."""
    found: list[int] = []
    while key:
        entries = enumerate(tree) if isinstance(tree, (dict, list)) else ()
        names = [str(index) if isinstance(tree, list) else str(name) for index, name in entries]
        # Names of targets may hold dots: the longest that fits is meant.
        fitting = [one for one in names if key == one or key.startswith(f"{one}.")]
        if not fitting:
            return [*found, len(names)]
        name = max(fitting, key=len)
        found.append(names.index(name))
        tree = tree[int(name)] if isinstance(tree, list) else next(v for k, v in tree.items() if str(k) == name)
        key = key[len(name) + 1 :]
    return found


def near(word: str, candidates: Iterable[str]) -> str:
    """The names that are allowed, with the one that `word` may have been meant to be."""
    names = list(dict.fromkeys(candidates))
    listed = ", ".join(names) if len(names) <= 30 else f"one of {len(names)} names, docs/reference/checks.md has them"
    close = difflib.get_close_matches(word, names, n=1, cutoff=0.6)
    return f"{listed or 'none'} (did you mean {close[0]}?)" if close else listed or "none"


def shown(value: Any) -> str:
    """A value for a message, cut to 80 characters."""
    if value is None:
        return "nothing"
    text = repr(without_login(value)) if isinstance(value, str) else without_login(str(value))
    return text if len(text) <= 80 else text[:77] + "…"


__all__ = ["fields_at", "in_order", "is_inner", "mistake", "models_in", "near", "shown"]
