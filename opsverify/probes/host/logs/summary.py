"""What the summaries of logs have in common: an end, counts, and clients by their addresses."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

from opsverify.probes.host.question import Answer, integer, one_line


@dataclass(frozen=True)
class Client:
    """A client, by the address that connected, and how often."""

    address: str
    count: int
    forwarded_for: str = ""
    """For whom it says, in X-Forwarded-For, that it asks: anybody can claim that, so it is shown and not counted."""

    def __str__(self) -> str:
        claim = f", as it says for {self.forwarded_for}" if self.forwarded_for else ""
        return f"{self.address} {self.count:,} ×{claim}"


def ended(answer: Answer, title: str) -> None:
    """Raise ProbeError unless a summary came whole."""
    if answer.block("end") is None:
        raise answer.failure(title, "its summary was cut off")


def counted(rest: str) -> tuple[int, str]:
    """`COUNT WHAT` as numbers and text."""
    number, _, what = rest.partition(" ")
    return integer(number, "a count"), what


def client(address: str, count: int, claims: dict[str, str]) -> Client:
    """A client as a log names it; what is no address is cut short."""
    try:
        ipaddress.ip_address(address)
    except ValueError:
        address = one_line(address, 45) or "?"
    return Client(address, count, one_line(claims.get(address, ""), 100))


__all__ = ["Client", "client", "counted", "ended"]
