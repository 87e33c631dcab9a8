"""How many connections are in use, and how many there may be."""

from __future__ import annotations

from dataclasses import dataclass

from opsverify.probes.postgres.question import Server, Statement, Steps


@dataclass(frozen=True)
class Connections:
    """Answer: `ConnectionsFacts`. Any role; exact with pg_read_all_stats."""

    def steps(self, server: Server) -> Steps:
        """One query. Roles without the privilege see other roles' rows, but not their backend_type."""
        sql = (
            "SELECT count(*) FILTER (WHERE datid IS NOT NULL AND usesysid IS NOT NULL"
            " AND coalesce(backend_type, 'client backend') = 'client backend') AS used,"
            " current_setting('max_connections')::int AS max,"
            " current_setting('superuser_reserved_connections')::int"
            " + coalesce(current_setting('reserved_connections', true)::int, 0) AS reserved,"
            " pg_has_role('pg_read_all_stats', 'USAGE') AS exact FROM pg_stat_activity"
        )
        row = (yield Statement(sql)).rows[0]
        return ConnectionsFacts(row["used"], row["max"], row["reserved"], row["exact"])


@dataclass(frozen=True)
class ConnectionsFacts:
    """Client connections, ours included. `reserved`: kept for superusers and, since 16, pg_use_reserved_connections.

    `exact` is False without pg_read_all_stats: parallel workers then cannot be told from clients.
    """

    used: int
    max_connections: int
    reserved: int
    exact: bool

    @property
    def used_percent(self) -> float:
        """Used share of max_connections."""
        return 100 * self.used / self.max_connections
