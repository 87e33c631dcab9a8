"""What a restored database is held against: the live one, counted by itself."""

from __future__ import annotations

from typing import Any

from opsverify.evidence import Deadline
from opsverify.probes import postgres


def contents_probe(target: Any, questions: frozenset[Any], deadline: Deadline) -> dict[Any, Any]:
    """Ask a `Database` for `postgres.Contents`, in a session of its own.

    Counting every row may take minutes, and what else is asked of that database need not wait for it.
    """
    return postgres.probe(target, questions, deadline)
