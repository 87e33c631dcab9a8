"""The checks as the role that monitoring-role.sql makes: it is enough, it is the least, and nothing is written."""

from __future__ import annotations

import re
import shlex

import psycopg
import pytest

from opsverify import privileges
from opsverify.probes.postgres.roles import HASH_KINDS
from rehearsal.parts.database import MONITORING_ROLE
from tests.checks.conftest import ROOT, run

ROLE, PASSWORD = "watcher", "pl4nted-S3cret-of-the-watcher"
DATABASE_CHECKS = ("-k", "primary or migrations", "-m", "not drill")
SOME = ("-k", "primary and (slow_queries or data_intact or rights or passwords)")


@pytest.fixture(scope="module")
def watcher(whole):
    """A second role of the script, on a server that nothing else writes to (no autovacuum)."""
    script = MONITORING_ROLE.read_text()
    with whole.postgres.connect() as admin:
        admin.execute("ALTER SYSTEM SET autovacuum = off")
        admin.execute("SELECT pg_reload_conf()")
        admin.execute(f"SET opsverify.role = '{ROLE}'")
        admin.execute(script)
        admin.execute(script)  # as often as one likes
        admin.execute(f"ALTER ROLE {ROLE} PASSWORD '{PASSWORD}'")
    return f"postgresql://{ROLE}:{PASSWORD}@127.0.0.1:{whole.postgres.port}/mycats"


@pytest.fixture
def judge(whole, watcher, changed, tmp_path):
    """Run the checks of databases as the watcher."""
    environment = changed({"databases": {"primary": {"dsn": "${WATCHER_DSN}"}}})

    def judge():
        root = str(whole.layout.root)
        history = f"--history=sqlite:///{tmp_path}/history.db"
        variables = {"REHEARSAL_ATTACH": root, "WATCHER_DSN": watcher}
        return run(tmp_path, *DATABASE_CHECKS, history, environment=environment, **variables)

    return judge


def contents(whole) -> dict[str, str]:
    """What could change: every table's checksum, and how many transactions have written anything."""
    with whole.postgres.connect() as admin:
        tables = admin.execute(
            "SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE c.relkind = 'r' AND n.nspname = 'public' ORDER BY 1"
        ).fetchall()
        sums = {
            name: str(admin.execute(f"SELECT md5(string_agg(t::text, ',' ORDER BY t::text)) FROM {name} t").fetchone())
            for (name,) in tables
        }
        # Only a transaction that writes is given an id.
        written = admin.execute("SELECT pg_snapshot_xmax(pg_current_snapshot())").fetchone()
        roles = admin.execute("SELECT md5(string_agg(r::text, ',' ORDER BY oid)) FROM pg_authid r").fetchone()
    return {**sums, "(transactions)": str(written), "(roles)": str(roles)}


def test_the_role_is_enough_and_nothing_is_written(whole, judge):
    before = contents(whole)
    ran = judge()
    assert contents(whole) == before
    assert len(before) > 10
    assert len(ran.found) >= 10, ran.output
    bad = {name: seen.sentence for name, seen in ran.found.items() if seen.verdict not in ("normal", "warning")}
    assert not bad
    assert PASSWORD not in ran.output


def test_the_role_sees_no_data_and_can_write_none(watcher):
    with psycopg.connect(watcher, autocommit=True) as connection:
        assert connection.execute("SELECT count(*) FROM users").fetchone() == (5,)
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            connection.execute("CREATE TABLE mine (n int)")
        connection.execute("SET default_transaction_read_only = off")
        for statement in (
            "SELECT email FROM users",
            "SELECT rolpassword FROM pg_authid",
            "DELETE FROM cats",
            "CREATE TABLE mine (n int)",
            "DROP VIEW opsverify.password_kinds",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement)


def test_without_pg_monitor_what_needs_it_is_undetermined(whole, judge):
    with whole.postgres.connect() as admin:
        admin.execute(f"REVOKE pg_monitor FROM {ROLE}")
        try:
            ran = judge()
        finally:
            admin.execute(f"GRANT pg_monitor TO {ROLE}")
    lost = {name: seen for name, seen in ran.found.items() if seen.verdict not in ("normal", "warning")}
    assert "test_slow_queries[primary]" in lost
    for seen in lost.values():
        assert seen.verdict == "undetermined"
        assert "pg_monitor" in seen.sentence


def test_a_preflight_says_what_the_role_lacks_and_the_commands_that_grant_it_do(whole, watcher, changed, tmp_path):
    environment = changed({"databases": {"primary": {"dsn": "${WATCHER_DSN}"}}})

    def preflight():
        variables = {"REHEARSAL_ATTACH": str(whole.layout.root), "WATCHER_DSN": watcher}
        history = f"--history=sqlite:///{tmp_path}/history.db"
        return run(tmp_path, "--preflight", *SOME, history, environment=environment, **variables)

    takes = (
        "REVOKE pg_monitor FROM {0}",
        "REVOKE SELECT (id) ON cats FROM {0}",
        "REVOKE SELECT ON pg_hba_file_rules FROM {0}",
    )
    with whole.postgres.connect() as admin:
        for statement in (*takes, "REVOKE USAGE ON SCHEMA opsverify FROM {0}"):
            admin.execute(statement.format(ROLE))
        admin.execute("DROP EXTENSION pg_stat_statements")
        try:
            before = contents(whole)
            rounds = [preflight()]
            assert contents(whole) == before
            while rounds[-1].code == 1 and len(rounds) < 3:  # an extension is looked at before the right to read it
                for words in map(shlex.split, re.findall(r"^      (.*psql .*)$", rounds[-1].output, re.MULTILINE)):
                    if "-f" in words:
                        admin.execute(f"SET opsverify.role = '{ROLE}'")
                        admin.execute(MONITORING_ROLE.read_text())
                    else:
                        admin.execute(words[words.index("-c") + 1])
                rounds.append(preflight())
        finally:
            admin.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
            admin.execute(f"REVOKE ALL ON cats FROM {ROLE}")
            admin.execute(f"SET opsverify.role = '{ROLE}'")
            admin.execute(MONITORING_ROLE.read_text())
    output = " ".join(rounds[0].output.split())
    assert rounds[0].code == 1, output
    for needle in (
        "CREATE EXTENSION pg_stat_statements",
        "GRANT SELECT ON pg_hba_file_rules TO watcher",
        "cats TO watcher",
        "PGOPTIONS='-c opsverify.role=watcher' psql -d mycats -f opsverify/sql/monitoring-role.sql",
        "as a superuser of 127.0.0.1:",
    ):
        assert needle in output
    assert "missing for a full run" in output
    assert (rounds[-1].code, "Nothing is missing" in rounds[-1].output) == (0, True), rounds[-1].output
    assert not list(tmp_path.glob("*.xml"))
    assert PASSWORD not in output


def test_without_a_column_of_a_table_its_rows_are_not_counted(whole, judge):
    with whole.postgres.connect() as admin:
        admin.execute(f"REVOKE SELECT (id) ON cats FROM {ROLE}")
        try:
            ran = judge()
        finally:
            admin.execute(f"GRANT SELECT (id) ON cats TO {ROLE}")
    lost = {name: seen for name, seen in ran.found.items() if seen.verdict not in ("normal", "warning")}
    assert set(lost) == {"test_data_intact[primary]"}
    assert "cats TO watcher" in lost["test_data_intact[primary]"].sentence


def test_a_powerful_role_is_refused(whole):
    with whole.postgres.connect() as admin:
        admin.execute("SET opsverify.role = 'postgres'")
        with pytest.raises(psycopg.errors.RaiseException, match="can do more than look"):
            admin.execute(MONITORING_ROLE.read_text())


def test_the_view_is_what_the_probe_would_ask():
    assert HASH_KINDS + ";" in MONITORING_ROLE.read_text()


def test_every_question_and_every_probe_says_what_it_needs():
    text = (ROOT / "docs/privileges.md").read_text(encoding="utf-8")
    assert text == privileges.with_table(text), "run python -m opsverify.generate"
    assert len(list(privileges.questions())) > 50
    for probe in privileges.probes():
        assert f"`{probe.__module__}.{probe.__name__}`" in text
