"""Dumps and archives that want more than a drill gives: its disk, its memory, the network."""

from __future__ import annotations

import gzip
import io
import os
import shlex
import socket
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from opsverify.drills.confinement import FILES, MEMORY_BYTES, NETWORK, confined
from opsverify.drills.postgres_programs import Unprivileged, unprivileged
from opsverify.errors import ProbeError
from opsverify.probes.host.question import MIB
from tests.drills.test_restore import drill, servers, within
from tests.drills.test_unpack import GOOD, archive, unpack
from tests.pace import HANGS


@pytest.fixture(params=[160])
def small(place: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    """A scratch folder on a file system of so many MiB."""
    folder = place / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={request.param}m", "none", folder]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        folder.rmdir()
        pytest.skip("no file system can be mounted here")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)
    folder.rmdir()


@pytest.mark.parametrize("small", [1200], indirect=True)  # a twentieth of it is the reserve
def test_a_dump_that_grows_is_ended_before_the_disk_is_full(dumps, store, small):
    bomb = b"CREATE TABLE public.bomb AS SELECT repeat('x', 1000) FROM generate_series(1, 100000000);"
    with pytest.raises(ProbeError, match="the drill was ended before it had filled"):
        drill(store(within(dumps["plain"], bomb)), small)
    assert not servers(small)
    assert os.listdir(small) == []


def test_a_dump_that_is_a_bomb_is_not_unpacked(dumps, store, small):
    bomb = io.BytesIO()
    with gzip.GzipFile(fileobj=bomb, mode="wb", compresslevel=1) as into:  # piece by piece: not of our memory
        before, mark, after = dumps["plain"].partition(b"-- PostgreSQL database dump complete")
        into.write(before + b"-- ")
        for _ in range(200):
            into.write(b"x" * MIB)
        into.write(b"\n" + mark + after)
    with pytest.raises(ProbeError, match="the drill was ended before it had filled"):
        drill(store(bomb.getvalue(), "db_1.sql.gz"), small)
    assert os.listdir(small) == []


def test_a_statement_that_wants_all_memory_is_refused(dumps, store, place):
    greedy = b"SELECT length(string_agg(repeat('x', 900000000), '')) FROM generate_series(1, 100000);"
    restored = drill(store(within(dumps["plain"], greedy)), place)
    assert "out of memory" in restored.error or "enlarge string buffer" in restored.error, restored.error


def test_the_server_runs_in_bounded_memory_and_without_a_network(dumps, store, place, monkeypatch):
    from opsverify.drills import restore

    seen = []

    def look(server, *rest):
        process = Path(f"/proc/{server._process.pid}")
        seen.extend([(process / "limits").read_text(), os.readlink(process / "ns/net")])
        return original(server, *rest)

    original = restore.restore_into
    monkeypatch.setattr(restore, "restore_into", look)
    restored = drill(store(dumps["plain"]), place)
    limits, network = seen
    assert restored.error == ""
    assert [line.split()[3] for line in limits.splitlines() if line.startswith("Max address space")] == [
        str(MEMORY_BYTES)
    ]
    assert (network == os.readlink("/proc/self/ns/net")) is (NETWORK in restored.within_reach)


@pytest.mark.parametrize("ordinary", [False, True], ids=["root", "ordinary"])
def test_nothing_is_reached_from_there(ordinary, place, tmp_path):
    way = Unprivileged() if ordinary else unprivileged(namespaces=False)
    held = confined(way, [place])
    if held.within_reach:
        pytest.skip("this system has no namespaces for us")
    private, kept = tmp_path / "everybody's", place
    for folder in (tmp_path.parents[1], tmp_path.parent, tmp_path, place):
        folder.chmod(0o755)
    private.write_text("")
    with socket.create_server(("127.0.0.1", 0)) as server:
        reach = f"exec 3<>/dev/tcp/127.0.0.1/{server.getsockname()[1]}"
        looks = {reach: False, f"test -e {shlex.quote(str(private))}": False, f"test -e {kept}": True}
        looks |= {"test -e ~root/.profile": False, "test -e /usr/bin/env": True, 'test "$(pwd)" = /': True}
        for command, reached in looks.items():
            for here, expected in ((way, True), (held.way, reached)):
                if here is way and "root" in command:
                    continue
                done = subprocess.run(
                    [*here.prefix, "bash", "-c", command], cwd="/", capture_output=True, timeout=HANGS, **here.popen
                )
                assert (done.returncode == 0) is expected, (command, done.stderr)


def test_where_the_system_has_no_means_it_is_told(place, monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    assert confined(Unprivileged(), [place]).within_reach == (NETWORK, FILES)


def test_sparse_members_count_whole(store, small):
    sparse = tarfile.TarInfo("srv/mycats/sparse")
    sparse.size = 512
    sparse.pax_headers = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.name": sparse.name,
                          "GNU.sparse.realsize": str(10**13)}  # fmt: skip
    into = io.BytesIO()
    with tarfile.open(fileobj=into, mode="w:gz", format=tarfile.PAX_FORMAT) as tar:
        tar.addfile(sparse, io.BytesIO(b"0\n".ljust(512, b"\0")))
    with pytest.raises(ProbeError, match="does not fit into the scratch folder"):
        unpack(store(into.getvalue(), "app_1.tar.gz"), small)


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK])
def test_headers_that_want_all_memory(store, place, kind):
    bomb = tarfile.TarInfo("srv/x")
    bomb.type, bomb.size = kind, 2**30
    good = archive(GOOD, "w").rstrip(b"\0")
    good += b"\0" * (-len(good) % 512)
    unpacked = unpack(store(good + bomb.tobuf() + b"\0" * MIB, "app_1.tar"), place)
    assert unpacked.error == "a header of 1,073,741,824 bytes"
