"""Under which version of its provider a sort order was made: under another one, indexes may be in the wrong order."""

from __future__ import annotations

from dataclasses import dataclass

from opsverify.probes.postgres.question import Server, Statement, Steps
from opsverify.probes.tcp.transport import printable


@dataclass(frozen=True)
class CollationVersions:
    """Answer: `CollationVersionsFacts`. Any role.

    Collations that nothing in the database depends on are left out: a server has hundreds, and no index uses them.
    Source: manual, "ALTER COLLATION" (its query for what is affected) and "ALTER DATABASE … REFRESH COLLATION VERSION".
    """

    def steps(self, server: Server) -> Steps:
        """One query for collations, one for databases, which know their version since 15."""
        collations = (
            yield Statement(
                # The version is asked for only of what is left: asking for a locale that is not installed is an error.
                "SELECT u.name, u.recorded, pg_collation_actual_version(u.oid) AS actual FROM ("
                "SELECT c.oid, n.nspname || '.' || c.collname AS name, c.collversion AS recorded"
                " FROM pg_collation c JOIN pg_namespace n ON n.oid = c.collnamespace"
                " WHERE c.collprovider <> 'd' AND c.oid IN (SELECT d.refobjid FROM pg_depend d"
                " WHERE d.refclassid = 'pg_collation'::regclass AND d.deptype <> 'p'"
                " AND d.classid <> 'pg_collation'::regclass) OFFSET 0) AS u ORDER BY u.name"
            )
        ).rows
        databases = []
        if server.version_num >= 150000:
            databases = (
                yield Statement(
                    "SELECT datname AS name, datname = current_database() AS own, datcollversion AS recorded,"
                    " pg_database_collation_actual_version(oid) AS actual FROM pg_database"
                    " WHERE datallowconn ORDER BY 2 DESC, 1"
                )
            ).rows
        return CollationVersionsFacts(
            tuple(_versioned(row) for row in collations),
            tuple(_versioned(row) for row in databases if row["own"]),
            tuple(_versioned(row) for row in databases if not row["own"]),
            server.version_num // 10000,
        )


def _versioned(row: dict[str, str | None]) -> Versioned:
    texts = [None if row[key] is None else printable(str(row[key]), 63) for key in ("recorded", "actual")]
    return Versioned(printable(str(row["name"]), 127), *texts)


@dataclass(frozen=True)
class Versioned:
    """A collation or database: the version that it was made under, and the provider's now; None: there is none."""

    name: str
    recorded: str | None
    actual: str | None

    @property
    def differs(self) -> bool:
        """Whether it was made under another version, one of a provider that now has no versions included."""
        return self.recorded is not None and self.recorded != self.actual

    @property
    def unknown(self) -> bool:
        """Whether nobody noted the version, though there are some: it was made where the provider had none."""
        return self.recorded is None and self.actual is not None

    def __str__(self) -> str:
        return f"{self.name} made under {self.recorded or 'no known version'}, now {self.actual or 'without versions'}"


@dataclass(frozen=True)
class CollationVersionsFacts:
    """`own`: this database; empty before 15, where databases keep no version. `others`: those of the same server."""

    collations: tuple[Versioned, ...]
    own: tuple[Versioned, ...]
    others: tuple[Versioned, ...]
    major: int


__all__ = ["CollationVersions", "CollationVersionsFacts", "Versioned"]
