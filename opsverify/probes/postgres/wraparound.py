"""How near the server is to transaction-ID wraparound."""

# ruff: noqa: S608 - what is pasted in is our own text or a quoted identifier; values are parameters

from __future__ import annotations

from dataclasses import dataclass

from opsverify.probes.postgres.question import Server, Statement, Steps

XID_LIMIT = 2**31
"""Transaction ids before wraparound (manual, "Preventing Transaction ID Wraparound Failures")."""


@dataclass(frozen=True)
class Wraparound:
    """Answer: `WraparoundFacts`. Any role."""

    oldest: int = 5

    def steps(self, server: Server) -> Steps:
        """One query for databases, one for tables."""
        databases = (
            yield Statement(
                "SELECT datname AS name, age(datfrozenxid) AS xid, mxid_age(datminmxid) AS multixact,"
                " current_setting('autovacuum_freeze_max_age')::int AS freeze,"
                " current_setting('autovacuum_multixact_freeze_max_age')::int AS mfreeze"
                " FROM pg_database ORDER BY greatest(age(datfrozenxid), mxid_age(datminmxid)) DESC, datname"
            )
        ).rows
        tables = (
            yield Statement(
                "SELECT c.oid::regclass::text AS name, age(c.relfrozenxid) AS xid, mxid_age(c.relminmxid) AS multixact"
                " FROM pg_class c WHERE c.relkind IN ('r', 'm', 't') AND c.relfrozenxid <> '0'"
                " ORDER BY greatest(age(c.relfrozenxid), mxid_age(c.relminmxid)) DESC, c.oid"
                f" LIMIT {int(self.oldest)}"
            )
        ).rows
        return WraparoundFacts(
            tuple(Aged(row["name"], row["xid"], row["multixact"]) for row in databases),
            tuple(Aged(row["name"], row["xid"], row["multixact"]) for row in tables),
            databases[0]["freeze"],
            databases[0]["mfreeze"],
        )


@dataclass(frozen=True)
class Aged:
    """A database or table and how many transactions, or multixacts, ago it was frozen."""

    name: str
    xid_age: int
    multixact_age: int


@dataclass(frozen=True)
class WraparoundFacts:
    """All databases of the server and this database's oldest tables, each oldest first."""

    databases: tuple[Aged, ...]
    oldest_tables: tuple[Aged, ...]
    freeze_max_age: int
    multixact_freeze_max_age: int

    @property
    def used_percent(self) -> float:
        """The larger of both counters' ages, as a share of 2^31."""
        return 100 * max((max(d.xid_age, d.multixact_age) for d in self.databases), default=0) / XID_LIMIT
