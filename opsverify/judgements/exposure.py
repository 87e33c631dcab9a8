"""Who can reach a listening socket, as far as its own host can tell. Pure.

A router, a load balancer or a container's port mapping may open more: the host's socket table does not show those.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable


def public_addresses(bound: str, own: Iterable[str]) -> list[str]:
    """Addresses at which the whole internet could reach a socket bound to `bound`, on a host that has `own`.

    A socket bound to `::` takes IPv4 too, unless it says otherwise (ipv6(7), IPV6_V6ONLY).
    """
    address = ipaddress.ip_address(bound)
    if not address.is_unspecified:
        return [bound] if address.is_global else []
    reached = [one for one in map(ipaddress.ip_address, own) if address.version in (6, one.version)]
    return [str(one) for one in reached if one.is_global]


def everywhere(bound: str) -> bool:
    """Whether a socket listens on every address that its host has or will have."""
    return ipaddress.ip_address(bound).is_unspecified
