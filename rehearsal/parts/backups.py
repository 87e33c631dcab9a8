"""Thirty days of backups: the newest made by the release's own backup script, the older drawn from it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rehearsal.errors import NotStarted
from rehearsal.layout import Layout
from rehearsal.parts.postgres import OWNER, Postgres

NEWEST_AGO = timedelta(hours=1)
DAYS = 31
WEEKLY_AGO = timedelta(days=3)
BACKUP_SECONDS = 60
GROWTH_TABLE = "public.weight_records"
"""The table whose rows grew over the days: an older dump holds fewer of them."""

TABLES = b"""
SELECT format('%I.%I', n.nspname, c.relname), (n.nspname || '.' || c.relname)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' ORDER BY 2
"""
# PostgreSQL 18 began to list NOT NULL as constraints: left out, the count is the same for every version.
CONSTRAINTS = b"""
SELECT count(*) FROM pg_constraint c JOIN pg_namespace n ON n.oid = c.connamespace
WHERE c.contype <> 'n' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
"""
INDEXES = b"""
SELECT count(*)
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
"""


class Backups:
    """The backup folder and the weekly maintenance dump."""

    def __init__(self, layout: Layout, postgres: Postgres) -> None:
        self.folder = layout.backups
        self._layout = layout
        self._postgres = postgres

    def create(self) -> None:
        """Take one backup for real, date it an hour ago, and put as many earlier days beside it as are kept."""
        now = datetime.now().astimezone()
        database, application = self.take(now - NEWEST_AGO)
        script = database.read_bytes()
        for day in range(1, DAYS):
            when = now - NEWEST_AGO - timedelta(days=day)
            _write(self.folder / f"db_{when:%Y%m%d_%H%M%S}.sql", _shrunk(script, day), when)
            older = self.folder / f"app_{when:%Y%m%d_%H%M%S}.tar.gz"
            shutil.copyfile(application, older)
            _date(older, when)
        weekly = now - WEEKLY_AGO
        self._layout.weekly_backups.mkdir(exist_ok=True)
        self._layout.weekly_backups.chmod(0o700)
        _write(
            self._layout.weekly_backups / f"mycats_{weekly:%Y%m%d}.sql",
            _shrunk(script, WEEKLY_AGO.days),
            weekly,
        )

    def take(self, when: datetime) -> tuple[Path, Path]:
        """Run the backup script and date its two files `when`, with a manifest beside the dump.

        Returns the dump and the archive. Raises NotStarted with the script's own words.
        """
        stamp = f"{when:%Y%m%d_%H%M%S}"
        done = subprocess.run(
            ["sh", str(self._layout.scripts / "backup.sh")],
            env={"PATH": os.environ.get("PATH", os.defpath), "BACKUP_DATE": stamp, "LC_ALL": "C"},
            cwd="/",
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=BACKUP_SECONDS,
        )
        if done.returncode != 0:
            raise NotStarted(f"backup.sh failed: {done.stderr.strip()[-600:]}")
        database, application = self.folder / f"db_{stamp}.sql", self.folder / f"app_{stamp}.tar.gz"
        manifest = database.with_name(database.name + ".manifest.json")
        _write(manifest, json.dumps(self._manifest(when), indent=2).encode(), when)
        _date(database, when)
        _date(application, when)
        return database, application

    def _manifest(self, when: datetime) -> dict[str, object]:
        """Count what the source holds: exact rows per table, constraints (without NOT NULL), indexes."""
        with self._postgres.connect(OWNER) as connection:
            tables: dict[str, int] = {}
            for quoted, plain in connection.execute(TABLES).fetchall():
                row = connection.execute(f"SELECT count(*) FROM {quoted}".encode()).fetchone()
                tables[plain] = row[0] if row else 0
            constraints = connection.execute(CONSTRAINTS).fetchone()
            indexes = connection.execute(INDEXES).fetchone()
        return {
            "database": "mycats",
            "taken_at": when.astimezone(UTC).isoformat(timespec="seconds"),
            "tables": tables,
            "constraints": constraints[0] if constraints else 0,
            "indexes": indexes[0] if indexes else 0,
        }


def _shrunk(script: bytes, rows: int) -> bytes:
    """Return the dump without the last `rows` rows of the growing table: still whole, a little smaller."""
    match = re.search(
        rb"^COPY " + re.escape(GROWTH_TABLE.encode()) + rb" .*?\n\\\.\n", script, re.MULTILINE | re.DOTALL
    )
    if match is None:
        return script
    lines = match[0].splitlines(keepends=True)
    return script[: match.start()] + b"".join(lines[: -1 - rows] + lines[-1:]) + script[match.end() :]


def _write(path: Path, content: bytes, when: datetime) -> None:
    path.write_bytes(content)
    _date(path, when)


def _date(path: Path, when: datetime) -> None:
    path.chmod(0o600)
    os.utime(path, (when.timestamp(), when.timestamp()))
