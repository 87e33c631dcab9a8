"""CSV that spreadsheet programs open as it is meant: as UTF-8, and as text."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""What makes a formula of a cell. Source: OWASP, CSV Injection; Japanese Excel takes the wide ones, too."""


def cell(value: str | float) -> str | float:
    """A cell that no spreadsheet program computes: text that looks like a formula begins with a quote."""
    if isinstance(value, str) and value.lstrip(" ").startswith(_FORMULA):
        return f"'{value}"
    return value


def document(rows: Iterable[Sequence[str | float]]) -> bytes:
    """Rows as a CSV file (RFC 4180), with the mark by which spreadsheet programs know UTF-8."""
    text = io.StringIO(newline="")
    csv.writer(text).writerows([cell(value) for value in row] for row in rows)
    return text.getvalue().encode("utf-8-sig")
