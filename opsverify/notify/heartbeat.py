"""Pings a watcher that raises the alarm when no run comes, or none ends: what no run can say of itself.

Source: healthchecks.io, "Pinging API": the address itself is a success, `/start` before and `/fail` for a failure.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from urllib.parse import urlsplit, urlunsplit

from opsverify.evidence.executors import DaemonThreads
from opsverify.notify.delivery import PAUSES, deliver
from opsverify.notify.http import post

SECONDS = 10.0


class Heartbeat:
    """The pings of one run. `start` does not wait: the run goes on meanwhile."""

    def __init__(self, url: str, *, seconds: float = SECONDS, pauses: Sequence[float] = PAUSES) -> None:
        self._url, self._seconds, self._pauses = url, seconds, pauses
        self._started: Future[str] | None = None

    def start(self) -> None:
        """Say that a run begins."""
        self._started = DaemonThreads().submit(self._ping, "/start")

    def finish(self, code: int) -> str:
        """Say how the run ended; why one of the pings was not taken, "" where both were."""
        # In their order: a late /start would be taken for a run that never ends.
        before = self._started.result() if self._started else ""
        return self._ping("/fail" if code else "") or before

    def _ping(self, what: str) -> str:
        url = _with(self._url, what)
        ping = deliver({"": lambda: post(url, b"", {}, None, self._seconds)}, self._seconds, self._pauses)
        return ping[""]


def _with(url: str, what: str) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(path=parts.path.rstrip("/") + what))
