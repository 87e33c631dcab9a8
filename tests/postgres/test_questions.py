"""What each question makes of a real server, as a superuser, a monitor, an ordinary role and a stranger."""

from __future__ import annotations

import pickle
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest

from opsverify.errors import MissingPrivilege, ProbeError
from opsverify.evidence import Deadline
from opsverify.probes import postgres
from opsverify.probes.postgres.questions import without_literals


@pytest.fixture
def ask(database: Any) -> Any:
    """ask(question, role="postgres") → its fact; raises its ProbeError."""

    def one(question: Any, role: str = "postgres", **more: str) -> Any:
        answer = postgres.probe(database(role, **more), frozenset([question]), Deadline(5))[question]
        if isinstance(answer, ProbeError):
            raise answer
        return pickle.loads(pickle.dumps(answer))

    return one


def test_who_and_where(ask: Any, cluster: Any) -> None:
    connect = ask(postgres.Connect(), "ordinary")
    assert 0 < connect.round_trip_seconds < connect.latency_seconds < 1
    version = ask(postgres.ServerVersion(), "stranger")
    assert version.major == version.version_num // 10000 >= 15
    assert version.text.startswith(f"PostgreSQL {version.major}")
    assert not version.in_recovery
    assert ask(postgres.ServerVersion(), host=str(cluster.folder)) == version


def test_the_clock_is_ours(ask: Any) -> None:
    clock = ask(postgres.Clock(), "stranger")
    assert abs(clock.offset_seconds) <= clock.uncertainty_seconds + 0.01


def test_applied_migrations(ask: Any) -> None:
    applied = ask(postgres.AppliedMigrations(), "ordinary")
    assert (applied.exists, applied.schema) == (True, "public")
    good, bad = applied.migrations
    assert (good.name, good.checksum, good.steps, good.has_logs) == ("20260101_init", "a" * 64, 1, False)
    assert good.finished_at == datetime(2026, 1, 2, tzinfo=UTC)
    assert (bad.finished_at, bad.has_logs, bad.rolled_back_at) == (None, True, None)


def test_no_migrations_table_and_no_right_to_read_it_differ(ask: Any) -> None:
    absent = ask(postgres.AppliedMigrations(), dbname="bare")
    assert (absent.exists, absent.schema, absent.migrations) == (False, None, ())
    with pytest.raises(MissingPrivilege, match=r"GRANT SELECT ON public._prisma_migrations TO stranger"):
        ask(postgres.AppliedMigrations(), "stranger")


def test_a_foreign_table_of_that_name_is_an_error(ask: Any, cluster: Any) -> None:
    with cluster.connect("bare") as connection:
        connection.execute("CREATE SCHEMA other; CREATE TABLE other._prisma_migrations (x int)")
    try:
        assert not ask(postgres.AppliedMigrations(), dbname="bare").exists
        with cluster.connect("bare") as connection:
            connection.execute("ALTER ROLE postgres IN DATABASE bare SET search_path = other")
        with pytest.raises(ProbeError, match="42703"):
            ask(postgres.AppliedMigrations(), dbname="bare")
    finally:
        with cluster.connect("bare") as connection:
            connection.execute("ALTER ROLE postgres IN DATABASE bare RESET ALL; DROP SCHEMA other CASCADE")


def test_connections_are_counted(ask: Any, cluster: Any) -> None:
    with cluster.connect(), cluster.connect():
        for role, exact in (("monitor", True), ("ordinary", False)):
            seen = ask(postgres.Connections(), role)
            assert seen.used >= 3
            assert (seen.max_connections, seen.reserved, seen.exact) == (30, 3, exact)
            assert seen.used_percent == pytest.approx(100 * seen.used / 30)


def test_slow_queries(ask: Any, cluster: Any) -> None:
    with cluster.connect() as connection:
        connection.execute("SELECT pg_stat_statements_reset()")
        connection.execute("SELECT pg_sleep(0.05), 'literal'")
        connection.execute("ALTER ROLE stranger SET application_name = 'pl4nted'")
        connection.execute("ALTER ROLE stranger RESET ALL")
    slow = ask(postgres.SlowQueries(limit=5), "monitor")
    first = slow.queries[0]
    assert first.text.startswith("SELECT pg_sleep(")
    assert first.calls == 1
    assert 50 <= first.mean_ms < 1000
    assert "pl4nted" not in repr(slow)


def test_slow_queries_fail_in_three_ways_with_three_sentences(ask: Any, cluster: Any) -> None:
    with pytest.raises(ProbeError, match="not installed in this database"):
        ask(postgres.SlowQueries(), "monitor", dbname="bare")
    with pytest.raises(MissingPrivilege, match="GRANT pg_read_all_stats TO ordinary"):
        ask(postgres.SlowQueries(), "ordinary")
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
            ask(postgres.SlowQueries(), dbname="bare")
    finally:
        with cluster.connect("bare") as connection:
            connection.execute("DROP VIEW pg_stat_statements; DROP EXTENSION pg_stat_statements CASCADE")


def test_the_old_column_names_of_pg_stat_statements(ask: Any, cluster: Any) -> None:
    with cluster.connect("bare") as connection:
        connection.execute("CREATE EXTENSION pg_stat_statements VERSION '1.7'")
        connection.execute("SELECT 1")
    try:
        slow = ask(postgres.SlowQueries(), dbname="bare")
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
    seen = ask(postgres.TableStatistics(), "stranger")
    tables = {table.name: table for table in seen.tables}
    assert tables["cats"].analyzed_at is not None
    assert tables["cats"].analyzed_at <= seen.server_time
    assert tables["cats"].live_estimate == 100
    assert tables["Pedigrees"].analyzed_at is None
    assert not seen.in_recovery


def test_wraparound(ask: Any) -> None:
    seen = ask(postgres.Wraparound(oldest=3), "stranger")
    assert {"mycats", "template0"} <= {aged.name for aged in seen.databases}
    assert 0 <= seen.used_percent < 1
    assert len(seen.oldest_tables) == 3
    assert seen.freeze_max_age == 200_000_000


def test_invalid_objects(ask: Any, cluster: Any) -> None:
    assert ask(postgres.InvalidObjects()) == postgres.InvalidObjectsFacts((), ())
    with cluster.connect() as connection:
        connection.execute("CREATE TABLE ill (a int); INSERT INTO ill VALUES (1), (1)")
        connection.execute("ALTER TABLE ill ADD CONSTRAINT positive CHECK (a > 1) NOT VALID")
        with pytest.raises(psycopg.errors.UniqueViolation):
            connection.execute("CREATE UNIQUE INDEX CONCURRENTLY ill_once ON ill (a)")
    try:
        seen = ask(postgres.InvalidObjects(), "stranger")
    finally:
        with cluster.connect() as connection:
            connection.execute("DROP TABLE ill")
    assert [(i.table, i.name, i.being_built) for i in seen.indexes] == [("ill", "ill_once", False)]
    assert [(c.schema, c.name) for c in seen.constraints] == [("public", "positive")]


def test_row_counts_are_exact(ask: Any) -> None:
    asked = ("cats", "public.Pedigrees", "nope", "public.nope", 'a"; DROP TABLE cats; --', "")
    assert ask(postgres.RowCounts(asked), "ordinary").counts == (
        ("cats", 100),
        ("public.Pedigrees", 0),
        ("nope", None),
        ("public.nope", None),
        ('a"; DROP TABLE cats; --', None),
        ("", None),
    )
    assert dict(ask(postgres.RowCounts()).counts) == {
        "public.cats": 100,
        "public.Pedigrees": 0,
        "public._prisma_migrations": 2,
    }
    assert ask(postgres.RowCounts(), dbname="bare").counts == ()
    with pytest.raises(MissingPrivilege, match=r"GRANT SELECT ON public.cats TO stranger"):
        ask(postgres.RowCounts(("cats",)), "stranger")


def test_row_security_never_makes_a_count_smaller(ask: Any, cluster: Any) -> None:
    with cluster.connect() as connection:
        connection.execute("CREATE TABLE hidden (a int); INSERT INTO hidden VALUES (1)")
        connection.execute("ALTER TABLE hidden ENABLE ROW LEVEL SECURITY; GRANT SELECT ON hidden TO ordinary")
    try:
        with pytest.raises(MissingPrivilege, match="row-level security"):
            ask(postgres.RowCounts(("hidden",)), "ordinary")
    finally:
        with cluster.connect() as connection:
            connection.execute("DROP TABLE hidden")


def test_roles_and_kinds_of_passwords(ask: Any) -> None:
    seen = ask(postgres.Roles())
    roles = {role.name: role for role in seen.roles}
    assert set(roles) == {"postgres", "monitor", "ordinary", "stranger"}
    assert roles["postgres"].superuser
    assert roles["postgres"].bypass_rls
    assert not roles["ordinary"].superuser
    assert roles["monitor"].member_of == ("pg_monitor",)
    assert seen.password_kinds()["ordinary"] == "scram-sha-256"
    assert seen.password_kinds()["postgres"] == "none"
    hidden = ask(postgres.Roles(), "ordinary")
    assert {role.name for role in hidden.roles} == set(roles)
    with pytest.raises(MissingPrivilege, match="pg_authid nor opsverify.password_kinds"):
        hidden.password_kinds()
    assert "SCRAM-SHA-256$" not in repr(seen)


def test_settings(ask: Any) -> None:
    names = ("password_encryption", "shared_preload_libraries", "no_such_setting")
    seen = ask(postgres.Settings(names), "monitor")
    assert seen.value("password_encryption") == "scram-sha-256"
    assert seen.value("shared_preload_libraries") == "pg_stat_statements"
    assert seen.unknown == ("no_such_setting",)
    with pytest.raises(MissingPrivilege, match=r"cannot see shared_preload_libraries.*pg_read_all_settings"):
        ask(postgres.Settings(names[:2]), "ordinary")
    assert ask(postgres.Settings(names[:1]), "ordinary").value("password_encryption") == "scram-sha-256"


def test_hba_rules(ask: Any) -> None:
    rules = ask(postgres.HbaRules()).rules
    assert [(rule.type, rule.method, rule.from_network) for rule in rules] == [
        ("local", "trust", False),
        ("host", "trust", False),
        ("host", "scram-sha-256", False),
    ]
    with pytest.raises(MissingPrivilege, match="GRANT SELECT ON pg_hba_file_rules TO monitor"):
        _ = ask(postgres.HbaRules(), "monitor").rules


def test_inventory(ask: Any) -> None:
    seen = ask(postgres.TableInventory(), "stranger")
    assert seen.tables == ("public.Pedigrees", "public._prisma_migrations", "public.cats")
    assert (seen.constraints, seen.indexes, seen.sequences) == (3, 2, 1)
    whole = ask(postgres.Contents())
    assert tuple(whole.rows) == seen.tables
    assert (whole.rows["public._prisma_migrations"], whole.constraints, whole.indexes) == (2, 3, 2)
    with pytest.raises(MissingPrivilege, match="GRANT SELECT ON "):
        ask(postgres.Contents(), "stranger")
