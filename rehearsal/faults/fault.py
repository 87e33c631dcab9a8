"""What a fault is: one thing done to a rehearsal for real, and exactly what the checks must make of it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rehearsal.whole import Rehearsal

NORMAL, WARNING, ALERT, UNDETERMINED, BLOCKED = "normal", "warning", "alert", "undetermined", "blocked"
"""What a check can be; the words of `opsverify.reporting.results.Outcome`."""

Steps = Callable[["Rehearsal"], Iterator[None]]
"""A generator function: what stands before its one `yield` is done, what stands after it undoes that."""

Turns = Mapping[str, str]
"""By "check-id[target]" the verdict that it turns to. "check-id" alone is every target of it, where all turn alike;
"warning or alert" is either, where the machine or chance decides."""


@dataclass(frozen=True)
class Scene:
    """The state of the system that a run verifies: as it serves, stopped, about to switch slots.

    `markers` and `slot` are the run's `-m` and `--slot`; `changes` is laid over the environment file.
    """

    name: str
    title: str
    enter: Steps
    markers: str = ""
    slot: str | None = None
    changes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Fault:
    """One fault.

    `title` says what was done to the system; `changes` is laid over the environment file, for what would take days or
    a machine of one's own to be real. A fault with a `proof` cannot be rehearsed: that test (a node id) shows it
    elsewhere. `needs` is asked before it is applied: why it cannot be on this machine, or "".
    """

    name: str
    title: str
    turns: Turns
    scene: Scene
    do: Steps | None = None
    changes: Mapping[str, Any] = field(default_factory=dict)
    needs: Callable[[], str] = str
    proof: str = ""

    @property
    def area(self) -> str:
        """The part of the catalogue that it belongs to."""
        return self.do.__module__.rpartition(".")[2] if self.do else ""

    @property
    def checks(self) -> set[str]:
        """Ids of the checks that it turns."""
        return {subject.partition("[")[0] for subject in self.turns}


def nothing(whole: Rehearsal) -> Iterator[None]:
    """Do nothing: the system as it serves."""
    yield


RUNNING = Scene("running", "the system as it serves", nothing)

_found: dict[str, Fault] = {}


def catalogue() -> Mapping[str, Fault]:
    """Every fault that has been declared so far, by name."""
    return _found


def _add(fault: Fault) -> None:
    if fault.name in _found:
        raise ValueError(f"two faults are named {fault.name}")
    _found[fault.name] = fault


def fault(
    title: str,
    turns: Turns,
    *,
    scene: Scene = RUNNING,
    changes: Mapping[str, Any] | None = None,
    needs: Callable[[], str] = str,
) -> Callable[[Steps], Steps]:
    """Declare a generator function as a fault, named like it, with hyphens."""

    def declare(do: Steps) -> Steps:
        name = do.__name__.replace("_", "-")
        _add(Fault(name, title, turns, scene, do, changes or {}, needs))
        return do

    return declare


def elsewhere(name: str, title: str, turns: Turns, proof: str) -> None:
    """Declare a fault that no rehearsal can have, and the test that proves it instead."""
    _add(Fault(name, title, turns, RUNNING, proof=proof))


@contextlib.contextmanager
def stepping(steps: Steps, whole: Rehearsal) -> Iterator[None]:
    """Do what the steps do for the length of the block, and undo it, also where the block fails."""
    under_way = steps(whole)
    next(under_way)
    try:
        yield
    finally:
        next(under_way, None)
