"""Names of many targets in the few words that operators use: `app001-app032, app040, db1`."""

from __future__ import annotations

import re
from collections.abc import Iterable

MOST_PIECES = 8
"""So many pieces fit a line that is still read; what is left out is counted."""

_SHORTEST = 3
"""Two names are said as two: `app1-app2` is no shorter, and hides that they are only two."""

_NUMBER = re.compile(r"([0-9]+)")


def natural(name: str) -> tuple[list[str | int], str]:
    """A key that sorts app9 before app10; names that differ only in their zeros keep one order, too."""
    return [int(part) if index % 2 else part for index, part in enumerate(_NUMBER.split(name))], name


def pieces(names: Iterable[str]) -> list[list[str]]:
    """The names, each once and in natural order, as runs: three or more that count up one by one, or one name alone.

    A run changes one number of the name, wherever that stands, and zero padding stays: app09 is followed by app10, and
    app9 too, but app99 is not followed by app0100.
    """
    runs: list[list[str]] = []
    changing: int | None = None
    for name in sorted(set(names), key=natural):
        where = _follows(runs[-1][-1], name) if runs else None
        if where is not None and (len(runs[-1]) == 1 or where == changing):
            runs[-1].append(name)
            changing = where
        else:
            runs.append([name])
    return [piece for run in runs for piece in ([run] if len(run) >= _SHORTEST else [[name] for name in run])]


def compress(names: Iterable[str]) -> list[str]:
    """The pieces as text: `["app001-app032", "app040"]`."""
    return [_text(piece) for piece in pieces(names)]


def short(names: Iterable[str], most: int = MOST_PIECES) -> str:
    """The first pieces in one line, and how many names are not in it: `app001-app032, app040 and 7 more`."""
    runs = pieces(names)
    left = sum(len(run) for run in runs[most:])
    if left == 1:  # its name is as short as the words for it
        most, left = most + 1, 0
    shown = ", ".join(map(_text, runs[:most]))
    return f"{shown} and {left:,} more" if left else shown


def _text(piece: list[str]) -> str:
    return f"{piece[0]}-{piece[-1]}" if len(piece) > 1 else piece[0]


def _follows(before: str, after: str) -> int | None:
    """Which number of a name counts up by one from `before` to `after`; None where that is not all they differ in."""
    first, second = _NUMBER.split(before), _NUMBER.split(after)
    if len(first) != len(second):
        return None
    differing = [index for index, (a, b) in enumerate(zip(first, second, strict=True)) if a != b]
    if len(differing) != 1 or not differing[0] % 2:
        return None
    (where,) = differing
    number = first[where]
    return where if second[where] == str(int(number) + 1).zfill(len(number)) else None
