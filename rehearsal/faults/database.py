"""The database server and what is in it."""

from __future__ import annotations

import contextlib
import os
import subprocess
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from psycopg.conninfo import conninfo_to_dict

from rehearsal.errors import NotStarted
from rehearsal.faults.doing import users_come
from rehearsal.faults.earlier import measured
from rehearsal.faults.fault import ALERT, BLOCKED, NORMAL, UNDETERMINED, WARNING, fault
from rehearsal.parts.postgres import ADMIN, DATABASE, OWNER

if TYPE_CHECKING:
    from rehearsal.whole import Rehearsal

UNREACHABLE = {
    "database-connect[primary]": ALERT,
    **dict.fromkeys(
        (
            "access-rights[primary]",
            "audit-log[primary]",
            "clock-skew[primary]",
            "collation-version[primary]",
            "connection-usage[primary]",
            "data-intact[primary]",
            "key-exhaustion[primary]",
            "long-transactions[primary]",
            "migrations-applied[checkout]",
            "password-policy[primary]",
            "postgres-client-version[main]",
            "postgres-server-version[primary]",
            "replication-slots[primary]",
            "role-expiry[primary]",
            "slow-queries[primary]",
            "statistics-fresh[primary]",
            "supported-versions[primary]",
            "wal-archiving[primary]",
            "wraparound[primary]",
        ),
        BLOCKED,
    ),
    "restore-drill[main]": UNDETERMINED,
}
"""What is known no more without a session of the monitoring role's."""

API_WITHOUT_DATABASE = {
    "access-log-server-errors[access]": WARNING,
    "api-health[blue]": ALERT,
    "api-health-database[blue]": ALERT,
    "api-smoke[blue]": ALERT,
    "application-log-errors[application]": ALERT,
    "cats-response-time[blue]": ALERT,
    "public-api[public]": ALERT,
}


def run(whole: Rehearsal, *statements: str, role: str = ADMIN) -> None:
    """Run statements in the application's database."""
    with whole.postgres.connect(role) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def client(whole: Rehearsal, name: str, *arguments: str, database: str = DATABASE, given: bytes = b"") -> bytes:
    """Run a program of PostgreSQL as the superuser; return what it says."""
    login = conninfo_to_dict(whole.postgres.dsn(ADMIN, database))
    names = {"host": "PGHOST", "port": "PGPORT", "user": "PGUSER", "password": "PGPASSWORD", "dbname": "PGDATABASE"}
    # By environment variables: a command line is for everybody to read.
    env = {**os.environ, **{variable: str(login[key]) for key, variable in names.items()}}
    command = [whole.postgres.binaries.program(name), *arguments]
    return subprocess.run(command, env=env, input=given, capture_output=True, check=True).stdout


@fault(
    "PostgreSQL was stopped.",
    {**UNREACHABLE, **API_WITHOUT_DATABASE, "service-active[postgresql]": ALERT},
)
def database_down(whole: Rehearsal) -> Iterator[None]:
    whole.postgres.stop()
    users_come(whole)
    yield
    whole.postgres.start()


@fault(
    "PostgreSQL hangs: it accepts connections and answers none.",
    {
        **UNREACHABLE,
        **API_WITHOUT_DATABASE,
        # The API gives up after three seconds, which is the limit itself.
        "api-response-time[blue]": f"{WARNING} or {ALERT}",
        "clock-skew[blue]": f"{NORMAL} or {UNDETERMINED}",
    },
)
def database_hangs(whole: Rehearsal) -> Iterator[None]:
    whole.postgres.freeze()
    users_come(whole)
    yield
    whole.postgres.thaw()


@fault("The password of the monitoring role was changed.", UNREACHABLE)
def monitoring_password_changed(whole: Rehearsal) -> Iterator[None]:
    def verifier(password: str) -> str:
        with whole.postgres.connect() as admin:
            return admin.pgconn.encrypt_password(password.encode(), b"mycats_monitor", b"scram-sha-256").decode()

    with whole.postgres.connect() as admin:
        row = admin.execute("SELECT rolpassword FROM pg_authid WHERE rolname = 'mycats_monitor'").fetchone()
        before = str(row[0]) if row else ""
    run(whole, "SET log_statement = 'none'", f"ALTER ROLE mycats_monitor PASSWORD '{verifier('another one')}'")
    yield
    run(whole, "SET log_statement = 'none'", f"ALTER ROLE mycats_monitor PASSWORD '{before}'")


@fault("A table was dropped.", {"data-intact[primary]": ALERT, "restore-drill[main]": ALERT})
def table_dropped(whole: Rehearsal) -> Iterator[None]:
    before = client(whole, "pg_dump", "-t", "breeding_records")
    run(whole, "DROP TABLE breeding_records")
    yield
    client(whole, "psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", given=before)
    run(whole, "ANALYZE breeding_records")


@fault(
    "Rows of a table that users would miss were deleted.", {"data-intact[primary]": ALERT, "restore-drill[main]": ALERT}
)
def rows_lost(whole: Rehearsal) -> Iterator[None]:
    measured(whole, "data-intact", "primary", "databases", {1: {"rows of care_records": 150}})
    with whole.postgres.connect() as admin:
        rows = admin.execute("DELETE FROM care_records WHERE id < 'care-11' RETURNING *").fetchall()
    yield
    with whole.postgres.connect(OWNER) as owner, owner.cursor() as cursor:
        cursor.executemany("INSERT INTO care_records VALUES (%s, %s, %s, %s, %s)", rows)
    run(whole, "ANALYZE care_records")


@fault("An index is invalid, as a build of it that failed leaves it.", {"data-intact[primary]": ALERT})
def index_invalid(whole: Rehearsal) -> Iterator[None]:
    change = "UPDATE pg_index SET indisvalid = {} WHERE indexrelid = 'cats_owner_id_idx'::regclass"
    run(whole, change.format("false"))
    yield
    run(whole, change.format("true"))


@fault("A constraint was never validated: rows may break it.", {"data-intact[primary]": ALERT})
def constraint_not_validated(whole: Rehearsal) -> Iterator[None]:
    change = "UPDATE pg_constraint SET convalidated = {} WHERE conname = 'weight_records_grams_check'"
    run(whole, change.format("false"))
    yield
    run(whole, change.format("true"))


@fault("A migration failed half-way.", {"data-intact[primary]": ALERT, "migrations-applied[checkout]": ALERT})
def migration_failed(whole: Rehearsal) -> Iterator[None]:
    run(
        whole,
        "INSERT INTO _prisma_migrations (id, checksum, migration_name, logs)"
        " VALUES ('x', 'x', '20990101000000_broken', 'ERROR')",
    )
    yield
    run(whole, "DELETE FROM _prisma_migrations WHERE id = 'x'", "ANALYZE _prisma_migrations")


@fault("A table was rebuilt by hand and never analysed.", {"statistics-fresh[primary]": ALERT})
def statistics_missing(whole: Rehearsal) -> Iterator[None]:
    run(
        whole,
        "BEGIN",
        "CREATE TABLE rebuilt (LIKE cat_tags INCLUDING ALL)",
        "INSERT INTO rebuilt SELECT * FROM cat_tags",
        "DROP TABLE cat_tags",
        "ALTER TABLE rebuilt RENAME TO cat_tags",
        "ALTER INDEX rebuilt_pkey RENAME TO cat_tags_pkey",
        "ALTER TABLE cat_tags ADD CONSTRAINT cat_tags_cat_id_fkey"
        " FOREIGN KEY (cat_id) REFERENCES cats ON DELETE CASCADE ON UPDATE CASCADE",
        "ALTER TABLE cat_tags ADD CONSTRAINT cat_tags_tag_id_fkey"
        " FOREIGN KEY (tag_id) REFERENCES tags ON DELETE CASCADE ON UPDATE CASCADE",
        "GRANT SELECT (cat_id) ON cat_tags TO mycats_monitor",
        "ALTER TABLE cat_tags SET (autovacuum_enabled = false)",
        "COMMIT",
        role=OWNER,
    )
    yield
    run(whole, "ALTER TABLE cat_tags RESET (autovacuum_enabled)", "ANALYZE cat_tags", role=OWNER)


@fault("A table is full of dead rows that vacuum never cleared.", {"wraparound[primary]": ALERT})
def vacuum_starved(whole: Rehearsal) -> Iterator[None]:
    run(
        whole,
        "ALTER TABLE weight_records SET (autovacuum_enabled = false)",
        "INSERT INTO weight_records SELECT 'dead-' || n, 'cat-001', 1, current_date FROM generate_series(1, 12000) n",
        "DELETE FROM weight_records WHERE id LIKE 'dead-%'",
    )
    yield
    run(whole, "ALTER TABLE weight_records RESET (autovacuum_enabled)", "VACUUM ANALYZE weight_records")


@fault(
    "A client began a transaction and forgot it.",
    {"long-transactions[primary]": ALERT},
    changes={"checks": {"long-transactions": {"band": {"below": 0.0001, "alert_above": 0.001}}}},
)
def transaction_forgotten(whole: Rehearsal) -> Iterator[None]:
    with whole.postgres.connect(OWNER) as session, session.transaction():
        session.execute("SELECT 1")
        time.sleep(0.1)  # longer than the band of this fault
        yield


@fault(
    "PostgreSQL cannot archive its write-ahead log.",
    {"wal-archiving[primary]": ALERT},
    changes={"checks": {"wal-archiving": {"settings": {"retry_minutes": 0}}}},
)
def archive_unreachable(whole: Rehearsal) -> Iterator[None]:
    run(whole, "ALTER SYSTEM SET archive_command = 'false'", "SELECT pg_reload_conf()")
    archiver(whole, "last_failed_time > coalesce(last_archived_time, '-infinity')")
    yield
    run(whole, "ALTER SYSTEM RESET archive_command", "SELECT pg_reload_conf()")
    archiver(whole, "last_archived_time > last_failed_time")


def archiver(whole: Rehearsal, state: str) -> None:
    """Fill segments of the log until PostgreSQL's archiver is in that state: each wakes it up."""
    for _ in range(100):
        run(whole, "SELECT pg_logical_emit_message(true, 'rehearsal', 'archive')", "SELECT pg_switch_wal()")
        with whole.postgres.connect() as admin:
            if admin.execute(f"SELECT 1 FROM pg_stat_archiver WHERE {state}".encode()).fetchone():
                return
        time.sleep(0.5)
    raise NotStarted("PostgreSQL's archiver did not change its state")


@fault(
    "A replica that is gone has left its replication slot behind.",
    {"replication-slots[primary]": ALERT},
    changes={"checks": {"replication-slots": {"band": {"below": 0.001, "alert_above": 0.002}}}},
)
def replica_gone(whole: Rehearsal) -> Iterator[None]:
    run(
        whole,
        "SELECT pg_create_physical_replication_slot('gone', true)",
        "SELECT pg_logical_emit_message(false, 'rehearsal', repeat('x', 4000000))",
    )
    yield
    run(whole, "SELECT pg_drop_replication_slot('gone')")


@fault("A sequence has nearly reached the end of its type.", {"key-exhaustion[primary]": ALERT})
def sequence_nearly_used_up(whole: Rehearsal) -> Iterator[None]:
    run(whole, "CREATE SEQUENCE tickets AS smallint", "SELECT setval('tickets', 32000)")
    run(whole, "GRANT SELECT ON SEQUENCE tickets TO mycats_monitor")
    yield
    run(whole, "DROP SEQUENCE tickets")


@fault("The library that orders texts was updated under the database.", {"collation-version[primary]": ALERT})
def collation_updated(whole: Rehearsal) -> Iterator[None]:
    change = "UPDATE pg_database SET datcollversion = {} WHERE datname = 'mycats'"
    with whole.postgres.connect() as admin:
        row = admin.execute(
            "SELECT quote_nullable(datcollversion) FROM pg_database WHERE datname = 'mycats'"
        ).fetchone()
    run(whole, change.format("'1.0'"))
    yield
    run(whole, change.format(row[0] if row else "NULL"))


@fault("The password of the backend's role expires in three days.", {"role-expiry[primary]": ALERT})
def role_expires(whole: Rehearsal) -> Iterator[None]:
    run(whole, "DO $$ BEGIN EXECUTE format('ALTER ROLE mycats VALID UNTIL %L', now() + interval '3 days'); END $$")
    yield
    run(whole, "ALTER ROLE mycats VALID UNTIL 'infinity'")


@fault("Clients leak connections: hardly any is left.", {"connection-usage[primary]": WARNING})
def connections_leak(whole: Rehearsal) -> Iterator[None]:
    with contextlib.ExitStack() as sessions:
        for _ in range(39):
            sessions.enter_context(whole.postgres.connect())
        yield


@fault("A statement takes more than a second.", {"slow-queries[primary]": WARNING})
def query_slow(whole: Rehearsal) -> Iterator[None]:
    run(whole, "SELECT pg_sleep(1.1)")
    yield
    run(whole, "SELECT pg_stat_statements_reset()")


@fault("A long transaction keeps a table locked.", {
    "access-log-server-errors[access]": WARNING,
    "application-log-errors[application]": ALERT,
    "cats-response-time[blue]": ALERT,
    "data-intact[primary]": UNDETERMINED,
    "restore-drill[main]": UNDETERMINED,
})  # fmt: skip
def table_locked(whole: Rehearsal) -> Iterator[None]:
    with whole.postgres.connect() as connection, connection.transaction():
        connection.execute("LOCK TABLE cats IN ACCESS EXCLUSIVE MODE")
        users_come(whole, "/api/v1/cats")
        yield


@fault("The database server's clock is a minute fast.", {"clock-skew[primary]": ALERT})
def database_clock_off(whole: Rehearsal) -> Iterator[None]:
    # No server of this machine has a clock of its own: the monitoring role is told another time.
    run(
        whole,
        "CREATE FUNCTION public.clock_timestamp() RETURNS timestamptz LANGUAGE sql AS"
        " $$ SELECT pg_catalog.clock_timestamp() + interval '60 seconds' $$",
        "ALTER ROLE mycats_monitor SET search_path = public, pg_catalog",
    )
    yield
    run(whole, "ALTER ROLE mycats_monitor RESET search_path", "DROP FUNCTION public.clock_timestamp()")
