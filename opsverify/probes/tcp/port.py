"""Whether a TCP port lets us in from here. What is behind it is left alone: the connection is closed at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from opsverify.errors import ProbeError
from opsverify.evidence.deadline import Deadline

SECONDS = 5.0


@dataclass(frozen=True)
class PortCheck:
    """A TCP check: whether `address`:`port` accepts a connection. Answer: `Door`. No privilege needed.

    `address` None: the host is reached in a way that leaves no address to connect to (docker, kubectl).
    """

    address: str | None
    port: int


@dataclass(frozen=True)
class PortState:
    """What became of one connection.

    Only "refused" says that nothing listens: a name that cannot be resolved, a firewall that drops packets and a
    wrong address are "unknown".
    """

    state: Literal["open", "refused", "unknown"]
    reason: str
    """For people: "localhost:3004: connection refused"."""


def probe(target: Any, questions: frozenset[PortCheck], deadline: Deadline) -> dict[PortCheck, PortState | ProbeError]:
    """Try every port asked for; a target has one or two. Never raises."""
    return {question: _check(question, deadline) for question in questions}


def _check(question: PortCheck, deadline: Deadline) -> PortState:
    from opsverify.probes.tcp.transport import connect, explain

    if question.address is None:
        return PortState("unknown", f"port {question.port}: it cannot be tried from here")
    place = f"{question.address}:{question.port}"
    try:
        connect(question.address, question.port, deadline).socket.close()
    except ConnectionRefusedError:
        return PortState("refused", f"{place}: connection refused")
    except (OSError, ProbeError) as error:
        why = explain(error, deadline.seconds) if isinstance(error, OSError) else str(error)
        return PortState("unknown", f"{place}: {why}")
    return PortState("open", f"{place} accepts connections")
