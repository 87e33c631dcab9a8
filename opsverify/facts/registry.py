"""The facts that a check may take as arguments, each about one target.

A fact knows which kind of target it belongs to and which query answers it; `opsverify.evidence.collect` runs the
queries. Each becomes a pytest fixture of the same name (see `pytest --fixtures checks`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from opsverify.config import slots
from opsverify.config.environment import Environment, Target
from opsverify.errors import NotApplicable, ProbeError
from opsverify.evidence.attempt import Attempt
from opsverify.evidence.collect import Evidence
from opsverify.evidence.query import Query

Settings = Mapping[str, Any]
QueryFunction = Callable[[Environment, Any, Settings], Query | Mapping[str, Query]]
Among = Callable[[Environment, str, str | None], list[Target]]


@dataclass(frozen=True)
class Fact:
    """An argument of a check. `among` and `where` pick the targets of `kind` that have it; `missing` describes them.

    `optional`: an environment need not list any of them, nor say why. `excuse` says why one of those targets has no
    such fact, "" for one that has it: its check is then not applicable there.
    """

    name: str
    kind: str
    query: QueryFunction
    doc: str
    where: Callable[[Any], bool] | None = None
    missing: str = ""
    attempt: bool = False
    among: Among = slots.named
    optional: bool = False
    excuse: Callable[[Any], str] | None = None

    def queries(self, environment: Environment, target: Target, settings: Settings) -> list[Query]:
        """What must be collected before there is a `value`."""
        queries = self.query(environment, target, settings)
        return list(queries.values()) if isinstance(queries, Mapping) else [queries]

    def value(self, evidence: Evidence, environment: Environment, target: Target, settings: Settings) -> Any:
        """The fact from the evidence, or several by name; raises ProbeError where it could not be determined."""
        queries = self.query(environment, target, settings)
        if isinstance(queries, Mapping):
            return {name: self._one(evidence, query) for name, query in queries.items()}
        return self._one(evidence, queries)

    def _one(self, evidence: Evidence, query: Query) -> Any:
        if not self.attempt:
            return evidence.of(query)
        try:
            return Attempt(evidence.of(query))
        except NotApplicable:
            raise
        except ProbeError as error:
            return Attempt(error=error)


FACTS: dict[str, Fact] = {}


def fact(
    kind: str,
    *,
    where: Callable[[Any], bool] | None = None,
    missing: str = "",
    attempt: bool = False,
    among: Among = slots.named,
    optional: bool = False,
    excuse: Callable[[Any], str] | None = None,
) -> Callable[[QueryFunction], QueryFunction]:
    """Register a function as the fact of its name. It returns the query that answers it, or several by name.

    `attempt` is for the checks whose promise is that the target answers at all: they get an `Attempt`, and so judge
    an unreachable target as wrong, where every other check is blocked by it. `among`: see `opsverify.config.slots`.
    """

    def register(function: QueryFunction) -> QueryFunction:
        name = function.__name__
        if name in FACTS:
            raise ValueError(f"two facts are named {name}")
        doc = (function.__doc__ or "").strip()
        FACTS[name] = Fact(name, kind, function, doc, where, missing, attempt, among, optional, excuse)
        return function

    return register
