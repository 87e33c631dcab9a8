"""What a process has one of, and a forked child gets one of its own."""

from __future__ import annotations

import atexit
import os
import threading
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar


class Closes(Protocol):
    """What is closed at the end."""

    def close(self) -> None: ...


T = TypeVar("T", bound=Closes)


class PerProcess(Generic[T]):
    """Made when it is asked for first, and closed at the end of the process, if not before."""

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._current: T | None = None
        self._owner = 0
        self._lock = threading.Lock()

    def get(self) -> T:
        """The one of this process."""
        with self._lock:
            if self._current is None or self._owner != os.getpid():
                self._current, self._owner = self._make(), os.getpid()
                atexit.register(self._current.close)
            return self._current

    def close(self) -> None:
        """Close it now; who asks next gets a new one. Safe to call at any time."""
        with self._lock:
            ending, self._current = self._current, None
        if ending is not None:
            atexit.unregister(ending.close)
            ending.close()
