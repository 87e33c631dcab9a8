"""What is in the database: roles, the schema as its migrations make it, rows, a monitor that only looks."""

from __future__ import annotations

import hashlib
import uuid
from datetime import timedelta
from typing import Any

import psycopg
from psycopg import sql

from rehearsal.credentials import Credentials
from rehearsal.layout import PACKAGE, Layout
from rehearsal.parts.postgres import ADMIN, DATABASE, MONITOR, OWNER, Postgres

MONITORING_ROLE = PACKAGE.parent / "opsverify/sql/monitoring-role.sql"
"""What operators run for the role that the checks connect as; rehearsed like everything else."""
MIGRATIONS_TABLE = b"""
CREATE TABLE "_prisma_migrations" (
    "id" VARCHAR(36) PRIMARY KEY NOT NULL,
    "checksum" VARCHAR(64) NOT NULL,
    "finished_at" TIMESTAMPTZ,
    "migration_name" VARCHAR(255) NOT NULL,
    "logs" TEXT,
    "rolled_back_at" TIMESTAMPTZ,
    "started_at" TIMESTAMPTZ NOT NULL DEFAULT now(),
    "applied_steps_count" INTEGER NOT NULL DEFAULT 0
)
"""


class Database:
    """The database `mycats` inside a running `Postgres`."""

    def __init__(self, layout: Layout, postgres: Postgres, credentials: Credentials) -> None:
        self._layout = layout
        self._postgres = postgres
        self._credentials = credentials

    def create(self) -> None:
        """Create and fill everything. The release checkout must be there: its migrations are applied."""
        self._roles()
        with self._postgres.connect(ADMIN) as admin:
            # The extension's functions run as superuser: an ordinary role cannot create it.
            admin.execute("CREATE EXTENSION pg_stat_statements")
        with self._postgres.connect(OWNER) as owner:
            owner.execute(MIGRATIONS_TABLE)
            self._migrate(owner)
            owner.execute((PACKAGE / "sql/seed.sql").read_bytes())
        # In a session of its own: the seeding one reports its counts after an ANALYZE, doubling the estimates.
        with self._postgres.connect(OWNER) as owner:
            owner.execute("ANALYZE")
        with self._postgres.connect(ADMIN) as admin:
            admin.execute(MONITORING_ROLE.read_bytes())
            admin.execute("SELECT pg_stat_statements_reset()")

    def _roles(self) -> None:
        with self._postgres.connect(ADMIN, "postgres") as admin:
            # Neither the server's log nor pg_stat_statements may keep a statement that holds a password.
            for quiet in (b"SET log_statement = 'none'", b"SET log_min_error_statement = 'panic'"):
                admin.execute(quiet)
            admin.execute("SET pg_stat_statements.track = 'none'")
            for role, password in (
                (OWNER, self._credentials.owner_password),
                (MONITOR, self._credentials.monitor_password),
            ):
                # The verifier is computed here: the server never sees the password itself.
                verifier = admin.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()
                admin.execute(
                    sql.SQL("CREATE ROLE {} LOGIN CONNECTION LIMIT 30 PASSWORD {}").format(
                        sql.Identifier(role), sql.Literal(verifier)
                    )
                )
            admin.execute(
                sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(DATABASE), sql.Identifier(OWNER))
            )
            admin.execute(sql.SQL("REVOKE CONNECT ON DATABASE {} FROM PUBLIC").format(sql.Identifier(DATABASE)))

    def _migrate(self, owner: psycopg.Connection[tuple[Any, ...]]) -> None:
        """Apply the checkout's migrations and record them as `prisma migrate deploy` does."""
        for folder in sorted(path for path in self._layout.migrations.iterdir() if path.is_dir()):
            script = (folder / "migration.sql").read_bytes()
            owner.execute(script)
            owner.execute(
                "INSERT INTO _prisma_migrations"
                " (id, checksum, finished_at, migration_name, started_at, applied_steps_count)"
                " VALUES (%s, %s, now() - %s + interval '80 ms', %s, now() - %s, 1)",
                (
                    str(uuid.uuid4()),
                    hashlib.sha256(script).hexdigest(),
                    timedelta(days=2),
                    folder.name,
                    timedelta(days=2),
                ),
            )
