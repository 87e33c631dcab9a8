"""Which tables there are, and how many constraints, indexes and sequences."""

# ruff: noqa: S608 - what is pasted in is our own text or a quoted identifier; values are parameters

from __future__ import annotations

from dataclasses import dataclass

from opsverify.probes.postgres.question import USER_SCHEMAS, Server, Statement, Steps
from opsverify.probes.postgres.tables import all_tables


@dataclass(frozen=True)
class TableInventory:
    """Answer: `TableInventoryFacts`. Any role."""

    def steps(self, server: Server) -> Steps:
        """One query for the tables, one for the counts."""
        tables = (yield all_tables()).rows
        row = (
            yield Statement(
                "SELECT (SELECT count(*) FROM pg_constraint k JOIN pg_namespace n ON n.oid = k.connamespace"
                f" WHERE k.conrelid <> 0 AND k.contype <> 'n' AND {USER_SCHEMAS}) AS constraints,"
                " (SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
                f" WHERE c.relkind IN ('i', 'I') AND {USER_SCHEMAS}) AS indexes,"
                " (SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
                f" WHERE c.relkind = 'S' AND {USER_SCHEMAS}) AS sequences"
            )
        ).rows[0]
        return TableInventoryFacts(
            tuple(sorted(f"{table['schema']}.{table['name']}" for table in tables)),
            row["constraints"],
            row["indexes"],
            row["sequences"],
        )


@dataclass(frozen=True)
class TableInventoryFacts:
    """Tables of user schemas as schema.name, sorted, and how many constraints, indexes and sequences there are.

    NOT NULL constraints are left out: PostgreSQL 18 began to list them, so counts would differ between versions.
    """

    tables: tuple[str, ...]
    constraints: int
    indexes: int
    sequences: int
