"""The vocabulary of the checks: a noun is an argument of a check, a fact about one target.

A noun knows which kind of target it belongs to and which question answers it; asking is left to `opsverify.evidence`.
Each becomes a pytest fixture of the same name (see `pytest --fixtures checks`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from opsverify import slots
from opsverify.environment import Environment, Target
from opsverify.errors import Unreachable
from opsverify.evidence import Ask, Evidence

Settings = Mapping[str, Any]
AskFunction = Callable[[Environment, Any, Settings], Ask | Mapping[str, Ask]]
Among = Callable[[Environment, str, str | None], list[Target]]


@dataclass(frozen=True)
class Attempt:
    """The outcome of reaching for something: a fact, or the sentence that says why the target did not answer."""

    fact: Any = None
    failure: str = ""


@dataclass(frozen=True)
class Noun:
    """An argument of a check. `among` and `where` pick the targets of `kind` that have it; `missing` describes them."""

    name: str
    kind: str
    ask: AskFunction
    doc: str
    where: Callable[[Any], bool] | None = None
    missing: str = ""
    attempt: bool = False
    among: Among = slots.named

    def asks(self, environment: Environment, target: Target, settings: Settings) -> list[Ask]:
        """What must be asked before `fact` can be."""
        asked = self.ask(environment, target, settings)
        return list(asked.values()) if isinstance(asked, Mapping) else [asked]

    def fact(self, evidence: Evidence, environment: Environment, target: Target, settings: Settings) -> Any:
        """The fact from the evidence, or several by name; raises ProbeError where it could not be determined."""
        asked = self.ask(environment, target, settings)
        if isinstance(asked, Mapping):
            return {name: self._one(evidence, ask) for name, ask in asked.items()}
        return self._one(evidence, asked)

    def _one(self, evidence: Evidence, ask: Ask) -> Any:
        if not self.attempt:
            return evidence.of(ask)
        try:
            return Attempt(evidence.of(ask))
        except Unreachable as error:
            return Attempt(failure=str(error))


NOUNS: dict[str, Noun] = {}


def noun(
    kind: str,
    *,
    where: Callable[[Any], bool] | None = None,
    missing: str = "",
    attempt: bool = False,
    among: Among = slots.named,
) -> Callable[[AskFunction], AskFunction]:
    """Register a function as the noun of its name. It returns what to ask, or several by name.

    `attempt` is for the checks whose promise is that the target answers at all: they get an `Attempt`, and so judge
    an unreachable target as wrong, where every other check is blocked by it. `among` is one of `opsverify.slots`.
    """

    def register(function: AskFunction) -> AskFunction:
        name = function.__name__
        if name in NOUNS:
            raise ValueError(f"two nouns are named {name}")
        NOUNS[name] = Noun(name, kind, function, (function.__doc__ or "").strip(), where, missing, attempt, among)
        return function

    return register
