"""All messages of a run at once: each attempt bounded in time, tried a few times, and no failure swallowed."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

from opsverify.evidence.executors import DaemonThreads

PAUSES = (1.0, 5.0)
"""Seconds before the second attempt, and before the third and last."""


class NotDelivered(Exception):
    """Why a message was not taken, one sentence without secrets. `passing`: another attempt may do."""

    def __init__(self, reason: str, *, passing: bool = True) -> None:
        super().__init__(reason)
        self.passing = passing


def deliver(
    sendings: Mapping[str, Callable[[], None]], seconds: float, pauses: Sequence[float] = PAUSES
) -> dict[str, str]:
    """Call each of them, at the same time. What was not delivered, by name: why, "" for what was."""
    threads = DaemonThreads()
    running = {name: threads.submit(_tried, send, seconds, pauses) for name, send in sendings.items()}
    return {name: future.result() for name, future in running.items()}


def _tried(send: Callable[[], None], seconds: float, pauses: Sequence[float]) -> str:
    for pause in (*pauses, None):
        reason, passing = _attempt(send, seconds)
        if not reason or not passing or pause is None:
            break
        time.sleep(pause)
    return reason


def _attempt(send: Callable[[], None], seconds: float) -> tuple[str, bool]:
    """Why it was not taken, and whether another attempt may do. In a thread that may be given up."""
    try:
        DaemonThreads().submit(send).result(timeout=seconds)
    except NotDelivered as error:
        return str(error), error.passing
    except TimeoutError:
        return f"no answer within {seconds:g} s", True
    except Exception as error:  # a bug of a channel is a failure to deliver; its words may hold an address
        return f"it broke ({type(error).__name__})", True
    return "", False
