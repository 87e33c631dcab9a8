"""What a name leads to: an answer, a denial, and a resolver that cannot tell are three things."""

from __future__ import annotations

import ipaddress
import socket
from typing import Any

import pytest

from opsverify.config.environment import DomainName
from opsverify.errors import ProbeError
from opsverify.evidence.deadline import Deadline
from opsverify.probes.tcp import transport
from opsverify.probes.tcp.resolution import Resolution, ResolvedName, probe
from tests.pace import AMPLE


def look_up(domain: str) -> Any:
    return probe(DomainName(domain=domain), frozenset([Resolution()]), Deadline(AMPLE))[Resolution()]


def test_a_name_of_this_machine() -> None:
    resolved = look_up("localhost")
    assert resolved.addresses
    assert all(ipaddress.ip_address(address).is_loopback for address in resolved.addresses)
    assert list(resolved.addresses) == sorted(set(resolved.addresses))


def test_a_name_that_does_not_exist_is_a_fact() -> None:
    # RFC 6761: no resolver knows a name below "invalid"; one that reaches no server at all cannot say so.
    answer = look_up("no-such-host.invalid")
    assert answer == ResolvedName("no-such-host.invalid", ()) or "has no answer now" in str(answer)


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution"), "has no answer now"),
        (socket.gaierror(socket.EAI_FAIL, "Non-recoverable failure"), "has no answer now"),
        (TimeoutError("the resolver did not answer"), "did not answer within 60 s"),
    ],
)
def test_a_resolver_that_cannot_tell_is_no_denial(
    monkeypatch: pytest.MonkeyPatch, error: OSError, sentence: str
) -> None:
    def failing(*arguments: Any) -> Any:
        raise error

    monkeypatch.setattr(transport, "resolve", failing)  # no test can make every machine's resolver fail
    answer = look_up("mycats.example.com")
    assert isinstance(answer, ProbeError)
    assert sentence in str(answer)
