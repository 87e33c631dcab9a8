"""How far a collection has come, for whoever shows it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

from opsverify.evidence.query import Target


class Progress(Protocol):
    """Hears from the collector, in its thread, a few times a second."""

    def begins(self, count: int) -> None:
        """So many probes are to be called."""

    def shows(self, done: int, running: Sequence[tuple[Target, float]]) -> None:
        """So many have ended; these run, for so many seconds, the longest first."""

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
