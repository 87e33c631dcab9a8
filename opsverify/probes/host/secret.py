"""What may be known of a secret without knowing it. Pure functions; what they return holds no value."""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import math
import re
from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise
from urllib.parse import unquote, urlsplit

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
    shannon_bits: float
    """Length times the entropy of its characters: an estimate from above, low for what repeats itself."""
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
    port: int | None = None
    database: str | None = None
    user: str | None = None
    has_password: bool = False
    password_sha256: str | None = field(default=None, repr=False)
    problem: str | None = None


def strength(value: str) -> SecretStrength:
    """Rate a secret. Lengths follow RFC 7518, 3.2: an HS256 key has at least 256 bits."""
    counts = Counter(value)
    shannon = -sum(n * math.log2(n / len(value)) for n in counts.values()) if value else 0.0
    return SecretStrength(
        length_bits=_length_bits(value),
        shannon_bits=abs(shannon),
        distinct_characters=len(counts),
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
    """Take a database URL apart; its password comes out as a hash only."""
    try:
        parts = urlsplit(value)
        host, port, user, password = parts.hostname, parts.port, parts.username, parts.password
    except ValueError:
        return DatabaseAddress(problem="is not a valid URL (is a special character in its password not %-encoded?)")
    if not parts.scheme or not parts.netloc:
        return DatabaseAddress(problem="is not a URL")
    database = unquote(parts.path.removeprefix("/"))
    # A raw '/', '#' or '?' in the password moves the rest of it into what follows: then nothing here is what it seems.
    if "@" in parts.path + parts.query + parts.fragment or "@" in (user or ""):
        return DatabaseAddress(problem="has a special character in its password that is not %-encoded")
    return DatabaseAddress(
        scheme=parts.scheme,
        host=host,
        port=port,
        database=database or None,
        user=unquote(user) if user else None,
        has_password=bool(password),
        password_sha256=digest(unquote(password)) if password else None,
    )
