"""The Strict-Transport-Security header (RFC 6797). Pure."""

from __future__ import annotations

import re


def max_age(header: str | None) -> int | None:
    """Seconds for which a browser stays on https; None where the header is absent, or one that browsers ignore.

    A directive that comes twice makes the whole header invalid (RFC 6797, 6.1).
    """
    directives = [part.partition("=") for part in (header or "").split(";")]
    ages = [value.strip() for name, _, value in directives if name.strip().lower() == "max-age"]
    match = re.fullmatch(r'"([0-9]{1,15})"|([0-9]{1,15})', ages[0]) if len(ages) == 1 else None
    return int(match[1] or match[2]) if match else None
