"""Which of two versions is the newer one, as the distribution's own package manager has it: keys to sort by. Pure."""

from __future__ import annotations

import re

Key = tuple[tuple[int | str | tuple[int, ...], ...], ...]


def debian(version: str) -> tuple[Key, Key]:
    """Sort as `dpkg --compare-versions` does. Source: deb-version(7); for versions without an epoch."""
    upstream, _, revision = version.rpartition("-") if "-" in version else (version, "", "")
    return _debian(upstream), _debian(revision)


_NOTHING = ((0,), 0, "")


def _debian(text: str) -> Key:
    """Text and number in turn: in text, `~` comes before its end, letters behind it, all else behind letters."""
    parts = []
    for letters, digits in re.findall(r"([^0-9]*)([0-9]*)", text):
        weights = [-1 if c == "~" else ord(c) if re.match("[A-Za-z]", c) else ord(c) + 256 for c in letters]
        parts.append(((*weights, 0), *_number(digits)))
    while parts and parts[-1] == _NOTHING:
        parts.pop()
    return (*parts, _NOTHING)


def rpm(version: str) -> tuple[Key, Key]:
    """Sort version-release as rpm does. Source: rpm-version(7), rpmvercmp."""
    left, _, release = version.partition("-")
    return _rpm(left), _rpm(release)


def _rpm(text: str) -> Key:
    """`~` comes before the end, `^` behind it, then letters, then numbers; all else only separates."""
    parts: list[tuple[int | str, ...]] = []
    for part in re.findall(r"[0-9]+|[A-Za-z]+|[~^]", text):
        if part in "~^":
            parts.append((0 if part == "~" else 2,))
        else:
            parts.append((4, *_number(part)) if part[0].isdigit() else (3, part))
    return (*parts, (1,))


def _number(digits: str) -> tuple[int, str]:
    """Numbers of any length: a longer one is greater."""
    digits = digits.lstrip("0")
    return len(digits), digits
