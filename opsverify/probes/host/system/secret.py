"""What may be known of a secret without knowing it. Pure functions; what they return holds no value."""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import re
from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise
from urllib.parse import parse_qs, unquote, urlsplit

_PLACEHOLDER = re.compile(
    r"your[-_ ]|change[-_ ]?(?:me|this|it)|replace[-_ ]?(?:me|this)|placeholder|example|dummy|sample|todo|xxxx"
    r"|256[-_ ]?bit|secret[-_ ]?key|(?:super|my|jwt|top|dev|test)[-_ ]?secret|insecure|default|<[^>]*>|\$\{",
    re.IGNORECASE,
)
_WHOLE = {"secret", "password", "passwd", "postgres", "admin", "test", "development", "production", "jwt", "key", ""}


@dataclass(frozen=True)
class SecretStrength:
    """How strong a secret looks."""

    length_bits: int
    """The most it can hold: 4 bits a digit for hexadecimal, the decoded length for padded base64, else 8 a byte."""
    distinct_characters: int
    is_placeholder: bool
    """It is, or contains, what examples and tutorials use."""
    repeats: bool
    """It is one short piece over and over, or runs such as abcdef or 123456."""
    sha256: str = field(repr=False)
    """For comparing with published values only; of a weak secret, this is as good as the secret: never show it."""


@dataclass(frozen=True)
class DatabaseAddress:
    """Where a database URL leads; None for what it does not say. `problem` says why it could not be understood."""

    scheme: str | None = None
    host: str | None = None
    """None for a local socket, too."""
    port: int | None = None
    database: str | None = None
    user: str | None = None
    problem: str | None = None


def strength(value: str) -> SecretStrength:
    """Rate a secret. Lengths follow RFC 7518, 3.2: an HS256 key has at least 256 bits."""
    return SecretStrength(
        length_bits=_length_bits(value),
        distinct_characters=len(set(value)),
        is_placeholder=value.strip().lower() in _WHOLE or bool(_PLACEHOLDER.search(value)),
        repeats=_repeats(value),
        sha256=digest(value),
    )


def digest(value: str) -> str:
    """SHA-256 of the value, in hexadecimal."""
    return hashlib.sha256(value.encode("utf-8", "surrogateescape")).hexdigest()


def _length_bits(value: str) -> int:
    if len(value) >= 16 and re.fullmatch(r"[0-9a-f]+|[0-9A-F]+", value):
        return 4 * len(value)
    for alphabet in (None, b"-_"):
        if value.endswith("=") and not (alphabet and ("+" in value or "/" in value)):
            with contextlib.suppress(binascii.Error, ValueError):
                return 8 * len(base64.b64decode(value, altchars=alphabet, validate=True))
    return 8 * len(value.encode("utf-8", "replace"))


def _repeats(value: str) -> bool:
    # The shortest period of a string stands where it first recurs inside itself doubled.
    if len(value) >= 4 and (value + value).find(value, 1) <= len(value) // 2:
        return True
    steps = [ord(b) - ord(a) for a, b in pairwise(value)]
    return len(steps) >= 5 and max(Counter(steps).get(1, 0), Counter(steps).get(-1, 0)) > 0.6 * len(steps)


def database_address(value: str) -> DatabaseAddress:
    """Take a database URL apart, all but its password. A host and a port in its query come first, as in libpq."""
    try:
        parts = urlsplit(value)
        host, port, user = parts.hostname, parts.port, parts.username
    except ValueError:
        return DatabaseAddress(problem="is not a valid URL (is a special character in its password not %-encoded?)")
    if not parts.scheme or not parts.netloc:
        return DatabaseAddress(problem="is not a URL")
    database = unquote(parts.path.removeprefix("/"))
    # A raw '/', '#' or '?' in the password moves the rest of it into what follows: then nothing here is what it seems.
    if "@" in parts.path + parts.query + parts.fragment or "@" in (user or ""):
        return DatabaseAddress(problem="has a special character in its password that is not %-encoded")
    query = parse_qs(parts.query)
    host = query["host"][-1] if "host" in query else unquote(host or "")
    if "port" in query:
        if not re.fullmatch("[0-9]{1,5}", query["port"][-1]):
            return DatabaseAddress(problem="has a port in its query that is none")
        port = int(query["port"][-1])
    return DatabaseAddress(
        scheme=parts.scheme,
        host=None if host.startswith("/") else host or None,
        port=port,
        database=database or None,
        user=unquote(user) if user else None,
    )
