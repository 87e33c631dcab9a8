"""The statements that fill a host's database: roles, schema as its migrations make it, rows, the monitoring role."""

from __future__ import annotations

import hashlib
import uuid

from rehearsal.credentials import Credentials
from rehearsal.layout import PACKAGE, Layout
from rehearsal.parts.database import MIGRATIONS_TABLE, MONITORING_ROLE
from rehearsal.parts.postgres import DATABASE, MONITOR, OWNER


def statements(released: Layout, secrets: Credentials) -> str:
    """Return a script for psql, to be run as superuser. It holds passwords: hand it over on standard input."""
    parts = [
        # Neither the server's log nor pg_stat_statements may keep a statement that holds a password.
        "SET log_statement = 'none'; SET log_min_error_statement = 'panic';",
        *(
            f"CREATE ROLE {role} LOGIN CONNECTION LIMIT 30 PASSWORD '{password}';"
            for role, password in ((OWNER, secrets.owner_password), (MONITOR, secrets.monitor_password))
        ),
        f"CREATE DATABASE {DATABASE} OWNER {OWNER};",
        f"REVOKE CONNECT ON DATABASE {DATABASE} FROM PUBLIC;",
        f"\\connect {DATABASE}",
        "CREATE EXTENSION pg_stat_statements;",
        f"SET ROLE {OWNER};",
        MIGRATIONS_TABLE.decode() + ";",
    ]
    for folder in sorted(path for path in released.migrations.iterdir() if path.is_dir()):
        script = (folder / "migration.sql").read_bytes()
        parts += [
            script.decode(),
            "INSERT INTO _prisma_migrations"
            " (id, checksum, finished_at, migration_name, started_at, applied_steps_count) VALUES"
            f" ('{uuid.uuid4()}', '{hashlib.sha256(script).hexdigest()}', now() - interval '2 days' + interval '80 ms',"
            f" '{folder.name}', now() - interval '2 days', 1);",
        ]
    parts += [
        (PACKAGE / "sql/seed.sql").read_text(),
        # In a session of its own: the seeding one reports its counts after an ANALYZE, doubling the estimates.
        f"\\connect {DATABASE}",
        "ANALYZE;",
        MONITORING_ROLE.read_text(),
        "SELECT pg_stat_statements_reset();",
    ]
    return "\n".join(parts)
