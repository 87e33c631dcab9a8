"""When a document says that it was last updated. Pure."""

from __future__ import annotations

import re
from datetime import date

from opsverify.runbook_document.reading import Reading

_LABEL = re.compile(
    r"(?:最終(?:更新|改訂|改定|見直し|レビュー)日?時?|(?:更新|改訂|改定)日"
    r"|last[ -]?(?:updated|reviewed|modified|revised)(?: on)?)\s*[::|]?\s*(.{0,40})",
    re.IGNORECASE,
)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = rf"(?P<name>{'|'.join(_MONTHS)})[a-z]*\.?"
_ERAS = {"令和": 2018, "平成": 1988, "R": 2018}
_FORMATS = [
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"(?P<year>\d{4})\s*年\s*(?P<month>\d{1,2})\s*月\s*(?P<day>\d{1,2})\s*日",
        r"(?P<era>令和|平成|R)\s*(?P<year>\d{1,2}|元)\s*[年.]\s*(?P<month>\d{1,2})\s*[月.]\s*(?P<day>\d{1,2})",
        r"(?P<year>\d{4})([-/.])(?P<month>\d{1,2})\2(?P<day>\d{1,2})(?!\d)",
        rf"{_MONTH}\s+(?P<day>\d{{1,2}})(?:st|nd|rd|th)?,?\s+(?P<year>\d{{4}})",
        rf"(?P<day>\d{{1,2}})(?:st|nd|rd|th)?\s+{_MONTH},?\s+(?P<year>\d{{4}})",
    )
]


def last_updated(document: Reading) -> date | None:
    """The latest day that stands beside "最終更新日", "last updated" or the like; None where none does.

    Days written with figures only are read with the year first: 03/04/2026 could be either, and is not taken.
    """
    texts = [line.text for line in document.lines if not line.is_code]
    texts += [" ".join(row) for table in document.tables for row in (table.head, *table.rows)]
    dates = [day for text in texts for match in _LABEL.finditer(text) if (day := _day(match[1])) is not None]
    return max(dates, default=None)


def _day(text: str) -> date | None:
    for pattern in _FORMATS:
        match = pattern.search(text)
        if match is None:
            continue
        parts = match.groupdict()
        year = 1 if parts["year"] == "元" else int(parts["year"])
        year += _ERAS.get((parts.get("era") or "").upper(), 0)
        name = parts.get("name")
        month = _MONTHS.index(name.lower()) + 1 if name else int(parts["month"])
        try:
            return date(year, month, int(parts["day"]))
        except ValueError:
            return None
    return None
