"""What a rule about commands is. Each is one entry in `rules/`: what it says, and a function that tells where. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from opsverify.runbook_document.shell import Command, Script
from opsverify.runbook_document.system import System


@dataclass(frozen=True)
class Sql:
    """SQL of a document: a fence, or what is given to psql."""

    text: str
    line: int
    quote: str


Words = Mapping[str, object]
Match = Callable[..., Iterable[Words] | None]
"""Called with (command, script, system), or (sql, system); for each find the words that `why` and `better` need.

A find may set `line` and `quote` where it is not the command's own. It raises NotKnown where the system does not tell.
"""


@dataclass(frozen=True)
class Rule:
    """One mistake: what it is, its `kind`, what is said of one, and what it `needs` to know of the system, in words."""

    id: str
    about: str
    kind: str
    why: str
    better: str
    needs: str
    match: Match
    of_sql: bool = False


@dataclass(frozen=True)
class Finding:
    """A mistake in a document: where, which words, why it is one here, and what to write instead."""

    rule: str
    line: int
    quote: str
    why: str
    better: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.quote}\n    {self.why} ({self.rule})\n    better: {self.better}"


_rules: dict[str, Rule] = {}


def declared() -> Mapping[str, Rule]:
    """Every rule that has been declared so far, by id."""
    return _rules


def rule(kind: str, *, why: str, better: str, needs: str = "", of_sql: bool = False) -> Callable[[Match], Match]:
    """Declare a function as the rule of its name, with hyphens."""

    def declare(match: Match) -> Match:
        id_ = getattr(match, "__name__", "").replace("_", "-")
        if id_ in _rules:
            raise ValueError(f"two rules are named {id_}")
        _rules[id_] = Rule(id_, (match.__doc__ or "").strip(), kind, why, better, needs, match, of_sql)
        return match

    return declare


__all__ = ["Command", "Finding", "Match", "Rule", "Script", "Sql", "System", "Words", "declared", "rule"]
