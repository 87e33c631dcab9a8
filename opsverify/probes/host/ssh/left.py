"""Which hosts were left to OpenSSH's own client, and why: a run says so."""

from __future__ import annotations

import threading

_left: dict[str, set[str]] = {}
_lock = threading.Lock()


def leave(name: str, why: str) -> None:
    """A host was reached by OpenSSH's client."""
    with _lock:
        _left.setdefault(why, set()).add(name)


def left_to_openssh() -> dict[str, list[str]]:
    """Names of hosts, by reason."""
    with _lock:
        return {why: sorted(names) for why, names in _left.items()}


def forget() -> None:
    """As if none had been."""
    with _lock:
        _left.clear()
