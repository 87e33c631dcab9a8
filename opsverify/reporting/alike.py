"""Results that say the same about many targets are told once: which ones do, of how many, and which is the worst.

Pure functions of results, whose texts are already redacted and printable. Texts are compared, cut and joined here,
never decoded.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from opsverify.config.bands import quantity
from opsverify.config.environment import singular
from opsverify.reporting.ranges import natural, short
from opsverify.reporting.results import Outcome, Result

FEW = 3
"""So many targets are listed one by one, each with its own figures; only more than these are one entry."""

NAMELESS = "…"
"""What stands for a target's own name and address in a sentence about many."""

_COMMAND = re.compile(r"`[^`]*`")
_ADDRESS = re.compile(r"(?<![\w.:])(?:(?:[0-9]{1,3}\.){3}[0-9]{1,3}|\[[0-9A-Fa-f:]+\])(?![\w.])")
_CAUSE = re.compile(r"(?P<kind>\S+) (?P<name>\S+): (?P<message>.*)", re.DOTALL)
"""`opsverify.evidence` names the cause of a silence so: the target's label, then what came of it."""


@dataclass(frozen=True)
class Spread:
    """Where the same was found."""

    names: tuple[str, ...]
    """All targets, the worst first."""
    of: int
    """How many targets were asked the same; 0 where that is not known."""
    kind: str
    """What they are, `hosts`; `targets` where that is not known."""
    span: str = ""
    """From the worst figure to the best, `99 % … 91 %`; empty where there are none, or they are equal."""

    def __str__(self) -> str:
        """`40 of 1,000 hosts: app001-app032, app040 and 7 more`."""
        return f"{self.count}: {short(self.names)}"

    @property
    def count(self) -> str:
        """`40 of 1,000 hosts`, or `all 40 hosts`."""
        if self.of == len(self.names):
            return f"all {self.of:,} {self.kind}"
        return f"{len(self.names):,} of {self.of:,} {self.kind}" if self.of else f"{len(self.names):,} {self.kind}"


class Asked:
    """How many targets a run asked: each question, and of each kind."""

    def __init__(self, results: Iterable[Result]) -> None:
        self._by_check: dict[tuple[str, str, str], set[str]] = {}
        self._by_kind: dict[tuple[str, str], set[str]] = {}
        for result in results:
            self._by_check.setdefault(_question(result), set()).add(result.target)
            self._by_kind.setdefault((result.environment, result.target_kind), set()).add(result.target)

    def spread(self, group: Sequence[Result]) -> Spread:
        """Where a group of `alike` was found."""
        first = group[0]
        names = tuple(dict.fromkeys(result.target for result in group))
        return Spread(names, len(self._by_check[_question(first)]), _noun(first.target_kind), _span(group))

    def spread_of_cause(self, environment: str, label: str, names: Iterable[str]) -> Spread:
        """Where the same cause keeps checks from an answer; `label` is what a cause calls a target, `host`."""
        found = tuple(sorted(set(names), key=natural))
        kinds = [kind for of, kind in self._by_kind if of == environment and kind and singular(kind) == label]
        asked = set().union(*(self._by_kind[environment, kind] for kind in kinds))
        # A host that only other targets lead to has no check of its own.
        return Spread(found, len(asked) if asked.issuperset(found) else 0, _noun(kinds[0] if kinds else ""))


@dataclass(frozen=True)
class Cause:
    """The text of a `Result.cause`, taken apart: `host`, `app1`, `connection refused`."""

    label: str
    name: str
    message: str


def alike(results: Iterable[Result]) -> list[tuple[Result, ...]]:
    """The results in groups of what is told once, each worst first: more than FEW that say the same, or one alone.

    The groups stand where the first of their results stood.
    """
    groups: dict[object, list[Result]] = {}
    for result in results:
        groups.setdefault(_likeness(result) or id(result), []).append(result)
    return _told(groups.values())


def causes_alike(causes: Iterable[str]) -> list[tuple[str, ...]]:
    """The texts of causes in groups of what is told once, as `alike` has it: many targets that died of the same."""
    groups: dict[object, list[str]] = {}
    for cause in causes:
        parts = cause_of(cause)
        key = (parts.label, nameless(parts.message, parts.name)) if parts else cause
        groups.setdefault(key, []).append(cause)
    told: list[tuple[str, ...]] = []
    for group in groups.values():
        told += [tuple(group)] if len(group) > FEW else [(cause,) for cause in group]
    return told


def cause_of(text: str) -> Cause | None:
    """The parts of a cause; None where it is about no target."""
    match = _CAUSE.fullmatch(text)
    return Cause(match["kind"], match["name"], match["message"]) if match else None


def common(texts: Iterable[tuple[str, str]]) -> str:
    """One sentence for those of many (text, name of the target): the text itself where all have the same."""
    pairs = list(texts)
    if len({text for text, _ in pairs}) == 1:
        return pairs[0][0]
    return nameless(*pairs[0]).removeprefix(f"{NAMELESS}: ")


def nameless(text: str, name: str) -> str:
    """The text without what only tells one target from another: its name, and addresses."""
    if name and name in text:
        text = _own(name).sub(NAMELESS, text)
    return _ADDRESS.sub(NAMELESS, text)


def _told(groups: Iterable[list[Result]]) -> list[tuple[Result, ...]]:
    told: list[tuple[Result, ...]] = []
    for group in groups:
        if len({result.target for result in group}) > FEW:
            told.append(tuple(sorted(group, key=_worst_first)))
        else:
            told += [(result,) for result in group]
    return told


def _question(result: Result) -> tuple[str, str, str]:
    return result.environment, result.runbook, result.target_kind


def _likeness(result: Result) -> tuple[str, ...] | None:
    """What results that are told once have in common; None for what is no check of a target."""
    if not (result.runbook and result.target):
        return None
    if result.outcome in (Outcome.ALERT, Outcome.WARNING):
        # Its commands are filled in with the addresses and units of one target; the words around them are what to do.
        told = _COMMAND.sub("``", result.action)
    elif result.outcome is Outcome.WAIVED:
        told = result.sentence.partition("; observed ")[0]
    elif result.outcome is Outcome.NORMAL:
        told = ""
    else:
        told = result.sentence
    return (*_question(result), result.severity, result.verdict, nameless(told, result.target))


def _noun(kind: str) -> str:
    return kind.replace("_", " ") or "targets"


@lru_cache(maxsize=4096)
def _own(name: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![A-Za-z0-9_]){re.escape(name)}(?![A-Za-z0-9_])")


def _worst_first(result: Result) -> tuple[float, object]:
    """Figures from bad to good, by which side of the band is good; then names."""
    value = _value(result)
    if value is None:
        return math.inf, natural(result.target)
    return (-value if result.expected.startswith("<") else value), natural(result.target)


def _value(result: Result) -> float | None:
    try:
        value = float(result.value)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _span(group: Sequence[Result]) -> str:
    values = [value for value in map(_value, group) if value is not None]
    if not values or values[0] == values[-1]:
        return ""
    unit = group[0].unit
    return f"{quantity(values[0], unit)} … {quantity(values[-1], unit)}"
