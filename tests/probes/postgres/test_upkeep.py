"""What a database must be kept from running out of: room in its keys, passwords in force, log, indexes in order."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from opsverify.config.environment import Database
from opsverify.errors import MissingPrivilege, ProbeError
from opsverify.evidence.deadline import Deadline
from opsverify.probes.postgres.collation_versions import CollationVersions
from opsverify.probes.postgres.key_usage import KeyUsage
from opsverify.probes.postgres.probe import probe as postgres_probe
from opsverify.probes.postgres.replication_slots import ReplicationSlots
from opsverify.probes.postgres.role_expiry import RoleExpiry
from opsverify.probes.postgres.wal_archiving import WalArchiving
from rehearsal.parts.database import MONITORING_ROLE
from tests.pace import AMPLE, until
from tests.probes.postgres.conftest import as_nobody, free_port

EVERY = (WalArchiving(), ReplicationSlots(), KeyUsage(), CollationVersions(), RoleExpiry())


@pytest.fixture
def ask(database: Any) -> Any:
    """ask(question, role="postgres") → its fact; raises its ProbeError."""

    def one(question: Any, role: str = "postgres", **more: str) -> Any:
        answer = postgres_probe(database(role, **more), frozenset([question]), Deadline(AMPLE))[question]
        if isinstance(answer, ProbeError):
            raise answer
        return answer

    return one


@pytest.fixture
def sql(cluster: Any) -> Callable[..., list[Any]]:
    """Run statements as the superuser; return the rows of the last."""

    def run(*statements: str, database: str = "mycats") -> list[Any]:
        with cluster.connect(database) as connection:
            for statement in statements:
                cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []

    return run


@pytest.fixture
def keys(sql: Any, ask: Any) -> Iterator[Callable[..., dict[str, Any]]]:
    """Make tables in a database of the test's own; return its keys by name."""
    sql("CREATE DATABASE keyed", database="postgres")

    def of(*statements: str, role: str = "postgres") -> dict[str, Any]:
        sql(*statements, "SELECT 1", database="keyed")
        facts = ask(KeyUsage(), role, dbname="keyed")
        return {key.name: key for key in facts.keys}

    yield of
    sql("DROP DATABASE keyed WITH (FORCE)", database="postgres")


INT, SMALL, BIG = 2**31 - 1, 2**15 - 1, 2**63 - 1


@pytest.mark.parametrize(
    ("made", "name", "share"),
    [
        ("CREATE TABLE t (id serial PRIMARY KEY); SELECT setval('t_id_seq', 2000000000)",
         "public.t.id (integer, from public.t_id_seq)", 2000000000 / INT),
        ("CREATE TABLE t (id smallserial PRIMARY KEY); SELECT setval('t_id_seq', 32000)",
         "public.t.id (smallint, from public.t_id_seq)", 32000 / SMALL),
        ("CREATE TABLE t (id bigserial PRIMARY KEY); SELECT setval('t_id_seq', 2000000000)",
         "public.t.id (bigint, from public.t_id_seq)", 2000000000 / BIG),
        ("CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY); SELECT setval('t_id_seq', 2000000000)",
         "public.t.id (integer, from public.t_id_seq)", 2000000000 / INT),
        # The sequence was widened and the column was not, or the other way round.
        ("CREATE TABLE t (id serial PRIMARY KEY); ALTER SEQUENCE t_id_seq AS bigint; SELECT setval('t_id_seq', 2147483647)",
         "public.t.id (integer, from public.t_id_seq)", 1),
        ("CREATE TABLE t (id serial PRIMARY KEY); ALTER TABLE t ALTER id TYPE bigint; SELECT setval('t_id_seq', 2147483647)",
         "public.t.id (bigint, from public.t_id_seq)", 1),
        # Nobody owns it, two tables share it, and one of them has less room.
        ("CREATE SEQUENCE s; CREATE TABLE t (id bigint PRIMARY KEY DEFAULT nextval('s'));"
         " CREATE TABLE u (id int PRIMARY KEY DEFAULT nextval('s')); SELECT setval('s', 2000000000)",
         "public.u.id (integer, from public.s)", 2000000000 / INT),
        ("CREATE SEQUENCE s MAXVALUE 1000; SELECT setval('s', 950)", "public.s", 0.95),
        ("CREATE SEQUENCE s START 950 MAXVALUE 1000", "public.s", 0.949),
        ("CREATE SEQUENCE s INCREMENT -1 MINVALUE -1000; SELECT setval('s', -950)", "public.s", 0.95),
        ("CREATE SEQUENCE s AS int MINVALUE -2147483648 START -2147483648; SELECT setval('s', 0)", "public.s", 0.5),
        ("CREATE SEQUENCE s MAXVALUE 1000 CYCLE; CREATE TABLE t (id int PRIMARY KEY DEFAULT nextval('s'));"
         " SELECT setval('s', 950)", "public.t.id (integer, from public.s)", 0.95),
        # What refers to a key has less room than the key.
        ("CREATE TABLE t (id bigserial PRIMARY KEY); CREATE TABLE u (t_id int REFERENCES t);"
         " SELECT setval('t_id_seq', 2000000000)",
         "public.u.t_id (integer, which refers to public.t.id, from public.t_id_seq)", 2000000000 / INT),
        ("CREATE TABLE t (id serial PRIMARY KEY); CREATE TABLE u (id int PRIMARY KEY REFERENCES t);"
         " CREATE TABLE v (u_id smallint REFERENCES u); SELECT setval('t_id_seq', 32000)",
         "public.v.u_id (smallint, which refers to public.t.id, from public.t_id_seq)", 32000 / SMALL),
        ("CREATE TABLE t (id int PRIMARY KEY, n int); INSERT INTO t VALUES (2000000000, 1)",
         "public.t.id (integer, given by the application)", 2000000000 / INT),
        ("CREATE DOMAIN code AS smallint; CREATE TABLE t (id code PRIMARY KEY); INSERT INTO t VALUES (-32000)",
         "public.t.id (smallint, given by the application)", 32000 / (SMALL + 1)),
        ("CREATE SEQUENCE s; CREATE TABLE t (id int PRIMARY KEY DEFAULT nextval('s') * 1000); SELECT setval('s', 9);"
         " INSERT INTO t VALUES (2000000000)", "public.t.id (integer, given by the application)", 2000000000 / INT),
        ("CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY, PRIMARY KEY (id)) PARTITION BY RANGE (id);"
         " CREATE TABLE t1 PARTITION OF t DEFAULT; SELECT setval('t_id_seq', 2000000000)",
         "public.t.id (integer, from public.t_id_seq)", 2000000000 / INT),
        ('CREATE SCHEMA "My Cats"; CREATE TABLE "My Cats"."Cat" ("Id" serial PRIMARY KEY)',
         '"My Cats"."Cat"."Id" (integer, from "My Cats"."Cat_Id_seq")', 0),
    ],
)  # fmt: skip
def test_how_far_keys_are_used_up(keys: Any, made: str, name: str, share: float) -> None:
    assert keys(*made.split("; "))[name].used_percent == pytest.approx(100 * share, abs=1e-6)


@pytest.mark.parametrize(
    "made",
    [
        "CREATE SEQUENCE s MAXVALUE 1000 CYCLE; SELECT setval('s', 990)",
        "CREATE TABLE t (n int, amount bigint); INSERT INTO t VALUES (2147483647, 9)",
        "CREATE TABLE t (id text PRIMARY KEY)",
    ],
)
def test_what_runs_out_of_nothing(keys: Any, made: str) -> None:
    assert keys(*made.split("; ")) == {}


def test_the_end_of_a_key_is_where_postgresql_says_it_is(keys: Any, sql: Any) -> None:
    made = ["CREATE TABLE t (id smallserial PRIMARY KEY)", "CREATE TABLE u (id smallint PRIMARY KEY DEFAULT 0)",
            "CREATE SEQUENCE s OWNED BY u.id", "ALTER TABLE u ALTER id SET DEFAULT nextval('s')"]  # fmt: skip
    full = keys(*made, "SELECT setval('t_id_seq', 32767), setval('s', 32767)")
    assert {key.used_percent for key in full.values()} == {100.0}
    for table, code in (("t", "nextval: reached maximum"), ("u", "smallint out of range")):
        with pytest.raises(Exception, match=code):
            sql(f"INSERT INTO {table} DEFAULT VALUES", database="keyed")


def test_keys_that_may_not_be_read_leave_the_rest_known(keys: Any, ask: Any, sql: Any) -> None:
    keys("CREATE TABLE t (id serial PRIMARY KEY)", "CREATE TABLE u (id int PRIMARY KEY)",
         "CREATE SEQUENCE s MAXVALUE 10", "SELECT setval('s', 10)",
         "GRANT SELECT ON SEQUENCE s TO stranger")  # fmt: skip
    seen = ask(KeyUsage(), "stranger", dbname="keyed")
    assert [(key.name, key.used_percent) for key in seen.keys] == [("public.s", 100.0)]
    assert isinstance(seen.hidden, MissingPrivilege)
    assert "GRANT SELECT ON SEQUENCE public.t_id_seq TO stranger" in str(seen.hidden)
    assert "GRANT SELECT ON public.u TO stranger" in str(seen.hidden)
    assert ask(KeyUsage(), "monitor", dbname="keyed").hidden is not None  # pg_monitor sees no sequence


def test_the_monitoring_role_sees_all_of_it(keys: Any, ask: Any, sql: Any) -> None:
    keys("CREATE TABLE t (id serial PRIMARY KEY)", 'CREATE SCHEMA "s 1"', 'CREATE TABLE "s 1".u (id int PRIMARY KEY)')
    script = MONITORING_ROLE.read_text()
    sql("SET opsverify.role = 'stranger'", script, database="keyed")
    try:
        assert ask(KeyUsage(), "stranger", dbname="keyed").hidden is None
        assert ask(WalArchiving(), "stranger", dbname="keyed").waiting >= 0
    finally:
        sql("DROP OWNED BY stranger", database="keyed")
        sql("REVOKE pg_monitor FROM stranger; ALTER ROLE stranger RESET ALL", database="keyed")


@pytest.fixture
def archive(sql: Any) -> Iterator[Callable[[str], None]]:
    """Set another archive_command and wait until the archiver has tried it."""

    def switch(command: str) -> None:
        sql(f"ALTER SYSTEM SET archive_command = '{command}'", "SELECT pg_reload_conf()")
        until(lambda: sql("SHOW archive_command") == [(command,)])
        tries = sql("SELECT archived_count + failed_count FROM pg_stat_archiver")

        def tried() -> bool:
            sql("CREATE TABLE filler (n int)", "DROP TABLE filler", "SELECT pg_switch_wal()")
            return sql("SELECT archived_count + failed_count FROM pg_stat_archiver") != tries

        until(tried)

    yield switch
    sql("ALTER SYSTEM RESET archive_command", "SELECT pg_reload_conf()")


def test_wal_archiving(ask: Any, sql: Any, archive: Any, tmp_path: Any) -> None:
    archive("test -f %p")
    sql("CHECKPOINT", "SELECT pg_switch_wal()")
    until(lambda: ask(WalArchiving()).waiting == 0 and ask(WalArchiving()).all_archived)
    well = ask(WalArchiving())
    assert (well.mode, well.active, well.configured, well.does_nothing) == ("on", True, True, False)
    assert not well.failing
    assert well.silent_hours == 0
    sql("CREATE TABLE written (n int)", "DROP TABLE written", "CHECKPOINT")
    written = ask(WalArchiving())
    assert not written.all_archived
    assert 0 < written.silent_hours < 1
    assert written.silent_hours == pytest.approx((written.observed_at - written.archived_at).total_seconds() / 3600)


def test_wal_archiving_that_fails(ask: Any, sql: Any, archive: Any) -> None:
    archive("test -f %p")
    archive("false")
    until(lambda: ask(WalArchiving()).failing)
    seen = ask(WalArchiving(), "monitor")
    assert seen.waiting >= 1
    assert 0 <= seen.waiting_minutes < 10
    assert len(seen.failed_segment) == 24
    hidden = ask(WalArchiving(), "stranger")
    assert hidden.failing
    with pytest.raises(MissingPrivilege, match="GRANT pg_monitor TO stranger"):
        _ = hidden.waiting
    sql("ALTER SYSTEM SET archive_command = 'test -f %p'", "SELECT pg_reload_conf()", "SELECT pg_switch_wal()")
    until(lambda: not ask(WalArchiving()).failing)


@pytest.mark.parametrize(
    ("command", "configured", "does_nothing"),
    [
        ("true", True, True), ("/bin/true", True, True), (" /usr/bin/true %p ", True, True), ("exit 0", True, True),
        (":", True, True), ("", False, False), ("true && cp %p /archive/%f", True, False),
        ("truecopy %p", True, False), ("cp %p /archive/%f || true", True, False),
    ],
)  # fmt: skip
def test_commands_that_keep_nothing(
    ask: Any, sql: Any, archive: Any, command: str, configured: bool, does_nothing: bool
) -> None:
    sql(f"ALTER SYSTEM SET archive_command = '{command}'", "SELECT pg_reload_conf()")
    until(lambda: sql("SHOW archive_command") == [(command,)])
    seen = ask(WalArchiving(), "stranger")
    assert (seen.configured, seen.does_nothing) == (configured, does_nothing)
    assert "/archive" not in repr(seen)


def test_replication_slots(ask: Any, sql: Any) -> None:
    assert ask(ReplicationSlots(), "stranger").slots == ()
    sql("SELECT pg_create_physical_replication_slot('left', true)", "SELECT pg_create_physical_replication_slot('new')")
    try:
        sql("CREATE TABLE much AS SELECT repeat('x', 100) AS x FROM generate_series(1, 50000)", "DROP TABLE much")
        left, new = ask(ReplicationSlots(), "stranger").slots
    finally:
        sql("SELECT pg_drop_replication_slot('left'), pg_drop_replication_slot('new')")
    assert (left.name, left.type, left.active, left.lost) == ("left", "physical", False, False)
    assert left.kept_bytes > 5_000_000
    assert (new.name, new.kept_bytes) == ("new", 0)  # nobody has used it yet: it keeps nothing


def test_a_slot_that_is_lost(ask: Any, sql: Any) -> None:
    sql("SELECT pg_create_physical_replication_slot('behind', true)",
        "ALTER SYSTEM SET max_slot_wal_keep_size = '1MB'", "SELECT pg_reload_conf()")  # fmt: skip
    try:

        def lost() -> bool:
            sql("CREATE TABLE filler (n int)", "DROP TABLE filler", "SELECT pg_switch_wal()", "CHECKPOINT")
            (slot,) = ask(ReplicationSlots()).slots
            return bool(slot.lost)

        until(lost)
        assert str(ask(ReplicationSlots()).slots[0]).startswith("behind (physical, lost)")
    finally:
        sql("ALTER SYSTEM RESET max_slot_wal_keep_size", "SELECT pg_reload_conf()",
            "SELECT pg_drop_replication_slot('behind')")  # fmt: skip


def test_collation_versions(ask: Any, sql: Any) -> None:
    seen = ask(CollationVersions(), "stranger")
    assert [one.name for one in seen.own] == (["mycats"] if seen.major >= 15 else [])
    assert not any(one.differs or one.unknown for one in (*seen.own, *seen.others, *seen.collations))
    locale = sql("SELECT collname FROM pg_collation WHERE collprovider = 'i' AND collname = 'de-x-icu'")
    if not locale:
        pytest.skip("this server was built without ICU")
    sql('CREATE TABLE sorted (t text COLLATE "de-x-icu")')
    try:
        (used,) = ask(CollationVersions(), "stranger").collations
        assert used.name == "pg_catalog.de-x-icu"
        assert used.recorded == used.actual is not None
        change = "UPDATE pg_collation SET collversion = {} WHERE collname IN ('de-x-icu', 'fr-x-icu')"
        (before,) = sql("SELECT collversion FROM pg_collation WHERE collname = 'de-x-icu'")[0]
        sql(change.format("'1.0'"))
        (used,) = ask(CollationVersions(), "stranger").collations  # fr is used by nothing
        assert (used.differs, str(used)) == (True, f"pg_catalog.de-x-icu made under 1.0, now {before}")
        sql(change.format("NULL"))
        (used,) = ask(CollationVersions(), "stranger").collations
        assert (used.differs, used.unknown) == (False, True)
        # PostgreSQL's own word for it: refreshed, there is nothing left to say.
        sql(change.format("'1.0'"), 'ALTER COLLATION "de-x-icu" REFRESH VERSION')
        (used,) = ask(CollationVersions(), "stranger").collations
        assert not (used.differs or used.unknown)
    finally:
        sql(
            "DROP TABLE sorted",
            "UPDATE pg_collation SET collversion = pg_collation_actual_version(oid) WHERE collprovider = 'i'",
        )


def test_the_version_of_a_database(ask: Any, sql: Any) -> None:
    if ask(CollationVersions()).major < 15:
        pytest.skip("databases keep a version since 15")
    change = "UPDATE pg_database SET datcollversion = {} WHERE datname = '{}'"
    try:
        sql(change.format("'9'", "mycats"), change.format("'9'", "bare"))
        seen = ask(CollationVersions(), "stranger")
    finally:
        sql(change.format("NULL", "mycats"), change.format("NULL", "bare"))
    assert [str(one) for one in seen.own] == ["mycats made under 9, now without versions"]
    assert [one.name for one in seen.others if one.differs] == ["bare"]


def test_role_expiry(ask: Any, sql: Any, cluster: Any) -> None:
    sql("ALTER ROLE ordinary VALID UNTIL 'infinity'", "CREATE ROLE clients",
        "DO $$ BEGIN EXECUTE format('ALTER ROLE monitor VALID UNTIL %L', now() + interval '3 days'); END $$",
        "DO $$ BEGIN EXECUTE format('ALTER ROLE stranger VALID UNTIL %L', now() - interval '3 days'); END $$")  # fmt: skip
    try:
        roles = {role.name: role for role in ask(RoleExpiry(("stranger", "clients", "nobody")), "monitor").roles}
        # Our own session of just now needs a moment to end.
        until(lambda: [r.name for r in ask(RoleExpiry(), "ordinary").roles] == ["ordinary", "postgres"])
    finally:
        sql(*(f"ALTER ROLE {role} VALID UNTIL 'infinity'" for role in ("monitor", "stranger")), "DROP ROLE clients")
    assert roles["monitor"].days_left == pytest.approx(3, abs=0.1)
    assert roles["stranger"].days_left == pytest.approx(-3, abs=0.1)
    assert roles["postgres"].days_left is None  # owns the tables
    assert (roles["clients"].exists, roles["clients"].can_log_in) == (True, False)
    assert (roles["nobody"].exists, roles["nobody"].can_log_in) == (False, False)
    assert "ordinary" not in roles


def every(target: Database) -> dict[Any, Any]:
    answers = postgres_probe(target, frozenset(EVERY), Deadline(AMPLE))
    assert not [answer for answer in answers.values() if isinstance(answer, ProbeError)]
    return answers


def answers(port: int) -> bool:
    with socket.socket() as sock:
        return sock.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture
def pooled(cluster: Any) -> Iterator[Database]:
    """The same database through a real PgBouncer in transaction mode, logged in to it under another name."""
    program = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None:
        pytest.skip("no pgbouncer on this machine")
    port, folder = free_port(), cluster.folder / "pooler"
    folder.mkdir()
    (folder / "users").write_text('"web" "x"\n')
    (folder / "ini").write_text(
        f"[databases]\nmycats = host=127.0.0.1 port={cluster.port} user=postgres\n[pgbouncer]\npool_mode = transaction\n"
        f"listen_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\nauth_type = plain\n"
        f"auth_file = {folder}/users\npidfile = {folder}/pid\nlogfile = {folder}/log\n"
    )
    as_nobody(program, "-q", "-d", str(folder / "ini"))
    until(lambda: (folder / "pid").exists() and answers(port))
    try:
        yield Database.model_validate(
            {"name": "main", "dsn": f"postgresql://web:x@127.0.0.1:{port}/mycats?require_auth=password"}
        )
    finally:
        os.kill(int((folder / "pid").read_text()), 15)
        until(lambda: not (folder / "pid").exists())
        shutil.rmtree(folder)


def test_through_a_pooler_in_transaction_mode(pooled: Database, database: Any) -> None:
    through, direct = every(pooled), every(database())
    for question in (KeyUsage(), CollationVersions(), ReplicationSlots()):
        assert through[question] == direct[question]
    # The role that the server knows, not the name by which the pooler does.
    assert [role.name for role in through[RoleExpiry()].roles] == ["postgres"]


@pytest.fixture
def standby(cluster: Any, sql: Any) -> Iterator[Database]:
    """A standby that replays the log of the cluster; of its tables, one is not logged."""
    port, folder = free_port(), cluster.folder / "standby"
    (new,) = sql("SELECT current_setting('server_version_num')::int >= 150000")[0]
    with cluster.connect() as connection:
        connection.execute("CREATE UNLOGGED TABLE unlogged (id serial PRIMARY KEY)")
        connection.execute(
            f"SELECT {'pg_backup_start' if new else 'pg_start_backup'}('copy', true{'' if new else ', false'})"
        )
        left_out = shutil.ignore_patterns("postmaster.*")
        shutil.copytree(cluster.folder / "data", folder, ignore=left_out)
        stop = "pg_backup_stop(false)" if new else "pg_stop_backup(false, false)"
        (label,) = connection.execute(f"SELECT labelfile FROM {stop}").fetchone() or ("",)
    (folder / "backup_label").write_text(str(label))
    (folder / "standby.signal").touch()
    with (folder / "postgresql.conf").open("a") as conf:
        conf.write(f"port = {port}\nrestore_command = 'cp {cluster.folder}/data/pg_wal/%f %p'\n")
    folder.chmod(0o700)
    control = (f"{cluster.binaries}/pg_ctl", "-D", str(folder), "-w")
    try:
        as_nobody(*control, "-l", str(cluster.folder / "standby.log"), "start")
        yield replace(cluster, port=port)
    finally:
        with contextlib.suppress(Exception):
            as_nobody(*control, "-m", "immediate", "stop")
        shutil.rmtree(folder)
        sql("DROP TABLE unlogged")


def test_on_a_standby(standby: Any, database: Any) -> None:
    dsn = standby.dsn()
    seen = every(Database.model_validate({"name": "main", "dsn": dsn}))
    with standby.connect() as connection:
        assert connection.execute("SELECT pg_is_in_recovery()").fetchone() == (True,)
        connection.execute("SELECT pg_create_physical_replication_slot('cascade', true)")
    (slot,) = every(Database.model_validate({"name": "main", "dsn": dsn}))[ReplicationSlots()].slots
    assert 0 <= slot.kept_bytes < 2**24
    assert not seen[WalArchiving()].active  # "on" is for primaries
    assert "public.cats.id (integer, from public.cats_id_seq)" in [key.name for key in seen[KeyUsage()].keys]
    if seen[CollationVersions()].major >= 15:  # before, a sequence of an unlogged table is logged all the same
        assert "unlogged_id_seq" in str(seen[KeyUsage()].hidden)
