"""What is wrong at one of the addresses of a name."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class AddressFailure:
    """An address that does not do what others of its name do, and why.

    `connected`: it took the connection. `out_of_reach`: it did not, which says nothing from here (this machine has no
    IPv6, or it is a loopback address).
    """

    address: str
    reason: str
    connected: bool
    out_of_reach: bool
