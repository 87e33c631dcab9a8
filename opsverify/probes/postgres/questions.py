"""What can be asked of a database: each question's SQL and how its rows become a fact.

`steps` is a generator: it yields a Query, is sent its Result (or has QueryRefused thrown in), and returns the fact.
Questions so may take several turns while the turns of all of them share round trips. Tables are looked up in the
catalogue first, which every role may read: asking for a missing or forbidden one would be an error without a name.
"""

# ruff: noqa: S608 - what is pasted in is our own text or a quoted identifier; values are parameters

from __future__ import annotations

import re
from collections.abc import Generator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from opsverify.errors import MissingPrivilege, ProbeError
from opsverify.probes.dial import printable
from opsverify.probes.postgres import facts
from opsverify.probes.postgres.refusals import Query, QueryRefused, Result

Steps = Generator[Query, Result, Any]

_USER_SCHEMAS = (
    "n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')"
    " AND n.nspname NOT LIKE 'pg\\_temp\\_%' AND n.nspname NOT LIKE 'pg\\_toast\\_temp\\_%'"
)


@dataclass(frozen=True)
class Server:
    """What is known from connecting."""

    version_num: int
    role: str
    connect_seconds: float
    round_trip_seconds: float


@dataclass(frozen=True)
class Connect:
    """How long connecting takes. Answer: `ConnectFacts`. Needs CONNECT on the database."""

    def steps(self, server: Server) -> Steps:
        """No query: measured while connecting."""
        return facts.ConnectFacts(server.connect_seconds, server.round_trip_seconds)
        yield


@dataclass(frozen=True)
class ServerVersion:
    """Answer: `ServerVersionFacts`. Any role."""

    def steps(self, server: Server) -> Steps:
        """One query."""
        row = (yield Query("SELECT version() AS text, pg_is_in_recovery() AS in_recovery")).rows[0]
        number = server.version_num
        return facts.ServerVersionFacts(number, number // 10000, printable(row["text"], 200), row["in_recovery"])


@dataclass(frozen=True)
class Clock:
    """Answer: `ClockFacts`. Any role."""

    weight: ClassVar[int] = 0  # first in line: what it waits for others would widen its uncertainty

    def steps(self, server: Server) -> Steps:
        """One query."""
        result = yield Query("SELECT clock_timestamp() AS now")
        return facts.ClockFacts(_time(result.rows[0]["now"]), result.sent_at, result.seconds)


@dataclass(frozen=True)
class AppliedMigrations:
    """Answer: `AppliedMigrationsFacts`. Needs SELECT on `_prisma_migrations`, in the search_path or else in public."""

    def steps(self, server: Server) -> Steps:
        """Find the table, then read it."""
        found = (yield _find(["_prisma_migrations"])).rows
        if not found:
            return facts.AppliedMigrationsFacts(False, None, ())
        table = found[0]
        _require_select([table], server.role)
        sql = (
            "SELECT migration_name, checksum, started_at, finished_at, rolled_back_at, applied_steps_count,"
            f" coalesce(logs, '') <> '' AS has_logs FROM {_quoted(table['schema'])}.{_quoted(table['name'])}"
            " ORDER BY started_at, migration_name"
        )
        rows = (yield Query(sql)).rows
        return facts.AppliedMigrationsFacts(
            True,
            table["schema"],
            tuple(
                facts.Migration(
                    printable(row["migration_name"]),
                    row["checksum"],
                    _time_or_none(row["started_at"]),
                    _time_or_none(row["finished_at"]),
                    _time_or_none(row["rolled_back_at"]),
                    row["applied_steps_count"],
                    row["has_logs"],
                )
                for row in rows
            ),
        )


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
        row = (yield Query(sql)).rows[0]
        return facts.ConnectionsFacts(row["used"], row["max"], row["reserved"], row["exact"])


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
        found = (yield Query(sql)).rows
        if not found:
            raise ProbeError(
                "the extension pg_stat_statements is not installed in this database (CREATE EXTENSION"
                " pg_stat_statements)"
            )
        extension = found[0]
        if not extension["may"]:
            raise MissingPrivilege(
                f"role {server.role} sees only its own statements (GRANT pg_read_all_stats TO {_shown(server.role)};"
                " pg_monitor includes it)"
            )
        kind = "exec_time" if extension["renamed"] else "time"
        sql = (
            f"SELECT left(query, 4000) AS query, calls, rows, mean_{kind} AS mean, max_{kind} AS max,"
            f" total_{kind} AS total FROM {_quoted(extension['schema'])}.pg_stat_statements"
            " WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())"
            f" AND calls >= {int(self.minimum_calls)} ORDER BY mean_{kind} DESC LIMIT {int(self.limit)}"
        )
        try:
            rows = (yield Query(sql)).rows
        except QueryRefused as refused:
            if refused.sqlstate == "55000":
                raise ProbeError(
                    "pg_stat_statements is installed but not loaded: shared_preload_libraries must name it"
                    " (a restart is needed)"
                ) from None
            if refused.sqlstate == "42501":
                raise MissingPrivilege(
                    f"role {server.role} may not read pg_stat_statements (GRANT USAGE ON SCHEMA"
                    f" {_shown(extension['schema'])} TO {_shown(server.role)})"
                ) from None
            raise
        return facts.SlowQueriesFacts(
            tuple(
                facts.SlowQuery(
                    without_literals(row["query"]), row["calls"], row["mean"], row["max"], row["total"], row["rows"]
                )
                for row in rows
            ),
            extension["version"],
        )


@dataclass(frozen=True)
class TableStatistics:
    """Answer: `TableStatisticsFacts`. Any role."""

    def steps(self, server: Server) -> Steps:
        """One query for the tables, one for their frame."""
        frame = (
            yield Query(
                "SELECT clock_timestamp() AS now, pg_is_in_recovery() AS recovery,"
                " (SELECT stats_reset FROM pg_stat_database WHERE datname = current_database()) AS since"
            )
        ).rows[0]
        rows = (
            yield Query(
                "SELECT schemaname, relname, n_live_tup, n_dead_tup, n_mod_since_analyze,"
                " greatest(last_analyze, last_autoanalyze) AS analyzed,"
                " greatest(last_vacuum, last_autovacuum) AS vacuumed"
                " FROM pg_stat_user_tables WHERE schemaname NOT LIKE 'pg\\_temp\\_%' ORDER BY schemaname, relname"
            )
        ).rows
        return facts.TableStatisticsFacts(
            tuple(
                facts.TableStatistic(
                    row["schemaname"],
                    row["relname"],
                    row["n_live_tup"],
                    row["n_dead_tup"],
                    row["n_mod_since_analyze"],
                    _time_or_none(row["analyzed"]),
                    _time_or_none(row["vacuumed"]),
                )
                for row in rows
            ),
            _time_or_none(frame["since"]),
            _time(frame["now"]),
            frame["recovery"],
        )


@dataclass(frozen=True)
class Wraparound:
    """Answer: `WraparoundFacts`. Any role."""

    oldest: int = 5

    def steps(self, server: Server) -> Steps:
        """One query for databases, one for tables."""
        databases = (
            yield Query(
                "SELECT datname AS name, age(datfrozenxid) AS xid, mxid_age(datminmxid) AS multixact,"
                " current_setting('autovacuum_freeze_max_age')::int AS freeze,"
                " current_setting('autovacuum_multixact_freeze_max_age')::int AS mfreeze"
                " FROM pg_database ORDER BY greatest(age(datfrozenxid), mxid_age(datminmxid)) DESC, datname"
            )
        ).rows
        tables = (
            yield Query(
                "SELECT c.oid::regclass::text AS name, age(c.relfrozenxid) AS xid, mxid_age(c.relminmxid) AS multixact"
                " FROM pg_class c WHERE c.relkind IN ('r', 'm', 't') AND c.relfrozenxid <> '0'"
                " ORDER BY greatest(age(c.relfrozenxid), mxid_age(c.relminmxid)) DESC, c.oid"
                f" LIMIT {int(self.oldest)}"
            )
        ).rows
        return facts.WraparoundFacts(
            tuple(facts.Aged(row["name"], row["xid"], row["multixact"]) for row in databases),
            tuple(facts.Aged(row["name"], row["xid"], row["multixact"]) for row in tables),
            databases[0]["freeze"],
            databases[0]["mfreeze"],
        )


@dataclass(frozen=True)
class InvalidObjects:
    """Answer: `InvalidObjectsFacts`. Any role; pg_read_all_stats tells what is only being built."""

    def steps(self, server: Server) -> Steps:
        """One query for indexes, one for constraints. NOT ENFORCED ones (18) are meant to be unchecked."""
        building = "false"
        if server.version_num >= 120000:
            building = "EXISTS (SELECT FROM pg_stat_progress_create_index p WHERE p.index_relid = i.indexrelid)"
        indexes = (
            yield Query(
                "SELECT n.nspname AS schema, t.relname AS table, c.relname AS name,"
                f" {building} AS building FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid"
                " JOIN pg_class t ON t.oid = i.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace"
                " WHERE NOT (i.indisvalid AND i.indisready AND i.indislive) ORDER BY 1, 2, 3"
            )
        ).rows
        enforced = " AND k.conenforced" if server.version_num >= 180000 else ""
        constraints = (
            yield Query(
                "SELECT n.nspname AS schema, t.relname AS table, k.conname AS name FROM pg_constraint k"
                " JOIN pg_class t ON t.oid = k.conrelid JOIN pg_namespace n ON n.oid = t.relnamespace"
                f" WHERE NOT k.convalidated{enforced} ORDER BY 1, 2, 3"
            )
        ).rows
        return facts.InvalidObjectsFacts(
            tuple(facts.InvalidIndex(r["schema"], r["table"], r["name"], r["building"]) for r in indexes),
            tuple(facts.UnvalidatedConstraint(r["schema"], r["table"], r["name"]) for r in constraints),
        )


@dataclass(frozen=True)
class RowCounts:
    """Exact counts. Answer: `RowCountsFacts`. Needs SELECT on a column of each table, unhindered by row security.

    `tables`: names as they are spelt in the catalogue, `name` (search_path, else public) or `schema.name`; none: all
    tables of user schemas, then named schema.name.
    """

    tables: tuple[str, ...] = ()

    weight: ClassVar[int] = 9  # last in line: it reads whole tables

    def steps(self, server: Server) -> Steps:
        """Find the tables, then count them in one statement."""
        if self.tables:
            found = {row["asked"]: row for row in reversed((yield _find(list(self.tables))).rows)}
        else:
            rows = (yield _all_tables()).rows
            found = {f"{row['schema']}.{row['name']}": row for row in rows}
        wanted = self.tables or tuple(found)
        _require_select(list(found.values()), server.role, right="count_ok")
        counts: dict[str, int] = {}
        if found:
            parts = [
                f"SELECT {number} AS which, count(*) AS n FROM {_quoted(row['schema'])}.{_quoted(row['name'])}"
                for number, row in enumerate(found.values())
            ]
            rows = (yield Query(" UNION ALL ".join(parts))).rows
            names = list(found)
            counts = {names[row["which"]]: row["n"] for row in rows}
        return facts.RowCountsFacts(tuple((name, counts.get(name)) for name in wanted))


HASH_KINDS = """\
SELECT rolname AS name, CASE WHEN rolpassword IS NULL THEN 'none' WHEN rolpassword = '' THEN 'empty'
  WHEN rolpassword LIKE 'SCRAM-SHA-256%' THEN 'scram-sha-256'
  WHEN rolpassword ~ '^md5[0-9a-f]{32}$' THEN
    CASE WHEN rolpassword = 'md5' || md5(rolname) THEN 'empty' ELSE 'md5' END
  ELSE 'other' END AS kind FROM pg_catalog.pg_authid"""
"""What kind of password each role has; the same text is the view in opsverify/sql/monitoring-role.sql."""


@dataclass(frozen=True)
class Roles:
    """Answer: `RolesFacts`. Any role; kinds of password hashes need SELECT on the view opsverify.password_kinds.

    opsverify/sql/monitoring-role.sql makes that view, which shows kinds and no hash; a superuser needs none. The
    hashes themselves never leave the server.
    """

    def steps(self, server: Server) -> Steps:
        """The roles, then what kind of password each has."""
        rows = (
            yield Query(
                "SELECT r.oid::text AS oid, r.rolname AS name, r.rolsuper, r.rolcreaterole, r.rolcreatedb,"
                " r.rolbypassrls, r.rolreplication, r.rolcanlogin, r.rolvaliduntil::text AS until,"
                " ARRAY(SELECT g.rolname::text FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid"
                " WHERE m.member = r.oid ORDER BY 1) AS member_of,"
                " has_column_privilege('pg_catalog.pg_authid', 'rolpassword', 'SELECT')"
                " AND has_column_privilege('pg_catalog.pg_authid', 'rolname', 'SELECT') AS visible,"
                # Only a superuser's view can be believed: anyone who may create a schema could make one of this name.
                " EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
                " JOIN pg_roles o ON o.oid = c.relowner AND o.rolsuper"
                " WHERE n.nspname = 'opsverify' AND c.relname = 'password_kinds'"
                " AND has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT')) AS view"
                " FROM pg_roles r WHERE r.rolname NOT LIKE 'pg\\_%' ORDER BY r.rolname"
            )
        ).rows
        kinds: dict[str, str] = {}
        hidden: str | None = None
        if rows and (rows[0]["visible"] or rows[0]["view"]):
            source = f"({HASH_KINDS}) AS k" if rows[0]["visible"] else "opsverify.password_kinds"
            kinds = {row["name"]: row["kind"] for row in (yield Query(f"SELECT name, kind FROM {source}")).rows}
        else:
            hidden = (
                f"kinds of passwords: role {server.role} may read neither pg_authid nor opsverify.password_kinds"
                " (opsverify/sql/monitoring-role.sql makes that view, which shows no hash)"
            )
        return facts.RolesFacts(
            tuple(
                facts.Role(
                    row["name"],
                    row["rolsuper"],
                    row["rolcreaterole"],
                    row["rolcreatedb"],
                    row["rolbypassrls"],
                    row["rolreplication"],
                    row["rolcanlogin"],
                    row["until"],
                    tuple(row["member_of"]),
                    kinds.get(row["name"]),
                )
                for row in rows
            ),
            hidden,
        )


@dataclass(frozen=True)
class Settings:
    """Answer: `SettingsFacts`. Any role; settings that only superusers see need pg_read_all_settings (pg_monitor)."""

    names: tuple[str, ...]

    def steps(self, server: Server) -> Steps:
        """One query; invisible settings are simply absent from pg_settings."""
        rows = (
            yield Query(
                "SELECT name, setting, unit, source, pending_restart, false AS may FROM pg_settings"
                " WHERE name = ANY (string_to_array($1::text, ','))"
                " UNION ALL SELECT '', '', NULL, '', false, pg_has_role('pg_read_all_settings', 'USAGE')",
                (",".join(self.names),),
            )
        ).rows
        may = any(row["may"] for row in rows)
        known = {row["name"]: row for row in rows if row["name"]}
        unknown = tuple(name for name in self.names if name not in known)
        if unknown and not may:
            raise MissingPrivilege(
                f"role {server.role} cannot see {', '.join(unknown)}"
                f" (GRANT pg_read_all_settings TO {_shown(server.role)}; pg_monitor includes it)"
            )
        return facts.SettingsFacts(
            tuple(
                facts.Setting(row["name"], row["setting"], row["unit"], row["source"], row["pending_restart"])
                for row in known.values()
            ),
            unknown,
        )


@dataclass(frozen=True)
class HbaRules:
    """Answer: `HbaRulesFacts`. Needs SELECT on pg_hba_file_rules and EXECUTE on its function; hidden without.

    Options are left out: they may hold passwords of LDAP or RADIUS servers.
    """

    def steps(self, server: Server) -> Steps:
        """Ask whether we may, then read."""
        may = (
            yield Query(
                "SELECT has_table_privilege('pg_catalog.pg_hba_file_rules', 'SELECT')"
                " AND has_function_privilege('pg_catalog.pg_hba_file_rules()', 'EXECUTE') AS may"
            )
        ).rows[0]["may"]
        if not may:
            role = _shown(server.role)
            return facts.HbaRulesFacts(
                (),
                f"role {server.role} may not read pg_hba.conf's rules (GRANT SELECT ON pg_hba_file_rules TO {role};"
                f" GRANT EXECUTE ON FUNCTION pg_hba_file_rules() TO {role})",
            )
        rows = (
            yield Query(
                "SELECT line_number, type, database, user_name, address, netmask, auth_method, error"
                " FROM pg_hba_file_rules"
            )
        ).rows
        return facts.HbaRulesFacts(
            tuple(
                facts.HbaRule(
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
class TableInventory:
    """Answer: `TableInventoryFacts`. Any role."""

    def steps(self, server: Server) -> Steps:
        """One query for the tables, one for the counts."""
        tables = (yield _all_tables()).rows
        row = (
            yield Query(
                "SELECT (SELECT count(*) FROM pg_constraint k JOIN pg_namespace n ON n.oid = k.connamespace"
                f" WHERE k.conrelid <> 0 AND k.contype <> 'n' AND {_USER_SCHEMAS}) AS constraints,"
                " (SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
                f" WHERE c.relkind IN ('i', 'I') AND {_USER_SCHEMAS}) AS indexes,"
                " (SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
                f" WHERE c.relkind = 'S' AND {_USER_SCHEMAS}) AS sequences"
            )
        ).rows[0]
        return facts.TableInventoryFacts(
            tuple(sorted(f"{table['schema']}.{table['name']}" for table in tables)),
            row["constraints"],
            row["indexes"],
            row["sequences"],
        )


@dataclass(frozen=True)
class Contents:
    """Answer: `ContentsFacts`. Needs what `RowCounts` needs, on every table."""

    weight: ClassVar[int] = 9

    def steps(self, server: Server) -> Steps:
        """The inventory, then every table's rows."""
        inventory = yield from TableInventory().steps(server)
        counted = yield from RowCounts(inventory.tables).steps(server)
        tables = tuple((name, rows) for name, rows in counted.counts if rows is not None)
        return facts.ContentsFacts(tables, inventory.constraints, inventory.indexes)


def _find(names: list[str]) -> Query:
    """Tables by name, with what may be done to them; the one that a bare name means comes first."""
    asked = " UNION ALL ".join(f"SELECT ${number + 1}::text AS asked" for number in range(len(names)))
    return Query(
        "SELECT a.asked, n.nspname AS schema, c.relname AS name, has_schema_privilege(n.oid, 'USAGE') AS schema_ok,"
        " has_table_privilege(c.oid, 'SELECT') AS table_ok,"
        f" has_any_column_privilege(c.oid, 'SELECT') AS count_ok FROM ({asked}) AS a"
        " JOIN pg_class c ON c.relkind IN ('r', 'p', 'v', 'm', 'f')"
        " JOIN pg_namespace n ON n.oid = c.relnamespace WHERE a.asked = n.nspname || '.' || c.relname"
        " OR (a.asked = c.relname AND (n.nspname = ANY (current_schemas(false)) OR n.nspname = 'public'))"
        " ORDER BY array_position(current_schemas(false), n.nspname) NULLS LAST, n.nspname",
        tuple(names),
    )


def _all_tables() -> Query:
    return Query(
        "SELECT n.nspname AS schema, c.relname AS name, has_schema_privilege(n.oid, 'USAGE') AS schema_ok,"
        " has_table_privilege(c.oid, 'SELECT') AS table_ok,"
        " has_any_column_privilege(c.oid, 'SELECT') AS count_ok FROM pg_class c"
        " JOIN pg_namespace n ON n.oid = c.relnamespace"
        f" WHERE c.relkind = 'r' AND {_USER_SCHEMAS} ORDER BY 1, 2"
    )


def _require_select(tables: list[dict[str, Any]], role: str, right: str = "table_ok") -> None:
    schemas = sorted({table["schema"] for table in tables if not table["schema_ok"]})
    names = sorted({_shown(t["schema"]) + "." + _shown(t["name"]) for t in tables if not t[right]})
    grants = [f"GRANT USAGE ON SCHEMA {_shown(schema)} TO {_shown(role)}" for schema in schemas]
    if names:
        grants.append(f"GRANT SELECT ON {', '.join(names)} TO {_shown(role)}")
    if grants:
        raise MissingPrivilege(printable(f"role {role} may not read what is asked for ({'; '.join(grants)})", 600))


def _quoted(name: str) -> str:
    """An identifier for a query (manual, "Identifiers and Key Words")."""
    return '"' + name.replace('"', '""') + '"'


def _shown(name: str) -> str:
    """An identifier for a sentence: quoted only where it must be."""
    return name if re.fullmatch(r"[a-z_][a-z0-9_]*", name) else _quoted(name)


_LITERAL = re.compile(r"'(?:[^']|'')*(?:'|$)|\$(\w*)\$.*?(?:\$\1\$|$)", re.DOTALL)


def without_literals(text: str | None) -> str:
    """A statement on one line, bounded, without its literals.

    pg_stat_statements replaces the constants of queries but not of utility statements: ALTER ROLE … PASSWORD '…'.
    """
    return printable(_LITERAL.sub("'…'", text or ""), 300)


def _time(value: str) -> datetime:
    return datetime.fromisoformat(value)


def _time_or_none(value: str | None) -> datetime | None:
    if value is None:
        return None
    try:
        return datetime.fromisoformat(value)
    except ValueError:  # 'infinity', or a year that Python has not
        return None
