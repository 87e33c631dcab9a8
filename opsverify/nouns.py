"""The vocabulary of the checks: a noun is an argument of a check, a fact about one target.

A noun knows which kind of target it belongs to and which question answers it; asking is left to `opsverify.evidence`.
Each becomes a pytest fixture of the same name (see `pytest --fixtures checks`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from opsverify.environment import Environment, Target
from opsverify.errors import Unreachable
from opsverify.evidence import Ask, Evidence

Settings = Mapping[str, Any]
AskFunction = Callable[[Environment, Any, Settings], Ask]


@dataclass(frozen=True)
class Attempt:
    """The outcome of reaching for something: a fact, or the sentence that says why the target did not answer."""

    fact: Any = None
    failure: str = ""


@dataclass(frozen=True)
class Noun:
    """An argument of a check. `where` picks the targets of `kind` that have it; `missing` describes them."""

    name: str
    kind: str
    ask: AskFunction
    doc: str
    where: Callable[[Any], bool] | None = None
    missing: str = ""
    attempt: bool = False

    def fact(self, evidence: Evidence, environment: Environment, target: Target, settings: Settings) -> Any:
        """The fact from the evidence; raises ProbeError where it could not be determined."""
        ask = self.ask(environment, target, settings)
        if not self.attempt:
            return evidence.of(ask)
        try:
            return Attempt(evidence.of(ask))
        except Unreachable as error:
            return Attempt(failure=str(error))


NOUNS: dict[str, Noun] = {}


def noun(
    kind: str, *, where: Callable[[Any], bool] | None = None, missing: str = "", attempt: bool = False
) -> Callable[[AskFunction], AskFunction]:
    """Register a function as the noun of its name.

    `attempt` is for the checks whose promise is that the target answers at all: they get an `Attempt`, and so judge
    an unreachable target as wrong, where every other check is blocked by it.
    """

    def register(function: AskFunction) -> AskFunction:
        name = function.__name__
        if name in NOUNS:
            raise ValueError(f"two nouns are named {name}")
        NOUNS[name] = Noun(name, kind, function, (function.__doc__ or "").strip(), where, missing, attempt)
        return function

    return register
