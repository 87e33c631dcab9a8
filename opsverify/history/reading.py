"""What a check's `history` argument can be asked: figures of earlier runs of the same target."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, TypeVar

from opsverify.config.history_location import Location
from opsverify.errors import ProbeError
from opsverify.history.records import HistoryError, LastResult, Series, Subject

if TYPE_CHECKING:
    from opsverify.history.store import Store

T = TypeVar("T")


class Reader:
    """One history database as a process of a run reads it: opened when first asked, and given up when that failed.

    A database that does not answer so costs one waiting time, not one per check.
    """

    def __init__(self, location: Location) -> None:
        self._location = location
        self._store: Store | None = None
        self._failure = ""

    def ask(self, question: Callable[[Store], T]) -> T:
        """Raises ProbeError where the history is switched off or cannot be read."""
        if self._location.off:
            raise ProbeError("the history is switched off, and this check needs it (--history, or the key history)")
        if not self._failure:
            from opsverify.history.store import Store

            try:
                self._store = self._store or Store(self._location)
                return question(self._store)
            except HistoryError as error:
                self._failure = f"the history could not be read: {error}"
        raise ProbeError(self._failure)


class History:
    """Earlier figures of one target of one environment. This run's own are not among them yet.

    Where the history cannot be read both methods raise ProbeError: the check could not be determined.
    """

    def __init__(self, reader: Reader, environment: str, target: str, target_kind: str) -> None:
        self._reader = reader
        self._subject = Subject(environment, target, target_kind)

    def series(self, runbook_id: str, days: float = 30) -> Series:
        """What that check measured in the last `days`: {about: [(aware time, value), …]}, oldest first.

        Figures of failed checks are among them: they were measured. Empty when there are none.
        """
        since = datetime.now(UTC) - timedelta(days=days)
        return self._reader.ask(lambda store: store.series(self._subject, runbook_id, since))

    def last_good(self, runbook_id: str) -> dict[str, float]:
        """{about: value} of the last run in which that check was normal or warned, and measured something.

        Runs in which it failed do not count: they would lower what the next one is held against. Empty when there
        is none.
        """
        return self._reader.ask(lambda store: store.last_good(self._subject, runbook_id))


def last_results(location: Location, environment: str) -> list[LastResult]:
    """How each check of an environment ended the last time it ran; raises ProbeError as History does."""
    return Reader(location).ask(lambda store: store.last_results(environment))
