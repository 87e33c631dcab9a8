"""A report is there whole or not at all, and one that could not be written makes no run green."""

from __future__ import annotations

import errno
import os
import threading
from pathlib import Path
from typing import Any

import pytest
from cases import healthy

from opsverify.reporting import atomic


def test_whoever_reads_sees_the_old_or_the_new_and_nothing_else(tmp_path: Path) -> None:
    path, size = tmp_path / "x.prom", 100_000
    atomic.write(path, "a" * size)
    seen, stop = set(), threading.Event()

    def read() -> None:
        while not stop.is_set():
            text = path.read_text()
            seen.add((text[:1], len(text)))

    reader = threading.Thread(target=read)
    reader.start()
    for n in range(200):
        atomic.write(path, "ab"[n % 2] * size)
    stop.set()
    reader.join()
    assert seen <= {("a", size), ("b", size)}
    assert os.listdir(tmp_path) == ["x.prom"]


def test_a_full_disk_leaves_what_was_there_and_nothing_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    path = tmp_path / "x.json"
    atomic.write(path, "old")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        atomic.write(path, "new")
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["x.json"]


def test_a_symbolic_link_stays_one_and_others_may_read(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    link = tmp_path / "link.prom"
    link.symlink_to(tmp_path / "real" / "x.prom")
    before = os.umask(0o022)
    try:
        atomic.write(link, "text")
    finally:
        os.umask(before)
    assert link.is_symlink()
    assert (tmp_path / "real" / "x.prom").read_text() == "text"
    assert (tmp_path / "real" / "x.prom").stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize("keep", [True, False])
def test_the_file_of_an_earlier_run_stays_only_where_it_should(tmp_path: Path, keep: bool) -> None:
    path = tmp_path / "x"
    path.write_text("old")
    atomic.writable(path, keep=keep)
    assert path.exists() is keep
    assert len(os.listdir(tmp_path)) == keep
    with pytest.raises(IsADirectoryError):
        atomic.writable(tmp_path, keep=keep)
    with pytest.raises(FileNotFoundError):
        atomic.writable(tmp_path / "missing" / "x", keep=keep)


def test_a_full_disk_is_told_and_no_other_file_says_that_all_is_well(run_sample: Any, options: tuple[str, ...]) -> None:
    done = run_sample(healthy(), "--summary=/dev/full", "--json=run.json", *options)
    assert "REPORT NOT WRITTEN: /dev/full (No space left on device)" in done.output
    assert done.code == 1
    assert '"exit_code": 1' in (done.folder / "run.json").read_text("utf-8")
    assert Path("/dev/full").is_char_device()
