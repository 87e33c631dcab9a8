"""Unpacking real archives, also those that mean harm."""

from __future__ import annotations

import io
import tarfile

import pytest

from opsverify.config.environment import Host
from opsverify.drills.unpack import UnpackDrill, unpack_probe
from opsverify.errors import ProbeError
from opsverify.evidence.deadline import Deadline
from tests.pace import AMPLE

MUST = ("package.json", "pnpm-lock.yaml", "backend/package.json")
GOOD = {
    "srv/mycats/package.json": b'{"name": "mycats"}',
    "srv/mycats/pnpm-lock.yaml": b"lockfileVersion: '9.0'\n",
    "srv/mycats/backend/package.json": b"{}",
    "srv/mycats/backend/src/main.ts": b"// main\n" * 2000,
}


def archive(files: dict[str, bytes], mode: str = "w:gz", extra: tuple[tarfile.TarInfo, ...] = ()) -> bytes:
    into = io.BytesIO()
    with tarfile.open(fileobj=into, mode=mode) as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
        for member in extra:
            tar.addfile(member)
    return into.getvalue()


def link(name: str, target: str) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = tarfile.SYMTYPE, target
    return member


def unpack(folder, place, **more):
    question = UnpackDrill(str(folder), "app_*", MUST, str(place), **more)
    answer = unpack_probe(Host(connection="local://"), frozenset([question]), Deadline(AMPLE))[question]
    if isinstance(answer, ProbeError):
        raise answer
    return answer


@pytest.mark.parametrize("mode", ["w:gz", "w:xz", "w"])
def test_a_good_archive(store, place, mode):
    unpacked = unpack(store(archive(GOOD, mode), "app_1.tar.gz"), place)
    assert (unpacked.error, unpacked.missing, unpacked.broken, unpacked.refused) == ("", (), (), ())
    assert unpacked.members == 4


def test_what_is_missing_or_empty_or_no_manifest(store, place):
    files = {**GOOD, "srv/mycats/pnpm-lock.yaml": b"", "srv/mycats/backend/package.json": b"{,}"}
    unpacked = unpack(store(archive(files), "app_1.tar.gz"), place)
    assert unpacked.missing == ("pnpm-lock.yaml",)
    assert unpacked.broken == ("backend/package.json: no JSON",)
    for content, message in ((b"[]", "no JSON object"), (b"\xff", "no JSON")):
        unpacked = unpack(store(archive({**GOOD, "srv/mycats/package.json": content}), "app_1.tar.gz"), place)
        assert unpacked.broken == (f"package.json: {message}",)
    unpacked = unpack(store(archive({**GOOD, "srv/mycats/pnpm-lock.yaml": b"x: 1\n"}), "app_1.tar.gz"), place)
    assert unpacked.broken == ("pnpm-lock.yaml: no lockfileVersion",)


@pytest.mark.parametrize("share", [0.0, 0.5])
def test_a_damaged_archive(store, place, share):
    whole = archive(GOOD)
    assert unpack(store(whole[: int(share * len(whole))], "app_1.tar.gz"), place).error


def test_members_that_point_outside_are_refused(store, place, tmp_path):
    extra = (link("srv/mycats/passwd", "/etc/passwd"), tarfile.TarInfo("../../escaped"))
    unpacked = unpack(store(archive(GOOD, extra=extra), "app_1.tar.gz"), place)
    assert unpacked.refused == ("srv/mycats/passwd", "../../escaped")
    assert (unpacked.error, unpacked.missing) == ("", ())


def test_room(store, place):
    folder = store(archive(GOOD), "app_1.tar.gz")
    with pytest.raises(ProbeError, match="has no room for the drill"):
        unpack(folder, place, space_factor=1e15)
    bomb = tarfile.TarInfo("bomb")
    bomb.size = 10**15
    head = bomb.tobuf()
    with pytest.raises(ProbeError, match="does not fit into the scratch folder"):
        unpack(store(head + b"\0" * 1024, "app_1.tar.gz"), place)


def test_no_archive_is_a_fact(store, place, tmp_path):
    assert unpack(store(b"", "other"), place).name is None
    assert not unpack(tmp_path / "nowhere", place).exists
