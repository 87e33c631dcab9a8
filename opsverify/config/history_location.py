"""Which database holds the history, from a URL. Pure, and without SQLAlchemy: environment files are checked with it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from opsverify.config.addresses import split

OFF = "none"
ALLOWED = "postgresql://user@host:5432/name, sqlite:///path/to/history.db, or none"
DEFAULT_FILE = Path("reports") / "history.db"


@dataclass(frozen=True)
class Location:
    """A database. `address` is the file's path or libpq's connection string, and may hold a password: not in repr."""

    kind: Literal["sqlite", "postgresql", "none"]
    address: str = field(default="", repr=False)
    label: str = OFF
    """For messages: the path, or the server and database without user and password."""

    @property
    def off(self) -> bool:
        """Whether the operator wants no history at all."""
        return self.kind == OFF


def locate(url: str | None, base: Path) -> Location:
    """The location that a URL names; None or "" is the default file, `none` no history.

    A relative SQLite path, and the default, are below `base`. Raises ValueError with what is allowed.
    """
    if not url:
        return _file(base / DEFAULT_FILE)
    if url == OFF:
        return Location("none")
    if url.startswith("sqlite:"):
        return _file(base / _sqlite_path(url))
    if url.startswith(("postgresql://", "postgres://")):
        return Location("postgresql", url, _postgres_label(url))
    raise ValueError(ALLOWED)


def check(url: str) -> str:
    """The URL itself; raises ValueError with what is allowed when `locate` would."""
    locate(url, Path())
    return url


def _file(path: Path) -> Location:
    return Location("sqlite", str(path), str(path))


def _sqlite_path(url: str) -> str:
    path = url.removeprefix("sqlite:///")
    # SQLAlchemy's forms without a file keep everything in memory: a history that forgets would be none.
    if path == url or not path or path == ":memory:" or "?" in path or path.endswith("/"):
        raise ValueError("sqlite:///path/to/history.db, with four slashes where the path is absolute")
    return path


def _postgres_label(url: str) -> str:
    try:
        parts = split(url)
        where, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise ValueError(str(error) if "encoded" in str(error) else ALLOWED) from None
    if len(parts.path) < 2 or port == 0:
        raise ValueError("a PostgreSQL URL that names a database, postgresql://user@host:5432/name")
    return f"postgresql://{where}{f':{port}' if port else ''}{parts.path}"
