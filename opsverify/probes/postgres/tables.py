"""Tables looked up in the catalogue first, which every role may read: a missing or forbidden one is then named."""

# ruff: noqa: S608 - what is pasted in is our own text or a quoted identifier; values are parameters

from __future__ import annotations

from typing import Any

from opsverify.errors import MissingPrivilege
from opsverify.probes.postgres.question import USER_SCHEMAS, Statement, shown
from opsverify.probes.tcp.transport import printable


def find(names: list[str]) -> Statement:
    """Tables by name, with what may be done to them; the one that a bare name means comes first."""
    asked = " UNION ALL ".join(f"SELECT ${number + 1}::text AS asked" for number in range(len(names)))
    return Statement(
        "SELECT a.asked, n.nspname AS schema, c.relname AS name, has_schema_privilege(n.oid, 'USAGE') AS schema_ok,"
        " has_table_privilege(c.oid, 'SELECT') AS table_ok,"
        f" has_any_column_privilege(c.oid, 'SELECT') AS count_ok FROM ({asked}) AS a"
        " JOIN pg_class c ON c.relkind IN ('r', 'p', 'v', 'm', 'f')"
        " JOIN pg_namespace n ON n.oid = c.relnamespace WHERE a.asked = n.nspname || '.' || c.relname"
        " OR (a.asked = c.relname AND (n.nspname = ANY (current_schemas(false)) OR n.nspname = 'public'))"
        " ORDER BY array_position(current_schemas(false), n.nspname) NULLS LAST, n.nspname",
        tuple(names),
    )


def all_tables() -> Statement:
    return Statement(
        "SELECT n.nspname AS schema, c.relname AS name, has_schema_privilege(n.oid, 'USAGE') AS schema_ok,"
        " has_table_privilege(c.oid, 'SELECT') AS table_ok,"
        " has_any_column_privilege(c.oid, 'SELECT') AS count_ok FROM pg_class c"
        " JOIN pg_namespace n ON n.oid = c.relnamespace"
        f" WHERE c.relkind = 'r' AND {USER_SCHEMAS} ORDER BY 1, 2"
    )


def require_select(tables: list[dict[str, Any]], role: str, right: str = "table_ok") -> None:
    schemas = sorted({table["schema"] for table in tables if not table["schema_ok"]})
    names = sorted({shown(t["schema"]) + "." + shown(t["name"]) for t in tables if not t[right]})
    grants = [f"GRANT USAGE ON SCHEMA {shown(schema)} TO {shown(role)}" for schema in schemas]
    if names:
        grants.append(f"GRANT SELECT ON {', '.join(names)} TO {shown(role)}")
    if grants:
        raise MissingPrivilege(printable(f"role {role} may not read what is asked for ({'; '.join(grants)})", 600))
