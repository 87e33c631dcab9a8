"""Checks without a function of their own: their item says which figure of which fact its band judges (`judge`)."""

from __future__ import annotations

import re
from collections.abc import Callable
from inspect import Parameter, Signature
from pathlib import Path
from typing import Any

from opsverify import runbook
from opsverify.config.items import Figure, Item
from opsverify.config.loading import load_items
from opsverify.judgements.expect import Expect


def functions(path: Path) -> dict[str, Callable[..., None]]:
    """A test function for every item of the runbook in `path` that says what is judged, by name."""
    lines = _lines(path)
    return {
        item.function_name: _function(item, item.judge, (path, lines.get(item.id, 0)))
        for item in load_items(path).values()
        if item.judge
    }


def declared_at(function: object) -> tuple[Path, int] | None:
    """The file and line, counted from 0, of the entry that a function was made from; None for any other function."""
    place: tuple[Path, int] | None = getattr(function, "declared_at", None)
    return place


def _lines(path: Path) -> dict[str, int]:
    """Where each item's entry begins, by its id."""
    keys = (re.match(r"[\"']?([a-z][a-z0-9-]*)[\"']?:", line) for line in path.read_text("utf-8").splitlines())
    return {key[1]: number for number, key in enumerate(keys) if key}


def _function(item: Item, judged: Figure, place: tuple[Path, int]) -> Callable[..., None]:
    def check(**arguments: Any) -> None:
        judge(judged, arguments[judged.fact], arguments["expect"])

    check.__name__ = check.__qualname__ = item.function_name
    check.__doc__ = item.title.en
    check.declared_at = place  # type: ignore[attr-defined]
    # Its arguments as pytest reads them: fixtures by name.
    names = (judged.fact, "expect")
    signature = Signature([Parameter(name, Parameter.POSITIONAL_OR_KEYWORD) for name in names])
    check.__signature__ = signature  # type: ignore[attr-defined]
    marked: Callable[..., None] = runbook(item.id)(check)
    return marked


def judge(judged: Figure, fact: Any, expect: Expect) -> None:
    """Hold the figure against the item's band, that of each of them where the fact is several.

    None at all leaves nothing judged, which is an error; so is a figure that is no number.
    """
    for one in fact if judged.each else (fact,):
        about = str(getattr(one, judged.each)) if judged.each else ""
        expect(getattr(one, judged.figure), about, detail=str(getattr(one, judged.detail)) if judged.detail else "")


__all__ = ["declared_at", "functions", "judge"]
