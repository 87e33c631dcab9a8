"""A name of several addresses, each of which is a server of the test's own on loopback."""

from __future__ import annotations

import socket
from typing import Any

import pytest

NAME = "cats.example.com"


@pytest.fixture
def resolves_to(monkeypatch: pytest.MonkeyPatch) -> Any:
    """resolves_to("127.0.0.1", "::1"): the addresses of `NAME`, in that order."""
    real = socket.getaddrinfo

    def resolve(*addresses: str) -> None:
        def answer(host: str, port: int, **more: Any) -> list[Any]:
            if host != NAME:
                return real(host, port, **more)
            return [one for address in addresses for one in real(address, port, **more)]

        monkeypatch.setattr(socket, "getaddrinfo", answer)

    return resolve
