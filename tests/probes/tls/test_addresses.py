"""Every address that a name resolves to is looked at. Real servers on loopback; only the resolver is told what to say."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from opsverify.errors import Unreachable
from tests.probes.conftest import NAME


def test_an_expired_certificate_at_the_second_address(
    authority: Any, serve: Any, look_everywhere: Any, resolves_to: Any
) -> None:
    port = serve(authority.issue(NAME))
    serve(authority.issue(NAME, days=-1), at=("127.0.0.2", port))
    resolves_to("127.0.0.1", "127.0.0.2", "127.0.0.1")
    endpoint = look_everywhere(port, address=NAME)
    assert [(one.address, one.trusted, one.expired) for one in endpoint.certificates] == [
        ("127.0.0.1", True, False),
        ("127.0.0.2", False, True),
    ]
    assert (endpoint.failures, endpoint.left_out) == ((), 0)


def test_addresses_that_show_none_are_named(authority: Any, serve: Any, look_everywhere: Any, resolves_to: Any) -> None:
    port = serve(authority.issue(NAME))
    with socket.create_server(("127.0.0.3", port)) as no_tls:
        no_tls.settimeout(0)  # accepts nobody: who connects waits
        resolves_to("127.0.0.1", "127.0.0.2", "127.0.0.3")
        endpoint = look_everywhere(port, address=NAME, seconds=2)
    assert [one.address for one in endpoint.certificates] == ["127.0.0.1"]
    refused, silent = endpoint.failures
    assert (refused.address, refused.reason, refused.connected) == ("127.0.0.2", "connection refused", False)
    assert (silent.address, silent.reason, silent.connected) == ("127.0.0.3", "no answer within 2 s", True)
    assert refused.out_of_reach, "a loopback address is for the machine's own use"
    assert not silent.out_of_reach


def test_none_shows_one(look_everywhere: Any, resolves_to: Any) -> None:
    resolves_to("127.0.0.1", "127.0.0.2")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(Unreachable, match=rf"^{NAME}:{port}: connection refused$"):
        look_everywhere(port, address=NAME)


def test_more_addresses_than_are_looked_at(authority: Any, serve: Any, look_everywhere: Any, resolves_to: Any) -> None:
    port = serve(authority.issue(NAME), at=("0.0.0.0", 0))
    resolves_to(*(f"127.0.0.{n}" for n in range(1, 12)))
    endpoint = look_everywhere(port, address=NAME)
    assert (len(endpoint.certificates), endpoint.left_out) == (8, 3)
