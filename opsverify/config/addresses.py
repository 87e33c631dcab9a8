"""Addresses with a user and a password in them: taken apart in one way only, or not taken at all.

A password that holds `@` or `/` as it is ends in the middle: what follows is looked up as a host's name, and shown. So
what can be read in two ways is refused, before anything is contacted, and no message repeats a part of it.
"""

from __future__ import annotations

import re
from urllib.parse import SplitResult, urlsplit

ENCODE = "@ is %40, / is %2F, # is %23, ? is %3F, % is %25, a blank is %20"


def split(text: str) -> SplitResult:
    """A URL's parts, of which the port of a single host can be asked for.

    Raises ValueError, with what is allowed, for a text that can be read in two ways, or in none.
    Source: RFC 3986, 3.2: the authority ends at the first `/`, `?` or `#`, and user and password hold none of those.
    """
    rest = text.partition("://")[2]
    end = re.search(r"[/?#]", rest)
    authority, behind = (rest[: end.start()], rest[end.start() :]) if end else (rest, "")
    # A path may hold an @ of its own, but not where what stands before it looks like a user and half of a password.
    cut = "@" in behind.partition("?")[0] and (":" in authority or "@" in authority)
    late = "@" in behind and "@" not in authority and behind.startswith(("?", "#"))
    if authority.count("@") > 1 or cut or late:
        raise ValueError(f"an address whose user and password are percent-encoded ({ENCODE})")
    if re.search(r"[\s\x00-\x1f\x7f]", rest) or ("@" in authority and re.search(r"%(?![0-9A-Fa-f]{2})", authority)):
        raise ValueError(f"an address without blanks and lone percent signs: percent-encoded ({ENCODE})")
    try:
        parts = urlsplit(text)
        _ = parts.port if "," not in authority else None  # PostgreSQL's URLs may name several hosts
    except ValueError:  # whose own words repeat a part of it
        raise ValueError("an address with a host and, where it has one, a port from 1 to 65535") from None
    return parts


_WORD = re.compile(r"\s*([a-z_]+)\s*=\s*(?:'(?:[^'\\]|\\.)*'|(?:[^\s'\\]|\\.)+|$)(?=\s|$)")


def words(text: str) -> list[str]:
    """The keys of a connection string of PostgreSQL's other form, `host=db dbname=mycats`, in their order.

    Raises ValueError for what is none, and for a key that stands there twice: a blank in a password begins a word.
    Source: PostgreSQL, libpq, "Keyword/Value Connection Strings".
    """
    keys, rest = [], text.strip()
    while rest:
        match = _WORD.match(rest)
        if match is None or match[1] in keys:
            raise ValueError(
                "a PostgreSQL URL, or words such as host=db, each once; a value with blanks or quotes as 'it\\'s one'"
            )
        keys.append(match[1])
        rest = rest[match.end() :].lstrip()
    return keys


def without_login(text: str) -> str:
    """A text as it may be shown: whatever stands between `://` and the last `@` behind it is left out."""
    return re.sub(r"(?<=://).*@", "•••@", text, flags=re.DOTALL)


__all__ = ["ENCODE", "split", "without_login", "words"]
