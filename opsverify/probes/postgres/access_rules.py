"""The rules of pg_hba.conf."""

from __future__ import annotations

from dataclasses import dataclass

from opsverify.errors import MissingPrivilege
from opsverify.probes.postgres.question import Server, Statement, Steps, shown
from opsverify.probes.tcp.transport import printable


@dataclass(frozen=True)
class HbaRules:
    """Answer: `HbaRulesFacts`. Needs SELECT on pg_hba_file_rules and EXECUTE on its function; hidden without.

    Options are left out: they may hold passwords of LDAP or RADIUS servers.
    """

    def steps(self, server: Server) -> Steps:
        """Ask whether we may, then read."""
        may = (
            yield Statement(
                "SELECT has_table_privilege('pg_catalog.pg_hba_file_rules', 'SELECT')"
                " AND has_function_privilege('pg_catalog.pg_hba_file_rules()', 'EXECUTE') AS may"
            )
        ).rows[0]["may"]
        if not may:
            role = shown(server.role)
            return HbaRulesFacts(
                (),
                f"role {server.role} may not read pg_hba.conf's rules (GRANT SELECT ON pg_hba_file_rules TO {role};"
                f" GRANT EXECUTE ON FUNCTION pg_hba_file_rules() TO {role})",
            )
        rows = (
            yield Statement(
                "SELECT line_number, type, database, user_name, address, netmask, auth_method, error"
                " FROM pg_hba_file_rules"
            )
        ).rows
        return HbaRulesFacts(
            tuple(
                HbaRule(
                    row["line_number"],
                    row["type"],
                    tuple(row["database"] or ()),
                    tuple(row["user_name"] or ()),
                    row["address"],
                    row["netmask"],
                    row["auth_method"],
                    None if row["error"] is None else printable(row["error"]),
                )
                for row in rows
            )
        )


@dataclass(frozen=True)
class HbaRule:
    """One line of pg_hba.conf as the server would load it. `error`: why it would not; the rest is then empty."""

    line: int
    type: str | None
    databases: tuple[str, ...]
    users: tuple[str, ...]
    address: str | None
    netmask: str | None
    method: str | None
    error: str | None

    def __str__(self) -> str:
        words = (self.type, ",".join(self.databases), ",".join(self.users), self.address, self.netmask, self.method)
        return f"line {self.line}: {' '.join(filter(None, words))}"

    @property
    def from_network(self) -> bool:
        """Whether it lets in other machines: a host rule whose address is not the loopback."""
        loopback = ("127.", "::1", "localhost", "samehost")
        return (self.type or "").startswith("host") and not (self.address or "").startswith(loopback)


@dataclass(frozen=True)
class HbaRulesFacts:
    """What pg_hba.conf says. `hidden`: why that may not be seen, or None."""

    listed: tuple[HbaRule, ...]
    hidden: str | None = None

    @property
    def rules(self) -> tuple[HbaRule, ...]:
        """The rules, in the order in which they are tried; raises MissingPrivilege where they may not be seen."""
        if self.hidden is not None:
            raise MissingPrivilege(self.hidden)
        return self.listed
