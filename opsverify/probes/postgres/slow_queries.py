"""The slowest statements by mean time, as pg_stat_statements has them."""

# ruff: noqa: S608 - what is pasted in is our own text or a quoted identifier; values are parameters

from __future__ import annotations

import re
from dataclasses import dataclass

from opsverify.errors import MissingPrivilege, ProbeError
from opsverify.probes.postgres.question import Server, Statement, Steps, quoted, shown
from opsverify.probes.postgres.refusals import StatementRefused
from opsverify.probes.tcp.transport import printable

UTILITY = (
    "query ~* '^([[:space:]]|--[^\n]*\n|/[*]([^*]|[*]+[^*/])*[*]+/)*"
    "(?!(select|insert|update|delete|merge|with|values|table|call)([^[:alnum:]_]|$))[a-z]'"
)
"""Whether a statement is a utility statement, as SQL: all are but queries (manual, "pg_stat_statements.track_utility").

CALL counts as a query: what a procedure does is the application's own work. A text that may not be seen counts as one
too, since `<insufficient privilege>` begins with no word.
"""


@dataclass(frozen=True)
class SlowQueries:
    """Answer: `SlowQueriesFacts`. Needs pg_stat_statements, installed and loaded, and pg_read_all_stats."""

    limit: int = 10
    minimum_calls: int = 1
    """Statements that ran less often are left out."""

    def steps(self, server: Server) -> Steps:
        """Find the extension, then ask it by the column names that its version has (renamed in 1.8, for 13)."""
        sql = (
            "SELECT n.nspname AS schema, e.extversion AS version, pg_has_role('pg_read_all_stats', 'USAGE') AS may,"
            " EXISTS (SELECT FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid"
            " WHERE c.relnamespace = n.oid AND c.relname = 'pg_stat_statements' AND a.attname = 'mean_exec_time')"
            " AS renamed FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace"
            " WHERE e.extname = 'pg_stat_statements'"
        )
        extensions = (yield Statement(sql)).rows
        if not extensions:
            raise ProbeError(
                "the extension pg_stat_statements is not installed in this database (CREATE EXTENSION"
                " pg_stat_statements)"
            )
        extension = extensions[0]
        if not extension["may"]:
            raise MissingPrivilege(
                f"role {server.role} sees only its own statements (GRANT pg_read_all_stats TO {shown(server.role)};"
                " pg_monitor includes it)"
            )
        kind = "exec_time" if extension["renamed"] else "time"
        sql = (
            # Each kind has a limit of its own: a night's COPY of every table must not push the queries out.
            "SELECT * FROM (SELECT left(query, 4000) AS query, calls, rows, mean, max, total, utility,"
            " row_number() OVER (PARTITION BY utility ORDER BY mean DESC) AS place FROM ("
            f"SELECT query, calls, rows, mean_{kind} AS mean, max_{kind} AS max, total_{kind} AS total,"
            f" coalesce({UTILITY}, false) AS utility FROM {quoted(extension['schema'])}.pg_stat_statements"
            " WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())"
            f" AND calls >= {int(self.minimum_calls)}) AS statements) AS placed"
            f" WHERE place <= {int(self.limit)} ORDER BY place"
        )
        try:
            rows = (yield Statement(sql)).rows
        except StatementRefused as refused:
            if refused.sqlstate == "55000":
                raise ProbeError(
                    "pg_stat_statements is installed but not loaded: shared_preload_libraries must name it"
                    " (a restart is needed)"
                ) from None
            if refused.sqlstate == "42501":
                raise MissingPrivilege(
                    f"role {server.role} may not read pg_stat_statements (GRANT USAGE ON SCHEMA"
                    f" {shown(extension['schema'])} TO {shown(server.role)})"
                ) from None
            raise
        by_kind: dict[bool, list[SlowQuery]] = {False: [], True: []}
        for row in rows:
            text = without_literals(row["query"])
            by_kind[row["utility"]].append(
                SlowQuery(text, row["calls"], row["mean"], row["max"], row["total"], row["rows"])
            )
        return SlowQueriesFacts(tuple(by_kind[False]), tuple(by_kind[True]), extension["version"])


@dataclass(frozen=True)
class SlowQuery:
    """A statement of pg_stat_statements; literals are replaced. Times in milliseconds, as the extension has them."""

    text: str
    calls: int
    mean_ms: float
    max_ms: float
    total_ms: float
    rows: int


@dataclass(frozen=True)
class SlowQueriesFacts:
    """This database's slowest statements by mean time, slowest first.

    `utilities`: COPY, VACUUM, CREATE INDEX and the like, which backups, maintenance and migrations run.
    """

    queries: tuple[SlowQuery, ...]
    utilities: tuple[SlowQuery, ...]
    extension_version: str


_LITERAL = re.compile(r"'(?:[^']|'')*(?:'|$)|\$(\w*)\$.*?(?:\$\1\$|$)", re.DOTALL)


def without_literals(text: str | None) -> str:
    """A statement on one line, bounded, without its literals.

    pg_stat_statements replaces the constants of queries but not of utility statements: ALTER ROLE … PASSWORD '…'.
    """
    return printable(_LITERAL.sub("'…'", text or ""), 300)
