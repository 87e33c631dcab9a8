"""What a database says of itself, for whoever does not know it yet."""

from __future__ import annotations

from dataclasses import dataclass

from opsverify.probes.postgres.question import Server, Statement, Steps
from opsverify.probes.tcp.transport import printable


@dataclass(frozen=True)
class Itself:
    """Answer: `ItselfFacts`. Any role."""

    def steps(self, server: Server) -> Steps:
        """One query."""
        row = (
            yield Statement(
                "SELECT current_setting('server_version') AS version, pg_is_in_recovery() AS standby,"
                " ARRAY(SELECT extname::text FROM pg_extension ORDER BY 1) AS extensions,"
                " pg_has_role('pg_monitor', 'USAGE') AS monitors,"
                " (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) AS superuser,"
                " to_regclass('_prisma_migrations') IS NOT NULL AS prisma,"
                " COALESCE((SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()), false) AS tls"
            )
        ).rows[0]
        return ItselfFacts(
            printable(row["version"], 60),
            row["standby"],
            tuple(printable(name, 63) for name in row["extensions"]),
            row["monitors"],
            bool(row["superuser"]),
            row["prisma"],
            row["tls"],
        )


@dataclass(frozen=True)
class ItselfFacts:
    """`standby`: it follows another server. `monitors`: the role has what pg_monitor has. `prisma`: it has Prisma's
    migrations. `tls`: this session was encrypted.
    """

    version: str
    standby: bool
    extensions: tuple[str, ...]
    monitors: bool
    superuser: bool
    prisma: bool
    tls: bool


__all__ = ["Itself", "ItselfFacts"]
