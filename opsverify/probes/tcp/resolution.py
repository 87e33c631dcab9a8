"""Which addresses a name leads to, as this machine's resolver says."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from typing import Any

from opsverify.errors import ProbeError
from opsverify.evidence.deadline import Deadline


@dataclass(frozen=True)
class Resolution:
    """Answer: `ResolvedName`. Asks as any program here does: /etc/hosts counts. No privilege needed.

    Source: getaddrinfo(3).
    """


@dataclass(frozen=True)
class ResolvedName:
    """A name and its addresses, IPv4 and IPv6, sorted; none where there is no such name."""

    name: str
    addresses: tuple[str, ...]


def probe(target: Any, questions: frozenset[Resolution], deadline: Deadline) -> dict[Resolution, Any]:
    """Look a `DomainName` up. A resolver that cannot tell is a ProbeError: only a denial is a fact."""
    from opsverify.probes.tcp.transport import resolve

    answer: ResolvedName | ProbeError
    try:
        addresses = {str(address[0]) for _, address in resolve(target.domain, 0, deadline)}
        answer = ResolvedName(target.domain, tuple(sorted(addresses)))
    except socket.gaierror as error:
        if error.errno in (socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)):
            answer = ResolvedName(target.domain, ())
        else:
            answer = ProbeError(f"{target.domain}: the resolver has no answer now ({error.strerror})")
    except OSError:
        answer = ProbeError(f"{target.domain}: the resolver did not answer within {deadline.seconds:g} s")
    return dict.fromkeys(questions, answer)


__all__ = ["Resolution", "ResolvedName", "probe"]
