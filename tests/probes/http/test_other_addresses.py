"""Every address that a name resolves to is asked. Real servers; only the resolver is told what to say."""

from __future__ import annotations

import json
import socket
from typing import Any

import pytest

from opsverify.config.environment import Api, Frontend
from opsverify.evidence.deadline import Deadline
from opsverify.probes.http import other_addresses
from opsverify.probes.http.health import Health
from opsverify.probes.http.other_addresses import ALONE, OtherAddresses
from opsverify.probes.http.page import Page
from opsverify.probes.http.probe import probe
from tests.pace import AMPLE
from tests.probes.conftest import NAME
from tests.probes.http.healthy import HEALTHY


def others(site: Any, question: Any, **more: Any) -> OtherAddresses:
    kind = Frontend if isinstance(question, Page) else Api
    target = kind.model_validate({"name": "main", "url": f"http://{NAME}:{site.port}", **more})
    found = probe(target, frozenset([question]), Deadline(AMPLE))[question].others
    assert isinstance(found, OtherAddresses)
    return found


@pytest.fixture
def second(site: Any, another_site: Any) -> Any:
    """A site of the same port, at 127.0.0.2."""
    site.answer("/health", json.dumps(HEALTHY))
    site.answer("/", "<title>Cats</title>", Content_Type="text/html")
    return another_site("127.0.0.2", site.port)


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (200, json.dumps(HEALTHY), None),
        (200, "<html>", "200, not a status of the API"),
        (503, json.dumps({"success": False, "data": {"status": "error"}}), "503, error"),
        (429, "{}", None),
    ],
)
def test_health_at_the_other_address(
    site: Any, second: Any, resolves_to: Any, status: int, body: str, reason: str | None
) -> None:
    resolves_to("127.0.0.1", "127.0.0.2")
    second.answer("/health", body, status=status)
    seen = others(site, Health(), samples=1, headers={"X-Key": "secret"})
    assert [(one.address, one.reason, one.connected) for one in seen.failures] == (
        [("127.0.0.2", reason, True)] if reason else []
    )
    assert second.requests[0][2]["Host"] == f"{NAME}:{site.port}"
    assert second.requests[0][2]["X-Key"] == "secret"
    assert len(site.requests) == 1


def test_the_page_at_the_other_address(site: Any, second: Any, resolves_to: Any) -> None:
    resolves_to("127.0.0.1", "127.0.0.2")
    second.answer("/", "gone", status=502, Content_Type="text/html")
    assert [one.reason for one in others(site, Page()).failures] == ["502 text/html"]
    second.raw("/", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n1")
    (broken,) = others(site, Page()).failures
    assert broken.connected
    assert broken.reason.endswith("the answer broke off before its end")


def test_an_address_at_which_nothing_listens(site: Any, resolves_to: Any) -> None:
    site.answer("/health", json.dumps(HEALTHY))
    resolves_to("127.0.0.1", "127.0.0.9")
    (refused,) = others(site, Health()).failures
    assert (refused.reason, refused.connected, refused.out_of_reach) == ("connection refused", False, True)
    resolves_to("127.0.0.9", "127.0.0.1")  # the one that answers need not be the first
    assert [one.address for one in others(site, Health()).failures] == ["127.0.0.9"]


def test_an_address_that_drops_packets(site: Any, resolves_to: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(other_addresses, "CONNECT_SECONDS", 0.3)
    site.answer("/health", json.dumps(HEALTHY))
    resolves_to("127.0.0.1", "127.0.0.9")
    with socket.create_server(("127.0.0.9", site.port), backlog=0):
        waiting = [socket.socket() for _ in range(4)]  # Linux drops who comes when the queue is full
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(("127.0.0.9", site.port))
        (dropped,) = others(site, Health()).failures
        for one in waiting:
            one.close()
    assert (dropped.reason, dropped.connected) == ("no answer within 0.3 s", False)


def test_one_address_and_too_many(site: Any, resolves_to: Any) -> None:
    site.answer("/health", json.dumps(HEALTHY))
    resolves_to("127.0.0.1")
    assert others(site, Health()) == ALONE
    resolves_to(*(f"127.0.0.{n}" for n in range(1, 12)))
    seen = others(site, Health())
    assert (len(seen.failures), seen.left_out) == (7, 3)
