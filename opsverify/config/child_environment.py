"""The environment of programs that we start: our own, without the secrets in it.

They come with it for us alone. git, ssh, a shell, a browser and what they start, on this machine, need none of them.
"""

from __future__ import annotations

import os
from collections.abc import Iterable

_NEEDED = frozenset({"PATH", "HOME", "USER", "LOGNAME", "SHELL", "TMPDIR", "LANG", "SSH_AUTH_SOCK", "PYTHONPATH"})
"""Kept whatever they hold: a password may well be a word of a path."""
_SHORTEST = 6
"""Characters from which on a secret is also looked for inside of other values, as of a connection string."""
_withheld: set[str] = set()


def withhold(secrets: Iterable[str]) -> None:
    """Leave these out of the environment of every program that is started from now on."""
    _withheld.update(secret for secret in secrets if secret)


def child_environment() -> dict[str, str]:
    """What a program of the system gets; it speaks plain English (LC_ALL=C)."""
    kept = {name: value for name, value in os.environ.items() if name in _NEEDED or not _holds_secret(value)}
    return kept | {"LC_ALL": "C"}


def _holds_secret(value: str) -> bool:
    return any(value == secret or (len(secret) >= _SHORTEST and secret in value) for secret in _withheld)


__all__ = ["child_environment", "withhold"]
