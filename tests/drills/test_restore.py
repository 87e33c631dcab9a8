"""Restoring real dumps into real servers, on this machine and over SSH; and what is left of it: nothing."""

from __future__ import annotations

import gzip
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from opsverify.environment import Host
from opsverify.errors import MissingPrivilege, ProbeError, Unreachable
from opsverify.evidence import Deadline
from opsverify.postgres_programs import PostgresPrograms
from opsverify.probes.drills import DumpManifest, RestoreDrill, restore_probe, server
from opsverify.probes.drills.scratch import PREFIX, Scratch, sweep

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
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
        if "postgres -D" in line and str(place) in line:
            found.append(line)
    return found


def test_a_whole_dump_restores_with_its_roles(dumps, store, place):
    restored = drill(store(dumps["plain"]), place)
    assert (restored.error, restored.ends_inside) == ("", "")
    assert restored.contents.rows == {"public.breeds": 10, "public.cats": 500}
    # Two primary keys, a unique, a foreign and a check constraint; an index for each key, and one more.
    assert (restored.contents.constraints, restored.contents.indexes) == (5, 4)
    assert restored.dumped_from.startswith(str(restored.restored_into[0]))
    assert not restored.newer_server
    assert 0 < restored.restore_seconds < 30
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
    ("content", "told"),
    [
        (b"", "empty"),
        (b"pg_dump: error: connection to server failed\n", "syntax error"),
        (b"just some text\n", "syntax error"),
    ],
)
def test_what_is_no_dump_fails(store, place, content, told):
    restored = drill(store(content), place)
    assert told in restored.error


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
    with pytest.raises(ProbeError, match="did not end within 6 s") as caught:
        drill(store(dumps["plain"] + b"SELECT pg_sleep(600);\n"), place, seconds=6)
    assert not isinstance(caught.value, Unreachable)  # the host did answer
    assert time.monotonic() - began < 10
    assert not servers(place)


def test_the_environment_of_the_suite_is_no_business_of_a_dump(dumps, store, place, monkeypatch):
    monkeypatch.setenv("MYCATS_MONITOR_PASSWORD", "unmistakable")
    spying = dumps["plain"] + b"CREATE TABLE public.spied (line text);\nCOPY public.spied FROM PROGRAM 'env';\n"
    spying += b"DO $$ BEGIN IF EXISTS (SELECT FROM public.spied WHERE line LIKE '%unmistakable%')\n"
    spying += b"THEN RAISE EXCEPTION 'seen'; END IF; END $$;\n"
    assert drill(store(spying), place).error == ""


@pytest.mark.parametrize("found", [(14, 16), (14,), ()])
def test_the_server_is_of_the_same_major_or_the_next_newer(monkeypatch, found):
    monkeypatch.setattr(server, "installed", lambda: (PostgresPrograms(Path("/x"), (m, 1), "system") for m in found))
    if 16 in found:
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
        return restore_probe(LOCAL, frozenset([question]), Deadline(20))[question]

    assert "No such file" in str(ask())
    manifest.write_text('{"tables": {"public.cats": 500}, "constraints": 5, "indexes": 4}')
    assert ask().rows == {"public.cats": 500}
    for wrong in ("{}", "[", '{"tables": {"a": -1}, "constraints": 0, "indexes": 0}', '{"tables": [], "x": 1}'):
        manifest.write_text(wrong)
        assert "could not be understood" in str(ask())


CHILD = """
import sys
from opsverify.environment import Host
from opsverify.evidence import Deadline
from opsverify.probes.drills import RestoreDrill, restore_probe
question = RestoreDrill(sys.argv[1], "db_*.sql", sys.argv[2])
restore_probe(Host(connection="local://"), frozenset([question]), Deadline(60))
"""


def started(folder: Path, place: Path) -> subprocess.Popen[bytes]:
    """A process in the middle of a drill that does not end."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen([sys.executable, "-c", CHILD, folder, place], env=environment)
    end = time.monotonic() + 20
    while not servers(place):
        assert process.poll() is None
        assert time.monotonic() < end
        time.sleep(0.05)
    return process


def test_after_kill_9_the_next_drill_cleans_up(dumps, store, place):
    process = started(store(dumps["plain"] + b"SELECT pg_sleep(600);\n"), place)
    assert sweep(place) == 0  # it is alive, and so left alone
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert list(place.iterdir())
    folder = store(dumps["plain"])
    assert drill(folder, place).error == ""
    assert not servers(place)
    assert not list(place.iterdir())


def test_an_interrupted_run_leaves_nothing(dumps, store, place):
    process = started(store(dumps["plain"] + b"SELECT pg_sleep(600);\n"), place)
    process.send_signal(signal.SIGINT)
    process.wait(20)
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
    from opsverify.probes.host import close_connections
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


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has files that the drill's user may not read")
def test_a_dump_cannot_use_the_drill_to_read_root_s_files(tmp_path, place):
    secret = tmp_path / "secret"
    secret.write_text("only-root-may-read-this")
    secret.chmod(0o600)
    out = place / "out"
    out.mkdir()
    out.chmod(0o777)
    dump = tmp_path / "db_1.sql"
    dump.write_text(f"\\! cat {secret} > {out}/leak\nCREATE TABLE t (a int);\n-- PostgreSQL database dump complete\n")
    os.utime(dump, (time.time() - 3600,) * 2)
    try:
        drill(tmp_path, place)
    finally:
        assert (out / "leak").read_text() == ""
        (out / "leak").unlink()
        out.rmdir()
