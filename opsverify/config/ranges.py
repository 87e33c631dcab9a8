"""Ranges in names, as Ansible writes them: `web[001:250]`, `db[a:f]`, `node[1:99:2]`, several in one pattern multiply.

Source: Ansible documentation, "How to build your inventory", "Adding ranges of hosts": both ends belong to a range, an
end with a leading zero pads all of it, and the third figure is a step.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import product
from math import prod

MOST = 100_000
"""Hosts that one range, or one inventory, may stand for: a zero too many must not fill the memory."""

ALLOWED = "a range such as [1:9], [001:250], [1:99:2] or [a:f], whose start is not behind its end"

# No address of IPv6 looks like a range: one has two colons side by side, or seven of them.
_ADDRESS = r"\[(?:[0-9A-Fa-f:.]*::[0-9A-Fa-f:.]*|(?:[0-9A-Fa-f]*:){7}[0-9A-Fa-f]*)(?:%[^\]]*)?\]"
_BRACKETS = re.compile(rf"{_ADDRESS}|(\[[^\[\]]*\]|[\[\]])")
_NUMBERS = re.compile(r"\[([0-9]{0,15}):([0-9]{1,15})(?::([0-9]{1,15}))?\]")
_LETTERS = re.compile(r"\[(?:([a-z]):([a-z])|([A-Z]):([A-Z]))(?::([0-9]{1,15}))?\]")


def has_range(text: str) -> bool:
    """Whether there are brackets in it that are not those of an IPv6 address."""
    return "[" in text and any(match[1] for match in _BRACKETS.finditer(text))


def behind_first(text: str, mark: str) -> bool:
    """Whether a range stands, in part at least, behind the first `mark` that is in none."""
    end = text.find(mark)
    return end >= 0 and has_range(text[end:])


def expand(text: str) -> list[str]:
    """All that a pattern stands for, in its order; a text without a range stands for itself.

    Raises ValueError, with what is allowed, for what is no range and for more than MOST names.
    """
    fixed, choices = [], []
    start = 0
    for match in _BRACKETS.finditer(text):
        if match[1]:
            fixed.append(text[start : match.start()])
            choices.append(_choices(match[1]))
            start = match.end()
    _few(prod(len(one) for one in choices))
    return list(_joined(fixed, choices, text[start:]))


def _few(count: int) -> None:
    if count > MOST:
        raise ValueError(f"a range of {MOST:,} hosts at most, this one is of {count:,}")


def _joined(fixed: Sequence[str], choices: Sequence[Sequence[int | str]], tail: str) -> Iterator[str]:
    for chosen in product(*choices):
        yield "".join(f"{before}{one}" for before, one in zip(fixed, chosen, strict=True)) + tail


def _choices(bracket: str) -> Sequence[int | str]:
    """What one range stands for; no list yet, where it need not be padded."""
    letters, numbers = _LETTERS.fullmatch(bracket), _NUMBERS.fullmatch(bracket)
    if letters:
        first, last, step = letters[1] or letters[3], letters[2] or letters[4], int(letters[5] or 1)
        result: Sequence[int | str] = [chr(code) for code in range(ord(first), ord(last) + 1, step)] if step else []
    elif numbers:
        first, last, step = numbers[1] or "0", numbers[2], int(numbers[3] or 1)
        padded = first.startswith("0") and len(first) > 1
        if padded and len(first) != len(last):
            raise ValueError("a range whose ends are padded to the same length, [001:250]")
        result = range(int(first), int(last) + 1, step) if step else []
        if padded:
            _few(len(result))
            result = [str(one).zfill(len(first)) for one in result]
    else:
        result = []
    if not result:
        raise ValueError(ALLOWED)
    return result


__all__ = ["MOST", "behind_first", "expand", "has_range"]
