"""Prisma's own record of the migrations that were applied."""

# ruff: noqa: S608 - what is pasted in is our own text or a quoted identifier; values are parameters

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from opsverify.probes.postgres.question import Server, Statement, Steps, quoted, time_or_none
from opsverify.probes.postgres.tables import find, require_select
from opsverify.probes.tcp.transport import printable


@dataclass(frozen=True)
class AppliedMigrations:
    """Answer: `AppliedMigrationsFacts`. Needs SELECT on `_prisma_migrations`, in the search_path or else in public."""

    def steps(self, server: Server) -> Steps:
        """Find the table, then read it."""
        tables = (yield find(["_prisma_migrations"])).rows
        if not tables:
            return AppliedMigrationsFacts(False, None, ())
        table = tables[0]
        require_select([table], server.role)
        sql = (
            "SELECT migration_name, checksum, started_at, finished_at, rolled_back_at, applied_steps_count,"
            f" coalesce(logs, '') <> '' AS has_logs FROM {quoted(table['schema'])}.{quoted(table['name'])}"
            " ORDER BY started_at, migration_name"
        )
        rows = (yield Statement(sql)).rows
        return AppliedMigrationsFacts(
            True,
            table["schema"],
            tuple(
                Migration(
                    printable(row["migration_name"]),
                    row["checksum"],
                    time_or_none(row["started_at"]),
                    time_or_none(row["finished_at"]),
                    time_or_none(row["rolled_back_at"]),
                    row["applied_steps_count"],
                    row["has_logs"],
                )
                for row in rows
            ),
        )


@dataclass(frozen=True)
class Migration:
    """One row of Prisma's table. A failed one has no `finished_at`, and logs."""

    name: str
    checksum: str
    started_at: datetime | None
    finished_at: datetime | None
    rolled_back_at: datetime | None
    steps: int
    has_logs: bool


@dataclass(frozen=True)
class AppliedMigrationsFacts:
    """`_prisma_migrations`, oldest first. `exists` is False, and `schema` None, where there is no such table."""

    exists: bool
    schema: str | None
    migrations: tuple[Migration, ...]
