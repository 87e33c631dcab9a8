"""Indexes that are not used, and constraints that were never checked."""

# ruff: noqa: S608 - what is pasted in is our own text or a quoted identifier; values are parameters

from __future__ import annotations

from dataclasses import dataclass

from opsverify.probes.postgres.question import Server, Statement, Steps


@dataclass(frozen=True)
class InvalidObjects:
    """Answer: `InvalidObjectsFacts`. Any role; pg_read_all_stats tells what is only being built."""

    def steps(self, server: Server) -> Steps:
        """One query for indexes, one for constraints. NOT ENFORCED ones (18) are meant to be unchecked."""
        building = "false"
        if server.version_num >= 120000:
            building = "EXISTS (SELECT FROM pg_stat_progress_create_index p WHERE p.index_relid = i.indexrelid)"
        indexes = (
            yield Statement(
                "SELECT n.nspname AS schema, t.relname AS table, c.relname AS name,"
                f" {building} AS building FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid"
                " JOIN pg_class t ON t.oid = i.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace"
                " WHERE NOT (i.indisvalid AND i.indisready AND i.indislive) ORDER BY 1, 2, 3"
            )
        ).rows
        enforced = " AND k.conenforced" if server.version_num >= 180000 else ""
        constraints = (
            yield Statement(
                "SELECT n.nspname AS schema, t.relname AS table, k.conname AS name FROM pg_constraint k"
                " JOIN pg_class t ON t.oid = k.conrelid JOIN pg_namespace n ON n.oid = t.relnamespace"
                f" WHERE NOT k.convalidated{enforced} ORDER BY 1, 2, 3"
            )
        ).rows
        return InvalidObjectsFacts(
            tuple(InvalidIndex(r["schema"], r["table"], r["name"], r["building"]) for r in indexes),
            tuple(UnvalidatedConstraint(r["schema"], r["table"], r["name"]) for r in constraints),
        )


@dataclass(frozen=True)
class InvalidIndex:
    """An index that the planner ignores. `being_built`: by CREATE INDEX CONCURRENTLY at this moment."""

    schema: str
    table: str
    name: str
    being_built: bool


@dataclass(frozen=True)
class UnvalidatedConstraint:
    """A constraint added NOT VALID: old rows were never checked."""

    schema: str
    table: str
    name: str


@dataclass(frozen=True)
class InvalidObjectsFacts:
    """What a broken migration or restore leaves behind."""

    indexes: tuple[InvalidIndex, ...]
    constraints: tuple[UnvalidatedConstraint, ...]
