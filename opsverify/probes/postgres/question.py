"""What can be asked of a database: each question's SQL, and how its rows become a fact.

`steps` is a generator: it yields a Statement, is sent its Result (or has StatementRefused thrown in), and returns the
fact. Questions so may take several turns while the turns of all of them share round trips.
"""

from __future__ import annotations

import re
from collections.abc import Generator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Statement:
    """One SELECT (or a command of our own transaction) with its parameters $1, $2, …, sent as text."""

    sql: str
    values: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Result:
    """Rows of one query, our time when it was sent, and seconds until its answer."""

    rows: Rows
    sent_at: datetime
    seconds: float


Steps = Generator[Statement, Result, Any]

USER_SCHEMAS = (
    "n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')"
    " AND n.nspname NOT LIKE 'pg\\_temp\\_%' AND n.nspname NOT LIKE 'pg\\_toast\\_temp\\_%'"
)


@dataclass(frozen=True)
class Server:
    """What is known from connecting."""

    version_num: int
    role: str
    connect_seconds: float
    round_trip_seconds: float


def quoted(name: str) -> str:
    """An identifier for a query (manual, "Identifiers and Key Words")."""
    return '"' + name.replace('"', '""') + '"'


def shown(name: str) -> str:
    """An identifier for a sentence: quoted only where it must be."""
    return name if re.fullmatch(r"[a-z_][a-z0-9_]*", name) else quoted(name)


def time_of(value: str) -> datetime:
    """A time as PostgreSQL prints it with DateStyle ISO."""
    return datetime.fromisoformat(value)


def time_or_none(value: str | None) -> datetime | None:
    """The same, None for NULL and for times that Python has not."""
    if value is None:
        return None
    try:
        return datetime.fromisoformat(value)
    except ValueError:  # 'infinity', or a year that Python has not
        return None
