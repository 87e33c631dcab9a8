"""What can go wrong with a rehearsal.

RehearsalError
├── NotAvailable    this machine lacks something that the rehearsal needs; the message says what to install
└── NotStarted      a part did not come up in time; the message ends with the tail of its log
"""

from __future__ import annotations

from pathlib import Path

TAIL_LINES = 15


class RehearsalError(Exception):
    """Root of what this package raises on purpose. Messages reach reports: they hold no secret."""


class NotAvailable(RehearsalError):
    """A program or package is missing."""


class NotStarted(RehearsalError):
    """A part did not come up."""


def tail(log: Path | None, lines: int = TAIL_LINES) -> str:
    """Return a log's last lines, indented, for the end of an error message; empty when there are none."""
    if log is None:
        return ""
    try:
        text = log.read_bytes()[-8192:].decode("utf-8", "replace")
    except OSError:
        return ""
    last = text.strip().splitlines()[-lines:]
    return "".join(f"\n    {line}" for line in last)
