"""JSON bodies, read with suspicion: what is not of the right type is not there. Pure."""

from __future__ import annotations

import json
import math
from datetime import datetime
from typing import Any

from opsverify.probes.tcp.transport import printable


def parse_json(body: bytes) -> Any:
    """The value of a JSON body (RFC 8259: UTF-8, no NaN), or None when it is none that is sane to work with."""

    def refuse(_: str) -> float:
        raise ValueError

    try:
        return json.loads(body.decode("utf-8-sig"), parse_constant=refuse)
    except (ValueError, RecursionError):
        return None


def text_in(value: Any) -> str | None:
    """The value if it is text, bounded and printable."""
    return printable(value, 200) if isinstance(value, str) else None


def figure_in(value: Any) -> float | None:
    """The value if it is a finite number."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        return float(value) if math.isfinite(value) else None
    except OverflowError:
        return None


def moment_in(value: Any) -> datetime | None:
    """The value if it is an ISO 8601 time with its zone."""
    if not isinstance(value, str) or len(value) > 40:
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return moment if moment.tzinfo else None
