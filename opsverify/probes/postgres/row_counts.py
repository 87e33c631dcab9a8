"""Exact row counts."""

# ruff: noqa: S608 - what is pasted in is our own text or a quoted identifier; values are parameters

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from opsverify.probes.postgres.question import Server, Statement, Steps, quoted
from opsverify.probes.postgres.tables import all_tables, find, require_select


@dataclass(frozen=True)
class RowCounts:
    """Exact counts. Answer: `RowCountsFacts`. Needs SELECT on a column of each table, unhindered by row security.

    `tables`: names as they are spelt in the catalogue, `name` (search_path, else public) or `schema.name`; none: all
    tables of user schemas, then named schema.name.
    """

    tables: tuple[str, ...] = ()

    weight: ClassVar[int] = 9  # last in line: it reads whole tables

    def steps(self, server: Server) -> Steps:
        """Find the tables, then count them in one statement."""
        if self.tables:
            by_name = {row["asked"]: row for row in reversed((yield find(list(self.tables))).rows)}
        else:
            rows = (yield all_tables()).rows
            by_name = {f"{row['schema']}.{row['name']}": row for row in rows}
        wanted = self.tables or tuple(by_name)
        require_select(list(by_name.values()), server.role, right="count_ok")
        counts: dict[str, int] = {}
        if by_name:
            parts = [
                f"SELECT {number} AS which, count(*) AS n FROM {quoted(row['schema'])}.{quoted(row['name'])}"
                for number, row in enumerate(by_name.values())
            ]
            rows = (yield Statement(" UNION ALL ".join(parts))).rows
            names = list(by_name)
            counts = {names[row["which"]]: row["n"] for row in rows}
        return RowCountsFacts(tuple((name, counts.get(name)) for name in wanted))


@dataclass(frozen=True)
class RowCountsFacts:
    """Exact counts, (table, rows) in the order asked; rows is None where there is no such table."""

    counts: tuple[tuple[str, int | None], ...]
