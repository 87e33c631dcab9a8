"""What each question makes of a real server, as a superuser, a monitor, an ordinary role and a stranger."""

from __future__ import annotations

import pickle
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest

from opsverify.errors import MissingPrivilege, ProbeError
from opsverify.evidence.deadline import Deadline
from opsverify.probes.postgres.access_rules import HbaRules
from opsverify.probes.postgres.applied_migrations import AppliedMigrations
from opsverify.probes.postgres.clock import Clock
from opsverify.probes.postgres.connect import Connect
from opsverify.probes.postgres.connections import Connections
from opsverify.probes.postgres.contents import Contents
from opsverify.probes.postgres.invalid_objects import InvalidObjects, InvalidObjectsFacts
from opsverify.probes.postgres.open_transactions import OpenTransactions
from opsverify.probes.postgres.probe import probe as postgres_probe
from opsverify.probes.postgres.roles import Roles
from opsverify.probes.postgres.row_counts import RowCounts
from opsverify.probes.postgres.server_settings import ServerSettings
from opsverify.probes.postgres.server_version import ServerVersion
from opsverify.probes.postgres.slow_queries import SlowQueries, without_literals
from opsverify.probes.postgres.table_inventory import TableInventory
from opsverify.probes.postgres.table_statistics import TableStatistics
from opsverify.probes.postgres.wraparound import Wraparound
from tests.pace import AMPLE, until


@pytest.fixture
def ask(database: Any) -> Any:
    """ask(question, role="postgres") → its fact; raises its ProbeError."""

    def one(question: Any, role: str = "postgres", **more: str) -> Any:
        answer = postgres_probe(database(role, **more), frozenset([question]), Deadline(AMPLE))[question]
        if isinstance(answer, ProbeError):
            raise answer
        return pickle.loads(pickle.dumps(answer))

    return one


def test_who_and_where(ask: Any, cluster: Any) -> None:
    connect = ask(Connect(), "ordinary")
    assert 0 < connect.round_trip_seconds < connect.latency_seconds
    version = ask(ServerVersion(), "stranger")
    assert version.major == version.version_num // 10000 >= 15
    assert version.text.startswith(f"PostgreSQL {version.major}")
    assert not version.in_recovery
    assert ask(ServerVersion(), host=str(cluster.folder)) == version


def test_the_clock_is_ours(ask: Any) -> None:
    clock = ask(Clock(), "stranger")
    assert abs(clock.offset_seconds) <= clock.uncertainty_seconds + 0.01


def test_applied_migrations(ask: Any) -> None:
    applied = ask(AppliedMigrations(), "ordinary")
    assert (applied.exists, applied.schema) == (True, "public")
    good, bad = applied.migrations
    assert (good.name, good.checksum, good.steps, good.has_logs) == ("20260101_init", "a" * 64, 1, False)
    assert good.finished_at == datetime(2026, 1, 2, tzinfo=UTC)
    assert (bad.finished_at, bad.has_logs, bad.rolled_back_at) == (None, True, None)


def test_no_migrations_table_and_no_right_to_read_it_differ(ask: Any) -> None:
    absent = ask(AppliedMigrations(), dbname="bare")
    assert (absent.exists, absent.schema, absent.migrations) == (False, None, ())
    with pytest.raises(MissingPrivilege, match=r"GRANT SELECT ON public._prisma_migrations TO stranger"):
        ask(AppliedMigrations(), "stranger")


def test_a_foreign_table_of_that_name_is_an_error(ask: Any, cluster: Any) -> None:
    with cluster.connect("bare") as connection:
        connection.execute("CREATE SCHEMA other; CREATE TABLE other._prisma_migrations (x int)")
    try:
        assert not ask(AppliedMigrations(), dbname="bare").exists
        with cluster.connect("bare") as connection:
            connection.execute("ALTER ROLE postgres IN DATABASE bare SET search_path = other")
        with pytest.raises(ProbeError, match="42703"):
            ask(AppliedMigrations(), dbname="bare")
    finally:
        with cluster.connect("bare") as connection:
            connection.execute("ALTER ROLE postgres IN DATABASE bare RESET ALL; DROP SCHEMA other CASCADE")


def test_connections_are_counted(ask: Any, cluster: Any) -> None:
    with cluster.connect(), cluster.connect():
        for role, exact in (("monitor", True), ("ordinary", False)):
            seen = ask(Connections(), role)
            assert seen.used >= 3
            assert (seen.max_connections, seen.reserved, seen.exact) == (30, 3, exact)
            assert seen.used_percent == pytest.approx(100 * seen.used / 30)


def test_slow_queries(ask: Any, cluster: Any) -> None:
    with cluster.connect() as connection:
        connection.execute("SELECT pg_stat_statements_reset()")
        connection.execute("SELECT pg_sleep(0.05), 'literal'")
        connection.execute("ALTER ROLE stranger SET application_name = 'pl4nted'")
        connection.execute("ALTER ROLE stranger RESET ALL")
    slow = ask(SlowQueries(limit=5), "monitor")
    first = slow.queries[0]
    assert first.text.startswith("SELECT pg_sleep(")
    assert first.calls == 1
    assert 50 <= first.mean_ms < 1000
    assert "pl4nted" not in repr(slow)


def test_utility_statements_stand_apart_from_queries(ask: Any, cluster: Any) -> None:
    utilities = (
        "COPY cats TO STDOUT", "-- nightly\nCOPY (SELECT pg_sleep(0.05)) TO STDOUT", "/* a ** b */ ANALYZE cats",
        "DO $$ BEGIN PERFORM pg_sleep(0.02); END $$", "EXPLAIN SELECT 1", "LOCK TABLE cats IN ACCESS SHARE MODE",
        "CREATE TEMPORARY TABLE selected AS SELECT 1 AS one",
    )  # fmt: skip
    queries = (
        "/* COPY cats */ SELECT pg_sleep(0.01), 'a'", "-- COPY\n WITH c AS (SELECT 1) SELECT * FROM c",
        "(SELECT 1) UNION (SELECT 2)", "VALUES(1)", "TABLE cats", "UPDATE cats SET name = name WHERE id = 1", "SELECT",
        "CALL slow_work()",
    )  # fmt: skip
    with cluster.connect() as connection:
        connection.execute("CREATE PROCEDURE slow_work() LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.03); END $$")
        connection.execute("SELECT pg_stat_statements_reset()")
        for statement in (*utilities, *queries):
            with connection.transaction(), connection.cursor() as cursor:
                if "COPY" in statement and "STDOUT" in statement:
                    with cursor.copy(statement) as rows:
                        assert list(rows)
                else:
                    cursor.execute(statement)
        connection.execute("DROP PROCEDURE slow_work")
    every = ask(SlowQueries(limit=100), "monitor")
    first_words = {query.text.split()[0] for query in every.utilities}
    assert first_words >= {"COPY", "--", "/*", "DO", "EXPLAIN", "LOCK", "CREATE", "BEGIN", "COMMIT", "DROP"}
    assert len(every.queries) >= len(queries)
    assert not [q.text for q in every.queries if "TO STDOUT" in q.text or "ANALYZE" in q.text]
    assert not [
        q.text for q in every.utilities if q.text.startswith(("SELECT", "CALL", "UPDATE", "VALUES", "TABLE", "("))
    ]
    # One of each kind: what is slow of the one leaves the other its place.
    few = ask(SlowQueries(limit=1), "monitor")
    assert [q.text for q in few.queries] == ["CALL slow_work()"]
    assert few.utilities[0].text.startswith("-- nightly COPY")


def test_slow_queries_fail_in_three_ways_with_three_sentences(ask: Any, cluster: Any) -> None:
    with pytest.raises(ProbeError, match="not installed in this database"):
        ask(SlowQueries(), "monitor", dbname="bare")
    with pytest.raises(MissingPrivilege, match="GRANT pg_read_all_stats TO ordinary"):
        ask(SlowQueries(), "ordinary")
    # A view that fails as the extension does where shared_preload_libraries does not name it.
    with cluster.connect("bare") as connection:
        connection.execute("CREATE EXTENSION pg_stat_statements")
        connection.execute(
            "CREATE FUNCTION not_loaded() RETURNS bigint LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION"
            " 'must be loaded via shared_preload_libraries' USING ERRCODE = '55000'; END $$"
        )
        connection.execute("ALTER EXTENSION pg_stat_statements DROP VIEW pg_stat_statements")
        connection.execute("DROP VIEW pg_stat_statements CASCADE")
        connection.execute(
            "CREATE VIEW pg_stat_statements AS SELECT ''::text AS query, not_loaded() AS calls, 0 AS rows,"
            " 0 AS mean_time, 0 AS max_time, 0 AS total_time, (SELECT oid FROM pg_database"
            " WHERE datname = current_database()) AS dbid"
        )
    try:
        with pytest.raises(ProbeError, match="installed but not loaded"):
            ask(SlowQueries(), dbname="bare")
    finally:
        with cluster.connect("bare") as connection:
            connection.execute("DROP VIEW pg_stat_statements; DROP EXTENSION pg_stat_statements CASCADE")


def test_the_old_column_names_of_pg_stat_statements(ask: Any, cluster: Any) -> None:
    with cluster.connect("bare") as connection:
        connection.execute("CREATE EXTENSION pg_stat_statements VERSION '1.7'")
        connection.execute("SELECT 1")
    try:
        slow = ask(SlowQueries(), dbname="bare")
    finally:
        with cluster.connect("bare") as connection:
            connection.execute("DROP EXTENSION pg_stat_statements")
    assert slow.extension_version == "1.7"
    assert slow.queries[0].mean_ms > 0


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("ALTER ROLE x PASSWORD 'it''s secret'", "ALTER ROLE x PASSWORD '…'"),
        ("ALTER ROLE x\n  PASSWORD 'cut off", "ALTER ROLE x PASSWORD '…'"),
        ("DO $body$ secret $body$", "DO '…'"),
        ("DO $$ secret", "DO '…'"),
        ("SELECT $1, $2", "SELECT $1, $2"),
        (None, ""),
    ],
)
def test_literals_are_left_out(text: str | None, shown: str) -> None:
    assert without_literals(text) == shown


def test_table_statistics(ask: Any, cluster: Any) -> None:
    with cluster.connect() as connection:
        connection.execute("ANALYZE cats")
    seen = ask(TableStatistics(), "stranger")
    tables = {table.name: table for table in seen.tables}
    assert tables["cats"].analyzed_at is not None
    assert tables["cats"].analyzed_at <= seen.server_time
    assert tables["cats"].live_estimate == 100
    assert tables["Pedigrees"].analyzed_at is None
    assert not seen.in_recovery


def test_wraparound(ask: Any) -> None:
    seen = ask(Wraparound(oldest=3), "stranger")
    assert {"mycats", "template0"} <= {aged.name for aged in seen.databases}
    assert 0 <= seen.used_percent < 1
    assert len(seen.oldest_tables) == 3
    assert seen.freeze_max_age == 200_000_000


def test_open_transactions(ask: Any, cluster: Any) -> None:
    # A session that was just left, as that of a test before, takes the server a moment to end.
    until(lambda: ask(OpenTransactions()).transactions == ())
    assert ask(OpenTransactions()).longest_minutes == 0
    with cluster.connect() as waiting, cluster.connect():  # which is idle, in no transaction
        waiting.autocommit = False
        waiting.execute("SET application_name = 'forgotten'")
        until(lambda: len(ask(OpenTransactions()).transactions) == 1)
        seen = ask(OpenTransactions())
        (forgotten,) = seen.transactions
        assert forgotten.holder == f"session {waiting.info.backend_pid} of postgres (forgotten)"
        assert seen.longest_minutes == forgotten.minutes >= 0
        assert seen.longest.endswith("(forgotten) for 0 min")
        waiting.rollback()
        until(lambda: ask(OpenTransactions()).transactions == ())
        with pytest.raises(MissingPrivilege, match="grant it pg_monitor"):
            _ = ask(OpenTransactions(), "stranger").longest_minutes


def test_prepared_transactions(ask: Any, cluster: Any) -> None:
    with cluster.connect() as connection:
        connection.execute("BEGIN; CREATE TABLE held (a int); PREPARE TRANSACTION 'left over'")
        try:
            assert [t.holder for t in ask(OpenTransactions()).transactions] == [
                "prepared transaction left over of postgres"
            ]
        finally:
            connection.execute("ROLLBACK PREPARED 'left over'")


def test_invalid_objects(ask: Any, cluster: Any) -> None:
    assert ask(InvalidObjects()) == InvalidObjectsFacts((), ())
    with cluster.connect() as connection:
        connection.execute("CREATE TABLE ill (a int); INSERT INTO ill VALUES (1), (1)")
        connection.execute("ALTER TABLE ill ADD CONSTRAINT positive CHECK (a > 1) NOT VALID")
        with pytest.raises(psycopg.errors.UniqueViolation):
            connection.execute("CREATE UNIQUE INDEX CONCURRENTLY ill_once ON ill (a)")
    try:
        seen = ask(InvalidObjects(), "stranger")
    finally:
        with cluster.connect() as connection:
            connection.execute("DROP TABLE ill")
    assert [(i.table, i.name, i.being_built) for i in seen.indexes] == [("ill", "ill_once", False)]
    assert [(c.schema, c.name) for c in seen.constraints] == [("public", "positive")]


def test_row_counts_are_exact(ask: Any) -> None:
    asked = ("cats", "public.Pedigrees", "nope", "public.nope", 'a"; DROP TABLE cats; --', "")
    assert ask(RowCounts(asked), "ordinary").counts == (
        ("cats", 100),
        ("public.Pedigrees", 0),
        ("nope", None),
        ("public.nope", None),
        ('a"; DROP TABLE cats; --', None),
        ("", None),
    )
    assert dict(ask(RowCounts()).counts) == {
        "public.cats": 100,
        "public.Pedigrees": 0,
        "public._prisma_migrations": 2,
    }
    assert ask(RowCounts(), dbname="bare").counts == ()
    with pytest.raises(MissingPrivilege, match=r"GRANT SELECT ON public.cats TO stranger"):
        ask(RowCounts(("cats",)), "stranger")


def test_row_security_never_makes_a_count_smaller(ask: Any, cluster: Any) -> None:
    with cluster.connect() as connection:
        connection.execute("CREATE TABLE hidden (a int); INSERT INTO hidden VALUES (1)")
        connection.execute("ALTER TABLE hidden ENABLE ROW LEVEL SECURITY; GRANT SELECT ON hidden TO ordinary")
    try:
        with pytest.raises(MissingPrivilege, match="row-level security"):
            ask(RowCounts(("hidden",)), "ordinary")
    finally:
        with cluster.connect() as connection:
            connection.execute("DROP TABLE hidden")


def test_roles_and_kinds_of_passwords(ask: Any) -> None:
    seen = ask(Roles())
    roles = {role.name: role for role in seen.roles}
    assert set(roles) == {"postgres", "monitor", "ordinary", "stranger"}
    assert roles["postgres"].superuser
    assert roles["postgres"].bypass_rls
    assert not roles["ordinary"].superuser
    assert roles["monitor"].member_of == ("pg_monitor",)
    assert seen.password_kinds()["ordinary"] == "scram-sha-256"
    assert seen.password_kinds()["postgres"] == "none"
    hidden = ask(Roles(), "ordinary")
    assert {role.name for role in hidden.roles} == set(roles)
    with pytest.raises(MissingPrivilege, match="pg_authid nor opsverify.password_kinds"):
        hidden.password_kinds()
    assert "SCRAM-SHA-256$" not in repr(seen)


def test_settings(ask: Any) -> None:
    names = ("password_encryption", "shared_preload_libraries", "no_such_setting")
    seen = ask(ServerSettings(names), "monitor")
    assert seen.value("password_encryption") == "scram-sha-256"
    assert seen.value("shared_preload_libraries") == "pg_stat_statements"
    assert seen.unknown == ("no_such_setting",)
    with pytest.raises(MissingPrivilege, match=r"cannot see shared_preload_libraries.*pg_read_all_settings"):
        ask(ServerSettings(names[:2]), "ordinary")
    assert ask(ServerSettings(names[:1]), "ordinary").value("password_encryption") == "scram-sha-256"


def test_hba_rules(ask: Any) -> None:
    rules = ask(HbaRules()).rules
    assert [(rule.type, rule.method, rule.from_network) for rule in rules] == [
        ("local", "trust", False),
        ("host", "trust", False),
        ("host", "scram-sha-256", False),
    ]
    with pytest.raises(MissingPrivilege, match="GRANT SELECT ON pg_hba_file_rules TO monitor"):
        _ = ask(HbaRules(), "monitor").rules


def test_inventory(ask: Any) -> None:
    seen = ask(TableInventory(), "stranger")
    assert seen.tables == ("public.Pedigrees", "public._prisma_migrations", "public.cats")
    assert (seen.constraints, seen.indexes, seen.sequences) == (3, 2, 1)
    whole = ask(Contents())
    assert tuple(whole.rows) == seen.tables
    assert (whole.rows["public._prisma_migrations"], whole.constraints, whole.indexes) == (2, 3, 2)
    with pytest.raises(MissingPrivilege, match="GRANT SELECT ON "):
        ask(Contents(), "stranger")
