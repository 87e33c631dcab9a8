"""Every figure that an operators' runbook states: limits, versions, retention, response times. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from opsverify.runbook_document.quantities import Quantity, quantity
from opsverify.runbook_document.reading import Reading

_NORMAL = re.compile(r"正常|normal|\bok\b|target|目標", re.IGNORECASE)
_ALERT = re.compile(r"アラート|異常|警報|alert|critical", re.IGNORECASE)
_PRIORITY = re.compile(r"優先度|重要度|priority|severity", re.IGNORECASE)
_RESPONSE = re.compile(r"対応時間|対応期限|response|respond", re.IGNORECASE)
_VERSION = r"(?P<command>(?<![\w./-])[A-Za-z/.][\w./-]* (?:--version|-[vV]))\b"


@dataclass(frozen=True)
class Threshold:
    """A row of a table of limits; a cell without a figure is None."""

    chapter: str
    subject: str
    normal: Quantity | None
    alert: Quantity | None
    text: str


@dataclass(frozen=True)
class VersionRule:
    """Versions beside a command that prints one: those allowed, or the lowest (`or_newer`)."""

    chapter: str
    subject: str
    """The command, `node --version`."""
    majors: tuple[int, ...]
    or_newer: bool
    text: str


@dataclass(frozen=True)
class Retention:
    """After how many days something is deleted."""

    chapter: str
    subject: str
    """Where `find` looks, `./logs`."""
    days: float
    text: str


@dataclass(frozen=True)
class ResponseTime:
    """A row of the table of priorities."""

    chapter: str
    subject: str
    """P1 to P4."""
    time: Quantity
    text: str


Statement = Threshold | VersionRule | Retention | ResponseTime


def statements(document: Reading) -> list[Statement]:
    """All figures that are understood, in the document's order within each kind."""
    return [*_thresholds(document), *_response_times(document), *_versions(document), *_retention(document)]


def _column(head: tuple[str, ...], pattern: re.Pattern[str], start: int = 0) -> int | None:
    return next((i for i, cell in enumerate(head) if i >= start and pattern.search(cell)), None)


def _cell(row: tuple[str, ...], column: int) -> str:
    return row[column] if column < len(row) else ""


def _thresholds(document: Reading) -> Iterator[Threshold]:
    for table in document.tables:
        normal, alert = _column(table.head, _NORMAL, 1), _column(table.head, _ALERT, 1)
        if normal is None or alert is None:
            continue
        for row in table.rows:
            limits = quantity(_cell(row, normal)), quantity(_cell(row, alert))
            if any(limits):
                text = f"{_cell(row, normal) or '–'}, {table.head[alert]} {_cell(row, alert) or '–'}"
                yield Threshold(table.chapter, _cell(row, 0), *limits, text)


def _response_times(document: Reading) -> Iterator[ResponseTime]:
    for table in document.tables:
        priority, response = _column(table.head, _PRIORITY), _column(table.head, _RESPONSE)
        if priority is None or response is None:
            continue
        for row in table.rows:
            level = re.match(r"P[1-4]\b", _cell(row, priority), re.IGNORECASE)
            time = quantity(_cell(row, response))
            if level and time:
                yield ResponseTime(table.chapter, level[0].upper(), time, _cell(row, response))


def _versions(document: Reading) -> Iterator[VersionRule]:
    for line in document.lines:
        # In code it is a comment that tells a version: `psql -v ON_ERROR_STOP=1` sets something.
        match = re.search(_VERSION + (r"[ \t]*#\W*" if line.is_code else r"\W*") + "(?P<told>.*)", line.text)
        if match is None:
            continue
        majors = tuple(int(major) for major in re.findall(r"(?<![\w.])v?(\d{1,3})(?:\.[x\d*]+)*", match["told"]))
        newer = re.search(r"以上|以降|or (?:newer|later|higher)|>=|≥|\d\s*\+", match["told"], re.IGNORECASE)
        if majors:
            yield VersionRule(line.chapter, match["command"], majors, bool(newer), match["told"])


def _retention(document: Reading) -> Iterator[Retention]:
    ages: list[tuple[int, float, str]] = []  # "30日以上前" above the commands that do it
    for line in document.lines:
        command = re.search(r"\bfind\s+(?P<where>\S+).*-mtime\s+\+(?P<days>\d+)", line.text)
        if command:
            # "${BACKUP_DIR:?}" is the same place, seen to be some.
            where = re.sub(r"\$\{(\w+)(?::?\?[^}]*)?\}", r"$\1", command["where"].strip("\"'"))
            days = float(command["days"])
            yield Retention(line.chapter, where, days, f"-mtime +{command['days']}")
            for block, age, text in ages:
                if block == line.block:
                    yield Retention(line.chapter, where, age, text)
            ages = [one for one in ages if one[0] != line.block]
            continue
        ago = re.search(r"(?<!\d)(\d+)\s*(?:日|days?)\s*(?:以上前|より前|以前|経過|old)", line.text, re.IGNORECASE)
        if ago:
            ages.append((line.block, float(ago[1]), ago[0]))
