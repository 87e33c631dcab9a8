"""How pg_dump and pg_dumpall end, of every version that is installed here: whole, and with something behind."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from opsverify.drills.postgres_programs import PostgresPrograms, installed
from opsverify.drills.scratch import Scratch
from opsverify.drills.server import Server
from opsverify.probes.host.files.dumps import Dump, _dump
from opsverify.probes.host.files.listing import Entry
from tests.pace import AMPLE, HANGS

NOW = datetime(2026, 11, 27, tzinfo=UTC)


@pytest.fixture(
    scope="module",
    params=list({one.version: one for one in installed()}.values()),
    ids=lambda one: ".".join(map(str, one.version)),
)
def written(request: pytest.FixtureRequest) -> Iterator[dict[str, bytes]]:
    """The same database as pg_dump and pg_dumpall of one version write it."""
    programs: PostgresPrograms = request.param
    with Scratch() as scratch:
        server = Server(programs, scratch.path)
        scratch.at_end(server.stop)
        server.start(lambda: AMPLE)
        for feed, database in ((b"CREATE DATABASE drill", "postgres"), (b"CREATE TABLE t AS SELECT 1 AS a", "drill")):
            assert server.psql(database=database, seconds=AMPLE, feed=feed).status == 0
        commands = {
            "pg_dump": ["-d", server.dsn],
            "pg_dumpall": ["-d", server.dsn],
            "pg_dump --verbose": ["-v", "-d", server.dsn],
            "pg_dump --inserts": ["--inserts", "-d", server.dsn],
        }
        yield {
            name: subprocess.run(
                [server.programs.program(name.split()[0]), *arguments], capture_output=True, check=True, timeout=HANGS
            ).stdout
            for name, arguments in commands.items()
        }


def look(data: bytes) -> Dump:
    entry = Entry("db_1.sql", len(data), NOW, "600", "postgres")
    return _dump(entry, False, data[:4096], data[-4096:], NOW, False)


def test_what_the_programs_write_is_whole(written: dict[str, bytes]) -> None:
    for name, data in written.items():
        for text in (data, data.replace(b"\n", b"\r\n"), data.rstrip(b"\n"), data + b"\n\n"):
            dump = look(text)
            assert (dump.complete, dump.trailing_lines, dump.error_text) == (True, 0, None), name


@pytest.mark.parametrize(
    "more",
    [
        b"\\! touch /tmp/x\n",
        b"\\! touch /tmp/x",
        b"COPY t FROM PROGRAM 'id';\n",
        b"\\unrestrict\n",
        b"\\unrestrict a \\! id\n",
        b"-- PostgreSQL database dump\n",
        b"SELECT 1;\n--\n",
    ],
)
def test_what_follows_the_end_is_told(written: dict[str, bytes], more: bytes) -> None:
    for name, data in written.items():
        dump = look(data + more)
        assert dump.complete, name
        assert dump.trailing_lines == 1, name


def test_a_dump_of_all_databases_that_lacks_the_last_is_cut_off(written: dict[str, bytes]) -> None:
    data = written["pg_dumpall"]
    first = data.index(b"-- PostgreSQL database dump complete")
    assert look(data[: first + 40]).complete is False


def test_a_dump_is_whole_only_at_its_end(written: dict[str, bytes]) -> None:
    for name, data in written.items():
        whole = data.rstrip(b"\n")
        end = whole.rindex(b"dump complete") + len(b"dump complete")
        for cut in range(1, end, max(1, end // 40)):
            assert look(data[:cut]).complete is not True, (name, cut)
