"""A draft of an environment file: entries, each with where its values come from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any


class Reference(str):
    """Text in which `${VAR}` means a variable; in any other, a dollar is a dollar."""

    __slots__ = ()


@dataclass
class Entry:
    """One target. `found`: from where; `guesses`: keys whose values are likely, and why; `missing`: lines to add.

    `unread` is why nobody can say whether it exists: it stands there so that a run is not green without it.
    """

    kind: str
    name: str
    body: dict[str, Any]
    found: str = ""
    guesses: dict[str, str] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    unread: str = ""

    def is_about(self, key: str, value: str) -> bool:
        """Whether its body says so: role backend."""
        return self.body.get(key) == value


@dataclass
class Draft:
    """What a file will say. `variables`: secrets to set, and what they are for. `notices`: what else to know."""

    title: str
    sources: list[str]
    entries: list[Entry] = field(default_factory=list)
    excuses: dict[str, str] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    checks: dict[str, tuple[dict[str, Any], str]] = field(default_factory=dict)
    """Settings by check, each with where they come from."""
    variables: dict[str, str] = field(default_factory=dict)
    notices: list[str] = field(default_factory=list)
    dropped: dict[str, str] = field(default_factory=dict)
    """Kinds of which something was found that no file can name, and why."""

    def of(self, kind: str) -> Iterator[Entry]:
        """The entries of a kind of target."""
        return (entry for entry in self.entries if entry.kind == kind)

    def has(self, kind: str, key: str = "", value: str = "") -> bool:
        """Whether there is an entry of that kind, which says `key: value`."""
        return any(not key or entry.is_about(key, value) for entry in self.of(kind))

    def add(self, entry: Entry) -> None:
        """Add an entry, under another name where its own is taken."""
        taken = {one.name for one in self.of(entry.kind)}
        base, number = entry.name, 2
        while entry.name in taken:
            entry.name = f"{base[:55]}-{number}"
            number += 1
        self.entries.append(entry)


__all__ = ["Draft", "Entry", "Reference"]
