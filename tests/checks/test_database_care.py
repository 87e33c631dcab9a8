"""What a database needs and may lose: statistics, vacuum, connections, quick queries, its clock, and its rows."""

from __future__ import annotations

import contextlib
from types import SimpleNamespace

import pytest

from opsverify.probes.postgres.applied_migrations import AppliedMigrationsFacts
from rehearsal.parts.postgres import ADMIN, OWNER

SLOW = "test_slow_queries[primary]"
FRESH = "test_statistics_fresh[primary]"
WRAPAROUND = "test_wraparound[primary]"
CONNECTIONS = "test_connection_usage[primary]"
INTACT = "test_data_intact[primary]"
CLOCK = "test_database_clock[primary]"


@pytest.fixture
def sql(whole):
    """Run statements as the superuser, or as another role."""

    def run(*statements: str, role: str = ADMIN) -> None:
        with whole.postgres.connect(role) as connection:
            for statement in statements:
                connection.execute(statement)

    return run


def settings(check: str, **values):
    return {"checks": {check: {"settings": values}}}


def test_changed_table_that_nobody_analysed(verify, changed, sql):
    strict = changed(settings("statistics-fresh", max_age_days=0))
    only = ("-k", "statistics_fresh")
    assert verify(*only, environment=strict)[FRESH].verdict == "normal"  # nothing changed: nothing is due
    sql("UPDATE tags SET name = name WHERE id = 'tag-1'", role=OWNER)
    sql("CREATE TABLE newcomer (n int)", "INSERT INTO newcomer VALUES (1)", role=OWNER)
    try:
        seen = verify(*only, environment=strict)[FRESH]
        lenient = verify(*only)[FRESH]
        sql("SELECT pg_stat_reset()")
        sql("INSERT INTO newcomer VALUES (2)", role=OWNER)
        reset = verify(*only)[FRESH]
    finally:
        sql("DROP TABLE newcomer", "ANALYZE", role=OWNER)
    assert seen.verdict == "alert"
    assert "public.tags: 1 rows changed, analysed 20" in seen.sentence
    assert lenient.verdict == "alert"
    assert "public.newcomer: 1 rows changed, analysed never" in lenient.sentence
    assert "public.tags" not in lenient.sentence
    assert reset.verdict == "warning"
    assert "public.newcomer: 1 rows changed, analysed not since the statistics were reset on 20" in reset.sentence


def test_table_starved_of_vacuum(verify, changed, sql):
    starving = changed(settings("wraparound", minimum_dead_rows=100))
    sql("ALTER TABLE cats SET (autovacuum_enabled = false)", *["UPDATE cats SET name = name"] * 3)
    try:
        seen = verify("-k", "wraparound", environment=starving)[WRAPAROUND]
        tiny = verify("-k", "wraparound")[WRAPAROUND]
    finally:
        sql("ALTER TABLE cats RESET (autovacuum_enabled)", "VACUUM ANALYZE cats")
    assert seen.verdict == "alert"
    assert "public.cats: " in seen.sentence
    assert "% dead rows (" in seen.sentence
    assert tiny.verdict == "normal"


def test_transaction_ids_that_run_out(verify, changed):
    # Two thousand million transactions take days: the limits come to meet those that there are.
    near = changed({"checks": {"wraparound": {"band": {"below": 0, "alert_above": 0.000001}}}})
    seen = verify("-k", "wraparound", environment=near)[WRAPAROUND]
    assert seen.verdict == "alert"
    assert "oldest database " in seen.sentence


@pytest.mark.parametrize(("sessions", "verdict"), [(40, "warning"), (45, "alert")])
def test_connections_that_run_out(whole, verify, sessions, verdict):
    whole.health_checks.stop()
    with contextlib.ExitStack() as stack:
        for _ in range(sessions):
            stack.enter_context(whole.postgres.connect())
        seen = verify("-k", "connection_usage")[CONNECTIONS]
    assert seen.verdict == verdict
    assert f"({sessions + 1} of 50, 3 of them reserved)" in seen.sentence


def test_slow_statement_is_shown_without_its_literals(verify, changed, sql):
    strict = changed({"checks": {"slow-queries": {"band": {"below": 100, "alert_above": 1000}}}})
    sql("SELECT pg_stat_statements_reset()", "SELECT pg_sleep(0.2), 'kitten'")
    warned = verify("-k", "slow_queries", environment=strict)[SLOW]
    sql("SELECT pg_sleep(1.8), 'kitten'")  # the same statement: its mean is a second by now
    alerted = verify("-k", "slow_queries", environment=strict)[SLOW]
    often = changed({"checks": {"slow-queries": {"settings": {"minimum_calls": 1000000}}}})
    nothing = verify("-k", "slow_queries", environment=often)[SLOW]
    sql("SELECT pg_stat_statements_reset()")
    assert warned.verdict == "warning"
    assert alerted.verdict == "alert"
    assert "SELECT pg_sleep($1), $2 1," in alerted.sentence
    assert "(mean of 2 calls, longest 1" in alerted.sentence
    assert "kitten" not in alerted.sentence
    assert nothing.verdict == "undetermined"
    assert "holds no statement" in nothing.sentence


def test_why_slow_statements_are_not_known(whole, verify, sql):
    only = ("-k", "slow_queries")
    sql("REVOKE pg_monitor FROM mycats_monitor")
    try:
        forbidden = verify(*only)[SLOW]
    finally:
        sql("GRANT pg_monitor TO mycats_monitor")
    whole.postgres.restart(shared_preload_libraries="")
    try:
        not_loaded = verify(*only)[SLOW]
        sql("DROP EXTENSION pg_stat_statements")
        missing = verify(*only)[SLOW]
    finally:
        whole.postgres.restart()
        sql("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
    assert forbidden.verdict == not_loaded.verdict == missing.verdict == "undetermined"
    assert "GRANT pg_read_all_stats TO mycats_monitor" in forbidden.sentence
    assert "shared_preload_libraries must name it" in not_loaded.sentence
    assert "CREATE EXTENSION pg_stat_statements" in missing.sentence


@pytest.mark.parametrize(("seconds", "verdict"), [(-9, "warning"), (60, "alert")])
def test_database_clock_that_is_wrong(verify, sql, seconds, verdict):
    sql(
        "CREATE FUNCTION public.clock_timestamp() RETURNS timestamptz LANGUAGE sql AS"
        f" $$ SELECT pg_catalog.clock_timestamp() + interval '{seconds} seconds' $$",
        "ALTER ROLE mycats_monitor SET search_path = public, pg_catalog",
    )
    try:
        seen = verify("-k", "database_clock")[CLOCK]
    finally:
        sql("ALTER ROLE mycats_monitor RESET search_path", "DROP FUNCTION public.clock_timestamp()")
    assert seen.verdict == verdict
    assert f"({seconds:+.0f}." in seen.sentence or f"({seconds + (1 if seconds < 0 else -1):+.0f}." in seen.sentence


@pytest.fixture
def intact(verify, tmp_path):
    """Run data-intact with a history of the test's own."""

    def run(environment: str = "rehearsal", history: str = f"sqlite:///{tmp_path}/history.db"):
        return verify("-k", "data_intact", f"--history={history}", environment=environment)[INTACT]

    return run


def test_rows_that_are_lost_are_missed_until_they_are_back(intact, changed, sql):
    first, second = intact(), intact()
    sql("CREATE TABLE kept AS SELECT * FROM care_records WHERE id < 'care-11'", role=OWNER)
    sql("DELETE FROM care_records WHERE id < 'care-11'", role=OWNER)
    try:
        lost = [intact(), intact()]
        tolerated = intact(changed(settings("data-intact", tolerance_percent=10)))
        next_one = intact()
    finally:
        sql("INSERT INTO care_records SELECT * FROM kept", "DROP TABLE kept", role=OWNER)
    assert first.verdict == second.verdict == "normal"
    assert "rows of cats 120" in first.observed
    assert first.observed.endswith("migrations 3, nothing recorded yet to hold them against")
    assert second.observed.endswith("migrations 3")
    for seen in lost:  # a bad run is not what the next one is held against
        assert seen.verdict == "alert"
        assert "rows of care_records 138, before 150" in seen.sentence
    assert tolerated.verdict == "normal"
    assert next_one.verdict == "warning"  # what is lost little by little is seen, too
    assert "rows of care_records 138, within the last day 150" in next_one.sentence


def test_broken_objects_are_named(intact, changed, sql):
    sql(
        "CREATE INDEX half_built ON cats (name)",
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'half_built'::regclass",
        "ALTER TABLE owners ADD CONSTRAINT believed CHECK (name <> 'x') NOT VALID",
        "INSERT INTO _prisma_migrations (id, checksum, migration_name, logs)"
        " VALUES ('x', 'x', '20990101000000_broken', 'ERROR')",
    )
    try:
        seen = intact(changed(settings("data-intact", key_tables=["cats", "kittens"])))
        unread = intact(history="none")
    finally:
        sql("DROP INDEX half_built", "ALTER TABLE owners DROP CONSTRAINT believed",
            "DELETE FROM _prisma_migrations WHERE id = 'x'")  # fmt: skip
    assert seen.verdict == unread.verdict == "alert"
    for message in (
        "key tables missing: kittens",
        "migrations failed: 20990101000000_broken",
        "invalid indexes: public.half_built",
        "unvalidated constraints: public.owners.believed",
    ):
        assert message in seen.sentence


def test_without_a_history_nothing_is_said_to_be_intact(intact):
    seen = intact(history="none")
    assert seen.verdict == "undetermined"
    assert "the history is switched off" in seen.sentence


def held(judged, before, within_a_day=None, **changes):
    return judged(
        "recovery", "data-intact", changes=changes, applied_migrations=AppliedMigrationsFacts(True, "public", ()),
        invalid_objects=SimpleNamespace(indexes=(), constraints=()),
        key_rows=SimpleNamespace(counts=(("cats", 120), ("tags", 0))),
        history=SimpleNamespace(last_good=lambda item: before, series=lambda item, days: within_a_day or {}),
    ).worst  # fmt: skip


@pytest.mark.parametrize(
    ("before", "verdict", "sentence"),
    [
        ({}, "warning", "nothing recorded yet to hold them against"),
        ({"migrations": 0, "rows of cats": 120}, "warning", "nothing recorded yet of rows of tags"),
        ({"migrations": 0, "rows of cats": 130, "rows of tags": 0}, "normal", "rows of cats 120"),
        ({"migrations": 0, "rows of cats": 131, "rows of tags": 0}, "alert", "rows of cats 120, before 131"),
        ({"migrations": 0, "rows of cats": 120, "rows of tags": 3}, "warning", "rows of tags 0, before 3"),
        ({"migrations": 1, "rows of cats": 120, "rows of tags": 0}, "alert", "migrations 0, before 1"),
    ],
)
def test_what_counts_are_held_against(judged, before, verdict, sentence):
    seen = held(judged, before)
    assert (seen.verdict, sentence in seen.observed) == (verdict, True)


def test_rows_that_are_lost_little_by_little_are_missed(judged):
    before = {"migrations": 0, "rows of cats": 125, "rows of tags": 0}
    seen = held(judged, before, {"rows of cats": [(None, 131.0), (None, 125.0)], "migrations": [(None, 0.0)]})
    assert (seen.verdict, seen.observed) == ("warning", "rows of cats 120, within the last day 131")
    assert held(judged, before, {"rows of cats": [(None, 130.0)]}).verdict == "normal"


def test_environment_whose_runs_are_all_first_ones_says_so(judged):
    assert held(judged, {}, without_baseline="normal").verdict == "normal"
    assert (
        held(judged, {"migrations": 0, "rows of cats": 131, "rows of tags": 0}, tolerance_rows=11).verdict == "normal"
    )
