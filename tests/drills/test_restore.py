"""Restoring real dumps into real servers, on this machine and over SSH; and what is left of it: nothing."""

from __future__ import annotations

import gzip
import os
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from opsverify.config.environment import Host
from opsverify.drills import script, server
from opsverify.drills.manifest import DumpManifest
from opsverify.drills.postgres_programs import PostgresPrograms
from opsverify.drills.restore import RestoreDrill, _prepare, restore_into, restore_probe
from opsverify.drills.scratch import PREFIX, Scratch, sweep
from opsverify.drills.server import Server
from opsverify.errors import MissingPrivilege, ProbeError, Unreachable
from opsverify.evidence.deadline import Deadline
from tests.pace import AMPLE, HANGS

ROOT = Path(__file__).parents[2]
LOCAL = Host(connection="local://")


def drill(folder, place, *, host=LOCAL, seconds=60.0, pattern="db_*", **more):
    question = RestoreDrill(str(folder), pattern, str(place), **more)
    answer = restore_probe(host, frozenset([question]), Deadline(seconds))[question]
    if isinstance(answer, ProbeError):
        raise answer
    return answer


def servers(place: Path) -> list[str]:
    """Command lines of living servers below a folder."""
    result = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
        if "postgres -D" in line and str(place) in line:
            result.append(line)
    return result


def test_a_whole_dump_restores_with_its_roles(dumps, store, place):
    folder = store(dumps["plain"])
    restored = drill(folder, place)
    assert [file.read_bytes() for file in folder.iterdir()] == [dumps["plain"]]  # and is still there
    assert (restored.error, restored.ends_inside) == ("", "")
    assert restored.contents.rows == {"public.breeds": 10, "public.cats": 500}
    # Two primary keys, a unique, a foreign and a check constraint; an index for each key, and one more.
    assert (restored.contents.constraints, restored.contents.indexes) == (5, 4)
    assert restored.dumped_from.startswith(str(restored.restored_into[0]))
    assert not restored.newer_server
    assert restored.restore_seconds > 0
    assert not servers(place)


@pytest.mark.parametrize(
    ("name", "made"),
    [("db_1.dump", lambda d: d["custom"]), ("db_1.sql.gz", lambda d: gzip.compress(d["plain"]))],
)
def test_other_formats_restore_too(dumps, store, place, name, made):
    restored = drill(store(made(dumps), name), place)
    assert restored.error == ""
    assert restored.contents.rows["public.cats"] == 500


@pytest.mark.parametrize("share", [0.3, 0.9])
def test_damaged_archives_are_the_dumps_fault(dumps, store, place, share):
    for name, content in (("db_1.dump", dumps["custom"]), ("db_1.sql.gz", gzip.compress(dumps["plain"]))):
        folder = store(content[: int(len(content) * share)], name)
        restored = drill(folder, place)
        assert restored.error.startswith(("pg_restore cannot read it: ", "it does not decompress: "))
        (folder / name).unlink()


def test_a_dump_cut_among_rows_restores_without_error_and_is_told(dumps, store, place):
    lines = dumps["plain"].splitlines(keepends=True)
    cut = next(i for i, line in enumerate(lines) if b"cat_250" in line)
    restored = drill(store(b"".join(lines[:cut])), place)
    assert restored.error == ""  # as psql sees it
    assert restored.ends_inside == "public.cats"
    assert restored.contents.rows["public.cats"] < 500
    assert restored.contents.indexes == 0


def test_the_first_error_is_told_without_rows(dumps, store, place):
    broken = dumps["plain"].replace(b"1\tbreed 1\n", b"1\tbreed 1\textra secret\n")
    restored = drill(store(broken), place)
    assert restored.error.startswith("line ")
    assert "extra data after last expected column" in restored.error
    assert "secret" not in restored.error
    assert restored.contents is None


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "empty"),
        (b"pg_dump: error: connection to server failed\n", "syntax error"),
        (b"just some text\n", "syntax error"),
    ],
)
def test_what_is_no_dump_fails(store, place, content, sentence):
    restored = drill(store(content), place)
    assert sentence in restored.error


def test_no_dump_and_no_folder_are_facts(store, place, tmp_path):
    restored = drill(store(b"x", "other.txt"), place)
    assert (restored.exists, restored.dump) == (True, None)
    assert not drill(tmp_path / "nowhere", place).exists


def test_a_missing_extension_is_ours_to_install(dumps, store, place):
    lacking = dumps["plain"].replace(
        b"SET default_tablespace", b"CREATE EXTENSION nonsense;\nSET default_tablespace", 1
    )
    with pytest.raises(ProbeError, match="has no extension nonsense: install it where the suite runs"):
        drill(store(lacking), place)


def test_too_little_room_is_told_before_anything_is_done(dumps, store, place):
    with pytest.raises(ProbeError, match=r"has no room for the drill: .* MiB times 1e\+12 are needed"):
        drill(store(dumps["plain"]), place, space_factor=1e12)


def test_the_deadline_ends_server_and_all(dumps, store, place):
    began = time.monotonic()
    drill(store(dumps["plain"]), place)
    enough = 2 + 3 * round(time.monotonic() - began)  # for this machine: initdb, the start and the restore
    began = time.monotonic()
    with pytest.raises(ProbeError, match=f"did not end within {enough} s") as caught:
        drill(store(within(dumps["plain"], b"SELECT pg_sleep(6000);")), place, seconds=enough)
    assert not isinstance(caught.value, Unreachable)  # the host did answer
    assert time.monotonic() - began < 2 * enough + 10, "the statement would have waited for 6000 s"
    assert not servers(place)


ATTACKS = {
    "shell": b"\\! touch {mark}",
    "shell in a line": b"SELECT 1 \\! touch {mark}",
    "output": b"\\o |touch {mark}",
    "result": b"SELECT 1 \\g |touch {mark}",
    "write": b"SELECT 1 \\w {mark}",
    "client's copy": b"\\copy (SELECT 1) TO PROGRAM 'touch {mark}'",
    "client's file": b"\\copy (SELECT 1) TO '{mark}'",
    "backquotes": b"\\set x `touch {mark}`",
    "include": b"\\i /etc/passwd",
    "other session": b"\\connect - opsverify_superuser",
    "guessed key": b"\\unrestrict x y\n\\! touch {mark}",
    "key of its own": b"\\restrict x\n\\unrestrict x\n\\! touch {mark}",
    "server's copy": b"COPY (SELECT 1) TO PROGRAM 'touch {mark}';",
    "server's program": b"CREATE TABLE x (l text); COPY x FROM PROGRAM 'touch {mark}';",
    "server's file": b"COPY (SELECT 1) TO '{mark}';",
    "reading": b"CREATE TABLE x (l text); COPY x FROM '/etc/passwd';",
    "large object": b"SELECT lo_export(lo_from_bytea(0, 'x'), '{mark}');",
    "read function": b"SELECT pg_read_file('/etc/passwd');",
    "become superuser by owning": b"ALTER TABLE cats OWNER TO opsverify_superuser;\nSET ROLE opsverify_superuser;",
    "become superuser": b"SET ROLE opsverify_superuser; COPY (SELECT 1) TO PROGRAM 'touch {mark}';",
    "grant": b"GRANT pg_execute_server_program TO opsverify_restorer; COPY (SELECT 1) TO PROGRAM 'touch {mark}';",
    "superuser role": b"ALTER ROLE opsverify_restorer SUPERUSER;",
    "settings": b"ALTER SYSTEM SET archive_command = 'touch {mark}';",
    "library": b"LOAD '/tmp/x.so';",
    "function in C": b"CREATE FUNCTION f() RETURNS int LANGUAGE c AS '/tmp/x', 'f';",
    "in a block": b"DO $$ BEGIN EXECUTE $x$COPY (SELECT 1) TO PROGRAM 'touch {mark}'$x$; END $$;",
}


def within(dump: bytes, more: bytes) -> bytes:
    """A dump with something more in it, before its end."""
    return dump.replace(b"-- PostgreSQL database dump complete", more + b"\n-- PostgreSQL database dump complete")


@pytest.mark.parametrize("attack", ["shell", "server's copy", "become superuser by owning"])
def test_a_dump_does_nothing_but_restore(dumps, store, place, attack):
    """These ran their commands, or read their files, when the drill's psql was a plain one and its role a superuser."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o777)
        mark = f"{folder}/mark"
        folder_of_dumps = store(within(dumps["plain"], ATTACKS[attack].replace(b"{mark}", mark.encode())))
        try:
            restored = drill(folder_of_dumps, place)
        except ProbeError as error:
            assert "only a superuser may restore" in str(error)
        else:
            assert restored.error != ""
        assert os.listdir(folder) == []


def test_no_dump_does_anything_but_restore(place):
    """All ways, one after another into one server, as a drill feeds them."""
    with Scratch(place) as scratch, tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o777)
        of = Server(server.suitable(None), scratch.path)
        scratch.at_end(of.stop)
        of.start(lambda: AMPLE)
        harmed = {}
        for name, attack in ATTACKS.items():
            dump = scratch.path / "attack.sql"
            dump.write_bytes(
                b"CREATE TABLE cats (id int);\n" + attack.replace(b"{mark}", f"{folder}/mark".encode()) + b"\n"
            )
            with dump.open("rb") as source:
                needs = script.read(source)
            _prepare(of, needs, lambda: AMPLE)
            done = restore_into(of, dump, scratch.path / "feed.sql", lambda: AMPLE)
            if done.status == 0 or os.listdir(folder):
                harmed[name] = done.errors
        assert harmed == {}


@pytest.mark.parametrize("more", [b"\\! true\n", b"SELECT 1;\n", b"COPY x TO PROGRAM 'true';\n"])
def test_nothing_stands_behind_the_end_of_a_dump(dumps, store, place, more):
    restored = drill(store(dumps["plain"] + more), place)
    assert restored.error == "1 lines of something else stand behind its end"
    assert restored.restored_into is None  # it was not even tried


RICH = """
CREATE SCHEMA app; CREATE ROLE carol; CREATE ROLE postgres;
CREATE EXTENSION pgcrypto; CREATE EXTENSION "uuid-ossp"; CREATE EXTENSION pg_trgm;
CREATE TABLE app.parts (id int, at date NOT NULL, twice int GENERATED ALWAYS AS (2 * id) STORED) PARTITION BY RANGE (at);
CREATE TABLE app.parts_2026 PARTITION OF app.parts FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
INSERT INTO app.parts SELECT n, '2026-05-01' FROM generate_series(1, 100) n;
CREATE TABLE app.own (id int GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, of name DEFAULT current_user, code uuid);
ALTER TABLE app.own ENABLE ROW LEVEL SECURITY; ALTER TABLE app.own FORCE ROW LEVEL SECURITY;
CREATE POLICY mine ON app.own USING (of = current_user);
INSERT INTO app.own (code) SELECT uuid_generate_v4() FROM generate_series(1, 50);
ALTER TABLE app.own OWNER TO carol; ALTER SCHEMA app OWNER TO postgres; GRANT USAGE ON SCHEMA app TO carol;
ALTER DEFAULT PRIVILEGES FOR ROLE postgres IN SCHEMA app GRANT SELECT ON TABLES TO carol;
CREATE FUNCTION app.body() RETURNS text LANGUAGE plpgsql AS $$ BEGIN
-- as if: ALTER TABLE x OWNER TO y;
RETURN 'x'; END $$;
CREATE MATERIALIZED VIEW app.sums AS SELECT count(*) FROM app.parts;
CREATE VIEW app.seen AS SELECT id FROM app.parts; CREATE SEQUENCE app.alone; CREATE TYPE app.mood AS ENUM ('well');
SELECT lo_from_bytea(4711, 'large');
GRANT EXECUTE ON FUNCTION pg_hba_file_rules() TO carol; GRANT SELECT ON pg_catalog.pg_authid TO carol;
REVOKE ALL ON FUNCTION pg_catalog.pg_sleep(float8) FROM PUBLIC;
"""


def made_of(schema: str, *options: str) -> bytes:
    with Scratch() as scratch:
        of = Server(server.suitable(None), scratch.path)
        scratch.at_end(of.stop)
        of.start(lambda: AMPLE)
        assert of.psql(database="postgres", seconds=AMPLE, feed=b"CREATE DATABASE drill").status == 0
        done = of.psql(seconds=AMPLE, feed=schema.encode())
        assert done.status == 0, done.errors
        command = [of.programs.program("pg_dump"), "-d", of.dsn, *options]
        return subprocess.run(command, capture_output=True, check=True, timeout=HANGS).stdout


@pytest.mark.parametrize("options", [(), ("-F", "custom"), ("--inserts",)])
def test_what_databases_are_made_of_is_restored(store, place, options):
    restored = drill(store(made_of(RICH, *options)), place)
    assert restored.error == ""
    assert (restored.contents.rows["app.parts_2026"], restored.contents.rows["app.own"]) == (100, 50)


def test_what_takes_a_superuser_is_said(store, place):
    schema = "CREATE FUNCTION f() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END'; "
    schema += "CREATE EVENT TRIGGER e ON ddl_command_start EXECUTE FUNCTION f();"
    with pytest.raises(ProbeError, match=r"only a superuser may restore.*permission denied to create event trigger"):
        drill(store(made_of(schema)), place)


@pytest.mark.parametrize("result", [(14, 16), (14,), ()])
def test_the_server_is_of_the_same_major_or_the_next_newer(monkeypatch, result):
    monkeypatch.setattr(server, "installed", lambda: (PostgresPrograms(Path("/x"), (m, 1), "system") for m in result))
    if 16 in result:
        assert server.suitable(15).version == (16, 1)
        assert server.suitable(14).version == (14, 1)
    else:
        with pytest.raises(ProbeError, match=r"PostgreSQL 15 or newer where the suite runs \(found: (14|none)\)"):
            server.suitable(15)


def test_the_manifest_of_the_newest_dump(dumps, store, place):
    folder = store(dumps["plain"])
    manifest = folder / "db_20261125_010000.sql.manifest.json"
    question = DumpManifest(str(folder), "db_*.sql")

    def ask():
        return restore_probe(LOCAL, frozenset([question]), Deadline(AMPLE))[question]

    assert "No such file" in str(ask())
    manifest.write_text('{"tables": {"public.cats": 500}, "constraints": 5, "indexes": 4}')
    assert ask().rows == {"public.cats": 500}
    for wrong in ("{}", "[", '{"tables": {"a": -1}, "constraints": 0, "indexes": 0}', '{"tables": [], "x": 1}'):
        manifest.write_text(wrong)
        assert "could not be understood" in str(ask())


CHILD = """
import sys
from opsverify.config.environment import Host
from opsverify.evidence.deadline import Deadline
from opsverify.drills.restore import RestoreDrill, _prepare, restore_into, restore_probe
question = RestoreDrill(sys.argv[1], "db_*.sql", sys.argv[2])
restore_probe(Host(connection="local://"), frozenset([question]), Deadline(60))
"""


def started(folder: Path, place: Path) -> subprocess.Popen[bytes]:
    """A process in the middle of a drill that does not end."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen([sys.executable, "-c", CHILD, folder, place], env=environment)
    end = time.monotonic() + HANGS
    while not servers(place):
        assert process.poll() is None
        assert time.monotonic() < end
        time.sleep(0.05)
    return process


def test_after_kill_9_the_next_drill_cleans_up(dumps, store, place):
    process = started(store(within(dumps["plain"], b"SELECT pg_sleep(600);")), place)
    assert sweep(place) == 0  # it is alive, and so left alone
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert list(place.iterdir())
    folder = store(dumps["plain"])
    assert drill(folder, place).error == ""
    assert not servers(place)
    assert not list(place.iterdir())


def test_an_interrupted_run_leaves_nothing(dumps, store, place):
    process = started(store(within(dumps["plain"], b"SELECT pg_sleep(600);")), place)
    process.send_signal(signal.SIGINT)
    process.wait(HANGS)
    assert not servers(place)


def test_strangers_are_left_alone(place):
    for name in ("other", f"{PREFIX}file"):
        (place / name).touch()
    (open_to_all := place / f"{PREFIX}open").mkdir()
    open_to_all.chmod(0o777)
    (place / f"{PREFIX}killed-before-it-was-locked").mkdir()
    (dead := place / f"{PREFIX}dead").mkdir()
    (dead / "postgres/data").mkdir(parents=True)
    (dead / "postgres/data/postmaster.pid").write_text(f"{os.getpid()}\n")  # whose id came to be used again: ours
    with Scratch(place) as scratch:
        assert scratch.path.stat().st_mode & 0o777 == 0o700
        assert sorted(path.name for path in place.iterdir()) == sorted(
            ["other", f"{PREFIX}file", open_to_all.name, scratch.path.name]
        )
    for path in place.iterdir():
        path.rmdir() if path.is_dir() else path.unlink()


def test_nobody_takes_what_another_has_just_made(place):
    def use(number):
        for _ in range(40):
            with Scratch(place) as scratch:
                (scratch.path / str(number)).touch()
                assert [path.name for path in scratch.path.iterdir()] == [str(number)]

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(use, range(8)))
    assert not list(place.iterdir())


# ---- over SSH ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def remote(tmp_path_factory):
    """A host reached by SSH: this machine."""
    from opsverify.probes.host.ssh import close_connections
    from rehearsal import sshd
    from rehearsal.errors import NotAvailable

    try:
        with sshd.running(tmp_path_factory.mktemp("sshd")) as up:
            yield Host(connection="ssh://server", ssh_config=up.config())
            close_connections()
    except NotAvailable as missing:
        pytest.skip(str(missing))


def test_a_dump_is_fetched_over_ssh(dumps, store, place, remote):
    restored = drill(store(dumps["plain"], "db_it's 1.sql"), place, host=remote)
    assert restored.error == ""
    assert restored.contents.rows["public.cats"] == 500
    assert restored.fetch_seconds > 0


def test_what_is_compressed_is_fetched_as_it_is(dumps, store, place, remote):
    restored = drill(store(gzip.compress(dumps["plain"]), "db_1.sql.gz"), place, host=remote)
    assert restored.contents.rows["public.cats"] == 500


def test_unreadable_is_a_missing_privilege(dumps, store, place, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(MissingPrivilege, match="this account may not read it"):
        drill(store(dumps["plain"]), place)
