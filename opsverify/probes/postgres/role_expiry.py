"""When the passwords of those roles end that the system logs in with."""

# ruff: noqa: S608 - what is pasted in is our own text; values are parameters

from __future__ import annotations

from dataclasses import dataclass

from opsverify.probes.postgres.question import Server, Statement, Steps
from opsverify.probes.tcp.transport import printable


@dataclass(frozen=True)
class RoleExpiry:
    """Answer: `RoleExpiryFacts`. Any role.

    Looked at are the role of this session, those that have another session in this database now, those that own
    tables in it, and those that are `named`.
    Source: manual, "CREATE ROLE … VALID UNTIL" and "pg_roles".
    """

    named: tuple[str, ...] = ()

    def steps(self, server: Server) -> Steps:
        """One query. Behind a pooler the session's role is not the one that connected to the pooler."""
        named = " UNION ALL ".join(f"SELECT ${number + 1}::text" for number in range(len(self.named)))
        rows = (
            yield Statement(
                "SELECT a.name, r.oid IS NOT NULL AS exists, coalesce(r.rolcanlogin, false) AS can_log_in,"
                " CASE WHEN isfinite(r.rolvaliduntil)"
                " THEN extract(epoch FROM r.rolvaliduntil - clock_timestamp())::float8 / 86400 END AS days,"
                # Year 294276 and '-infinity' are no numbers of days either; the latter has ended for sure.
                " r.rolvaliduntil = '-infinity' AS never FROM ("
                "SELECT session_user::text AS name UNION SELECT usename::text FROM pg_stat_activity"
                " WHERE datname = current_database() AND usename IS NOT NULL UNION"
                " SELECT o.rolname::text FROM pg_class c JOIN pg_roles o ON o.oid = c.relowner"
                " JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p') AND o.rolcanlogin"
                " AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%'"
                f"{' UNION ' if named else ''}{named}"
                ") AS a LEFT JOIN pg_roles r ON r.rolname = a.name ORDER BY days, a.name",
                self.named,
            )
        ).rows
        return RoleExpiryFacts(
            tuple(
                RoleEnd(
                    printable(row["name"], 63),
                    row["exists"],
                    row["can_log_in"],
                    -1.0 if row["never"] else row["days"],
                )
                for row in rows
            )
        )


@dataclass(frozen=True)
class RoleEnd:
    """A role, and in how many days its password ends, by the server's clock; negative: it has; None: it does not."""

    name: str
    exists: bool
    can_log_in: bool
    days_left: float | None


@dataclass(frozen=True)
class RoleExpiryFacts:
    """Those that end first come first."""

    roles: tuple[RoleEnd, ...]


__all__ = ["RoleEnd", "RoleExpiry", "RoleExpiryFacts"]
