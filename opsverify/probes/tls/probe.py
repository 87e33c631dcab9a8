"""The probe: one or two handshakes with each address of an endpoint."""

from __future__ import annotations

from typing import Any

from opsverify.errors import ProbeError
from opsverify.evidence.deadline import Deadline
from opsverify.probes.tls.certificate import Handshake


def probe(target: Any, questions: frozenset[Any], deadline: Deadline) -> dict[Any, Any]:
    """Answer `Handshake` for a `Certificate` target. Raises Unreachable when no certificate could be seen."""
    from opsverify.probes.tls.transport import look

    answers: dict[Any, Any] = {}
    for question in questions:
        if isinstance(question, Handshake):
            answers[question] = look(target, deadline)
        else:
            answers[question] = ProbeError(f"the TLS probe knows no question {type(question).__name__}")
    return answers
