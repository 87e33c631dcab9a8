"""Roles, what they may do, and what kind of password they have."""

# ruff: noqa: S608 - what is pasted in is our own text or a quoted identifier; values are parameters

from __future__ import annotations

from dataclasses import dataclass

from opsverify.errors import MissingPrivilege
from opsverify.probes.postgres.question import Server, Statement, Steps

HASH_KINDS = """\
SELECT rolname AS name, CASE WHEN rolpassword IS NULL THEN 'none' WHEN rolpassword = '' THEN 'empty'
  WHEN rolpassword LIKE 'SCRAM-SHA-256%' THEN 'scram-sha-256'
  WHEN rolpassword ~ '^md5[0-9a-f]{32}$' THEN
    CASE WHEN rolpassword = 'md5' || md5(rolname) THEN 'empty' ELSE 'md5' END
  ELSE 'other' END AS kind FROM pg_catalog.pg_authid"""
"""What kind of password each role has; the same text is the view in opsverify/sql/monitoring-role.sql."""


AS_GOOD_AS_SUPERUSER = ("pg_execute_server_program", "pg_read_server_files", "pg_write_server_files")


@dataclass(frozen=True)
class Roles:
    """Answer: `RolesFacts`. Any role; kinds of password hashes need SELECT on the view opsverify.password_kinds.

    opsverify/sql/monitoring-role.sql makes that view, which shows kinds and no hash; a superuser needs none. The
    hashes themselves never leave the server.
    """

    def steps(self, server: Server) -> Steps:
        """The roles, then what kind of password each has."""
        rows = (
            yield Statement(
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
            kinds = {row["name"]: row["kind"] for row in (yield Statement(f"SELECT name, kind FROM {source}")).rows}
        else:
            hidden = (
                f"kinds of passwords: role {server.role} may read neither pg_authid nor opsverify.password_kinds"
                " (opsverify/sql/monitoring-role.sql makes that view, which shows no hash)"
            )
        return RolesFacts(
            tuple(
                Role(
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
class Role:
    """A role. `password`: "scram-sha-256", "md5", "empty", "none", "other"; None where it may not be seen."""

    name: str
    superuser: bool
    create_role: bool
    create_db: bool
    bypass_rls: bool
    replication: bool
    can_login: bool
    valid_until: str | None
    member_of: tuple[str, ...]
    password: str | None


@dataclass(frozen=True)
class RolesFacts:
    """All roles but the built-in pg_… ones. `passwords_hidden`: why `password` is None everywhere, or None."""

    roles: tuple[Role, ...]
    passwords_hidden: str | None

    def holders(self, right: str) -> dict[str, str]:
        """Who has "superuser", "create_role" or "bypass_rls": role → "", or the role through which it can have it.

        Attributes are not inherited, but a member may SET ROLE to one that has them. Roles that may use the server's
        files and programs can make themselves superusers (manual, "Predefined Roles").
        """
        holders_by_name = {role.name: "" for role in self.roles if getattr(role, right)}
        sources = {*holders_by_name, *(AS_GOOD_AS_SUPERUSER if right == "superuser" else ())}
        by_name = {role.name: role for role in self.roles}
        for role in self.roles:
            seen: set[str] = set()
            waiting = list(role.member_of)
            while waiting and role.name not in holders_by_name:
                group = waiting.pop()
                if group in sources:
                    holders_by_name[role.name] = group
                elif group in by_name and group not in seen:
                    seen.add(group)
                    waiting += by_name[group].member_of
        return holders_by_name

    def password_kinds(self) -> dict[str, str]:
        """Role → kind of its password hash; raises MissingPrivilege where they may not be seen."""
        if self.passwords_hidden is not None:
            raise MissingPrivilege(self.passwords_hidden)
        return {role.name: role.password or "none" for role in self.roles}
