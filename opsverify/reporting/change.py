"""What the runs before found, and what is different since: `opsverify.history` tells it, reports show it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class State(str, Enum):
    """How a finding relates to the last run that says something about it."""

    NEW = "new"
    WORSE = "worse"
    KNOWN = "known"
    RECOVERED = "recovered"

    @property
    def fresh(self) -> bool:
        """Whether nobody can have acted on it yet."""
        return self in (State.NEW, State.WORSE)


@dataclass(frozen=True)
class Change:
    """The state of one finding, of a run whose history is known."""

    state: State
    was: str = ""
    """The verdict before, for what is worse or has recovered."""
    runs: int = 1
    """How many runs in a row found it, this one among them; of what has recovered, how many had found it."""
    days: int = 0
    """Whole days since the first of them."""
    since: str = ""
    """When the first of them began, ISO 8601."""
    flapping: bool = False


@dataclass(frozen=True)
class Past:
    """How one check of one target ended in the runs before this one that asked it, oldest first."""

    spells: tuple[tuple[str, int, str], ...] = ()
    """Runs in a row with the same verdict: that, how many, and when the first of them began, ISO 8601."""
    values: tuple[float, ...] = ()
    """The last figures, in the unit of today's; empty where there are none, or they were not asked for."""
