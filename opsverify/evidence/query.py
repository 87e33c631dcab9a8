"""One question to one target through one probe, and what a probe is."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from opsverify.errors import ProbeError
from opsverify.evidence.deadline import Deadline


class Target(Protocol):
    """What a probe is aimed at: its identity within the run, and its name for people."""

    @property
    def identity(self) -> Hashable: ...

    @property
    def label(self) -> str: ...


Group = tuple[str, Hashable]
Questions = frozenset[Any]
Answers = Mapping[Any, Any]


class Probe(Protocol):
    """What does the I/O: see the module's docstring."""

    __name__: str
    __module__: str

    def __call__(self, target: Any, questions: Questions, deadline: Deadline, /) -> Answers: ...


def bug_of(probe: Probe, error: BaseException) -> ProbeError:
    """What stands in the place of answers where a probe itself is wrong.

    The message of a foreign exception may hold a secret (drivers print connection strings); its type may not.
    """
    where = f"{probe.__module__}.{probe.__name__}"
    return ProbeError(f"the probe {where} failed with {type(error).__name__}: please report this")


@dataclass(frozen=True)
class Query:
    """One question to one target. `seconds` is the probe's deadline; the longest of a group counts."""

    probe: Probe
    target: Target
    question: Hashable = None
    seconds: float = 20.0
