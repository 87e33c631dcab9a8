"""What headers tell browsers: Strict-Transport-Security (RFC 6797) and frame-ancestors (CSP Level 3, 6.4.2). Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable

Sources = tuple[str, ...]


def max_age(header: str | None) -> int | None:
    """Seconds for which a browser stays on https; None where the header is absent, or one that browsers ignore.

    A directive that comes twice makes the whole header invalid (RFC 6797, 6.1).
    """
    directives = [part.partition("=") for part in (header or "").split(";")]
    ages = [value.strip() for name, _, value in directives if name.strip().lower() == "max-age"]
    match = re.fullmatch(r'"([0-9]{1,15})"|([0-9]{1,15})', ages[0]) if len(ages) == 1 else None
    return int(match[1] or match[2]) if match else None


def frame_ancestors(header: str | None) -> list[Sources]:
    """Who may frame the page, by each policy of a Content-Security-Policy that says so: the sources, none for 'none'.

    Commas part policies, all of which count; of a directive that comes twice in one, the first does.
    """
    policies = []
    for policy in (header or "").split(","):
        directives = [part.split() for part in policy.split(";")]
        named = [words[1:] for words in directives if words and words[0].lower() == "frame-ancestors"]
        if named:
            policies.append(tuple(source for source in named[0] if source.lower() != "'none'"))
    return policies


def framed_by_anyone(policies: Iterable[Sources]) -> bool:
    """Whether no policy keeps strangers from framing: each has a source like `*`, `https:` or `https://*`."""
    anyone = re.compile(r"[a-z][a-z0-9+.-]*:|([a-z][a-z0-9+.-]*://)?\*(:(\*|[0-9]+))?/?", re.IGNORECASE)
    return all(any(anyone.fullmatch(source) for source in sources) for sources in policies)
