"""How far a collection has come, for whoever shows it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Running:
    """A probe that has not ended: its target, for how many seconds it ran, what it does (or ""), its seconds left."""

    target: str
    seconds: float
    phase: str
    left: float


class Progress(Protocol):
    """Hears from the collector, in its thread, a few times a second."""

    def begins(self, count: int) -> None:
        """So many probes are to be called."""

    def shows(self, done: int, running: Sequence[Running]) -> None:
        """So many have ended; these run, the longest first."""

    def ends(self) -> None:
        """All have ended, or the collection was interrupted."""


@contextmanager
def watched(progress: Progress | None, count: int) -> Iterator[Progress | None]:
    """The same, told its beginning and its end."""
    if progress is not None:
        progress.begins(count)
    try:
        yield progress
    finally:
        if progress is not None:
            progress.ends()
