"""Addresses compared and named. Pure."""

from __future__ import annotations

from urllib.parse import urlsplit


def place_of(url: str) -> str:
    """`http://host:port` of an address: what messages may name."""
    parts = urlsplit(url)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return f"{parts.scheme}://{host}:{parts.port or (443 if parts.scheme == 'https' else 80)}"


def same_origin(one: str, other: str) -> bool:
    """Whether two addresses have the same origin (RFC 6454): scheme, host and port."""
    try:
        return place_of(one) == place_of(other)
    except ValueError:
        return False


def same_site(one: str, other: str) -> bool:
    """Whether two addresses are of one host, or one is of a subdomain of the other's; `www.` makes no difference."""
    a, b = sorted(((urlsplit(url).hostname or "").removeprefix("www.") for url in (one, other)), key=len)
    return a == b or b.endswith(f".{a}")
