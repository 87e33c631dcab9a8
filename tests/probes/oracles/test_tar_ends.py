"""Which archives are whole: what tar itself wrote to its end is, and nothing that was cut anywhere is."""

from __future__ import annotations

import gzip
import os
import random
import shutil
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from opsverify.config.environment import Host
from opsverify.evidence.deadline import Deadline
from opsverify.probes.host.files.archives import Archive, ArchiveContents
from opsverify.probes.host.probe import archive_probe
from tests.pace import AMPLE


def program(name: str, *options: str) -> Callable[[Path, Path], None]:
    def write(archive: Path, source: Path) -> None:
        if shutil.which(name) is None:
            pytest.skip(f"{name} is not installed")
        done = subprocess.run([name, *options, archive, "."], cwd=source, capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.skip(f"{name} cannot: {done.stderr.strip()[-100:]}")

    return write


def python(kind: int) -> Callable[[Path, Path], None]:
    def write(archive: Path, source: Path) -> None:
        with tarfile.open(archive, "w", format=kind) as tar:
            tar.add(source, ".")

    return write


WRITERS = {
    "gnu": program("tar", "-cf"),
    "gnu-small-records": program("tar", "-b", "1", "-cf"),
    "gnu-large-records": program("tar", "-b", "64", "-cf"),
    "gnu-pax": program("tar", "--format=pax", "-cf"),
    "gnu-v7": program("tar", "--format=v7", "-cf"),
    "busybox": program("busybox", "tar", "-cf"),
    "bsdtar": program("bsdtar", "-cf"),
    "python-gnu": python(tarfile.GNU_FORMAT),
    "python-pax": python(tarfile.PAX_FORMAT),
}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Files of all sorts of sizes, one of zeros: its blocks look like an end."""
    folder = tmp_path / "src"
    for name, data in (
        ("backend/a", os.urandom(9_000)),
        ("backend/zeros", bytes(20_000)),
        ("backend/empty", b""),
        ("frontend/b", b"x" * 512),
        ("frontend/c", os.urandom(11_000)),
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


def looked_at(folder: Path, names: list[str]) -> dict[str, Archive]:
    questions = {name: ArchiveContents(str(folder), name) for name in names}
    host = Host(connection="local://", name="here", deadline=AMPLE)
    answers = archive_probe(host, frozenset(questions.values()), Deadline(AMPLE))
    return {name: answers[question] for name, question in questions.items()}


@pytest.mark.parametrize("writer", WRITERS)
def test_cut_archives_are_told_from_whole_ones(tmp_path: Path, source: Path, writer: str) -> None:
    stored = tmp_path / "stored"
    stored.mkdir()
    WRITERS[writer](stored / "whole.tar", source)
    data = (stored / "whole.tar").read_bytes()
    end = len(data.rstrip(b"\0"))
    end += -end % 512  # of what is in it: two blocks of zeros follow, and perhaps more to fill a record
    cuts = {*range(10_240, end, 10_240), end, end + 512, 0}
    cuts |= {512 * block for block in random.Random(writer).sample(range(1, end // 512), 8)}
    for cut in cuts:
        (stored / f"cut-{cut}.tar").write_bytes(data[:cut])
    (stored / "padded.tar").write_bytes(data + bytes(4096))
    (stored / "whole.tar.gz").write_bytes(gzip.compress(data))
    (stored / f"cut-{end}.tar.gz").write_bytes(gzip.compress(data[:end]))
    for packer in ("xz", "zstd"):
        if shutil.which(packer):
            subprocess.run([packer, "-q", "-k", stored / "whole.tar"], check=True)
    found = looked_at(stored, [path.name for path in stored.iterdir()])
    wrong = {name: archive.error for name, archive in found.items() if archive.readable is name.startswith("cut-")}
    assert wrong == {}
    assert len(found) >= len(cuts) + 4


@pytest.mark.parametrize("packer", ["", "z"])
def test_what_a_killed_tar_leaves_is_never_whole(tmp_path: Path, source: Path, packer: str) -> None:
    """Through a pipe that takes only so much, as a full disk or a kill would have it."""
    stored = tmp_path / "stored"
    stored.mkdir()
    whole = subprocess.run(["tar", f"-c{packer}f", "-", "."], cwd=source, capture_output=True, check=True).stdout
    whole = whole.rstrip(b"\0")  # of a record that is not full, the rest need not be there
    for share in range(1, 13):
        (stored / f"killed-{share}.tar{'.gz' if packer else ''}").write_bytes(whole[: len(whole) * share // 12 - 1])
    found = looked_at(stored, [path.name for path in stored.iterdir()])
    assert [name for name, archive in found.items() if archive.readable] == []
