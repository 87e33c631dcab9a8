"""Transactions that nobody works on and nobody has ended: they keep vacuum from clearing what was deleted since."""

from __future__ import annotations

from dataclasses import dataclass

from opsverify.errors import MissingPrivilege
from opsverify.probes.postgres.question import Server, Statement, Steps


@dataclass(frozen=True)
class OpenTransactions:
    """Answer: `OpenTransactionsFacts`, of this database. Any role; sessions of others need pg_monitor.

    Source: manual, "pg_stat_activity" (state_change: since when a session is idle) and "pg_prepared_xacts".
    """

    def steps(self, server: Server) -> Steps:
        """One query. A hidden session has no state: whether it waits in a transaction is then not known."""
        sql = (
            "SELECT 'session ' || pid || coalesce(' of ' || nullif(usename, ''), '')"
            " || coalesce(' (' || nullif(application_name, '') || ')', '') AS name,"
            " extract(epoch FROM clock_timestamp() - state_change)::float8 / 60 AS minutes,"
            " state IS NULL AS hidden"
            " FROM pg_stat_activity WHERE datname = current_database() AND (state LIKE 'idle in transaction%'"
            " OR state IS NULL AND usesysid IS NOT NULL AND NOT pg_has_role('pg_read_all_stats', 'USAGE'))"
            " UNION ALL"
            " SELECT 'prepared transaction ' || gid || ' of ' || owner,"
            " extract(epoch FROM clock_timestamp() - prepared)::float8 / 60, false"
            " FROM pg_prepared_xacts WHERE database = current_database()"
            " ORDER BY minutes DESC NULLS LAST, name"
        )
        rows = (yield Statement(sql)).rows
        return OpenTransactionsFacts(
            tuple(OpenTransaction(row["name"], max(0.0, row["minutes"])) for row in rows if not row["hidden"]),
            hidden=sum(row["hidden"] for row in rows),
            role=server.role,
        )


@dataclass(frozen=True)
class OpenTransaction:
    """A transaction, by who holds it, and for how long nothing has been done in it."""

    holder: str
    minutes: float

    def __str__(self) -> str:
        return f"{self.holder} for {self.minutes:,.0f} min"


@dataclass(frozen=True)
class OpenTransactionsFacts:
    """The longest first. `hidden`: sessions whose state this role may not see."""

    transactions: tuple[OpenTransaction, ...]
    hidden: int
    role: str

    @property
    def longest_minutes(self) -> float:
        """0 where there is none; raises MissingPrivilege where a hidden session may hold one that is longer."""
        if self.hidden:
            raise MissingPrivilege(
                f"how long transactions stay open: role {self.role} may not see {self.hidden} sessions of others; "
                "grant it pg_monitor"
            )
        return self.transactions[0].minutes if self.transactions else 0.0

    @property
    def longest(self) -> str:
        """Who holds the three longest, for people."""
        return ", ".join(str(transaction) for transaction in self.transactions[:3])


__all__ = ["OpenTransaction", "OpenTransactions", "OpenTransactionsFacts"]
