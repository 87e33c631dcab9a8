"""What a restored database is held against: the live one, counted by itself."""

from __future__ import annotations

from typing import Any

from opsverify.evidence.deadline import Deadline
from opsverify.probes.postgres.connect import Connect
from opsverify.probes.postgres.probe import probe as postgres_probe

KNOCK_SECONDS = 10.0


def contents_probe(target: Any, questions: frozenset[Any], deadline: Deadline) -> dict[Any, Any]:
    """Ask a `Database` for `Contents`, in a session of its own.

    Counting every row may take minutes, and what else is asked of that database need not wait for it.
    """
    # A server that hangs must not be waited for as long as one that counts.
    postgres_probe(target, frozenset({Connect()}), Deadline(deadline.remaining(at_most=KNOCK_SECONDS)))
    return postgres_probe(target, questions, deadline)
