"""Whether the other addresses of a target's name answer as well as the one that did: users get to any of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from opsverify.errors import ProbeError
from opsverify.evidence.deadline import Deadline
from opsverify.evidence.executors import DaemonThreads
from opsverify.probes.tcp.address_failure import AddressFailure
from opsverify.probes.tcp.transport import Resolved, connect_to, explain, not_from_here, resolve

if TYPE_CHECKING:
    from opsverify.probes.http.session import Session
    from opsverify.probes.http.transport import Answer

ADDRESS_LIMIT = 8
"""Addresses that are asked: as many as content delivery networks publish."""
CONNECT_SECONDS = 5.0
"""For a connection to one of them, which many a firewall drops."""


@dataclass(frozen=True)
class OtherAddresses:
    """`failures`: of the addresses that were asked. `left_out`: how many were not, beyond the limit."""

    failures: tuple[AddressFailure, ...] = ()
    left_out: int = 0


ALONE = OtherAddresses()
"""Of a name with one address, or whose other addresses are all well."""


def ask_others(session: Session, url: str, answered: str, problem: Callable[[Answer], str | None]) -> OtherAddresses:
    """Ask each address of the name in `url` but `answered` once. `problem`: what is wrong with an answer, or None."""
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    try:
        resolved = dict.fromkeys(resolve(host, port, session.deadline))
    except (OSError, ProbeError):
        return ALONE  # it was resolved a moment ago: the answer there is stands
    others = [one for one in resolved if one[1][0] != answered]
    asked = others[: ADDRESS_LIMIT - 1]
    with DaemonThreads() as threads:
        seen = list(threads.map(lambda one: _ask(session, url, one, problem), asked))
    return OtherAddresses(tuple(one for one in seen if one is not None), len(others) - len(asked))


def _ask(
    session: Session, url: str, resolved: Resolved, problem: Callable[[Answer], str | None]
) -> AddressFailure | None:
    address = str(resolved[1][0])
    seconds = session.deadline.seconds
    try:
        seconds = session.deadline.remaining(CONNECT_SECONDS)
        connect_to([resolved], Deadline(seconds)).close()
    except OSError as error:
        return AddressFailure(address, explain(error, seconds), False, not_from_here(address, error))
    except ProbeError:
        return AddressFailure(address, f"not asked within {session.deadline.seconds:g} s", False, False)
    try:
        with session.client(only=resolved) as client:
            reason = problem(client.get(url))
    except ProbeError as error:
        reason = str(error)
    return None if reason is None else AddressFailure(address, reason, True, False)
