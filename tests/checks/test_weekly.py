"""Weekly maintenance that did not happen, and programs and inodes beyond their share."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

DAY = 86400


def old(path: Path, days: float, content: bytes = b"x") -> Path:
    """A file that was last changed so many days ago."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    then = time.time() - days * DAY
    os.utime(path, (then, then))
    return path


@pytest.fixture
def weekly(whole):
    """The weekly dump, put back afterwards."""
    (dump,) = whole.layout.weekly_backups.glob("mycats_*.sql")
    content, then = dump.read_bytes(), dump.stat().st_mtime
    yield dump
    dump.parent.mkdir(exist_ok=True)
    dump.write_bytes(content)
    os.utime(dump, (then, then))


def test_what_should_be_gone_is_told(whole, verify, changed):
    checkout, layout = whole.layout.checkout, whole.layout
    files = [
        old(checkout / "logs/deep/er.log", 32.5),
        old(checkout / "logs/kept.log", 30.9),  # `find -mtime +30` spares it
        old(checkout / "temp/a b\nc.tmp", 8.5),
        old(checkout / "temp/kept.tmp", 7.9),
        old(layout.npm_cache / "big", 0, bytes(3_000_000)),
    ]
    environment = changed({"checks": {"cache-size": {"settings": {"npm_megabytes": 2, "next_megabytes": 2}}}})
    ran = verify("-k", "old_logs or temp_files or cache_size", environment=environment)
    for file in files:
        file.unlink()
    logs, temp = ran["test_old_logs_removed[logs]"], ran["test_temp_files_removed[temporary]"]
    assert (logs.verdict, temp.verdict) == ("alert", "alert")
    assert f"1 of 3 too old in {checkout}/logs (the oldest: deep/er.log 32.5 days, kept.log 30.9" in logs.sentence
    assert "1 of 3 too old" in temp.sentence
    npm, following = ran["test_cache_size[npm-cache]"], ran["test_cache_size[next-cache]"]
    assert (npm.verdict, following.verdict) == ("alert", "normal")
    assert f" MB in {layout.npm_cache}, expected at most 2 MB" in npm.sentence


def test_folders_that_are_not_there_are_told(whole, verify):
    checkout, layout = whole.layout.checkout, whole.layout
    moved = [checkout / "logs", checkout / "temp", layout.npm_cache.parent, checkout / "frontend/.next/cache"]
    for folder in moved:
        folder.rename(folder.with_name(folder.name + ".away"))
    ran = verify("-k", "old_logs or temp_files or cache_size")
    for folder in moved:
        folder.with_name(folder.name + ".away").rename(folder)
    emptied = ran.found.pop("test_cache_size[next-cache]")
    assert emptied.verdict == "normal"  # a cache that was cleared away is not a wrong path
    assert len(ran.found) == 3
    for judged in ran.found.values():
        assert judged.verdict == "alert"
        assert "observed no folder " in judged.sentence


def test_a_weekly_dump_that_is_old_empty_or_missing(weekly, verify):
    def judged():
        return verify("-k", "weekly_backup")["test_weekly_backup[weekly-backups]"]

    content = weekly.read_bytes()
    old(weekly, 7.2, content)
    result = judged()
    assert result.verdict == "alert"
    assert "7.2 days old" in result.sentence
    assert "expected at most 7 days" in result.sentence
    old(weekly, 1, b"")
    result = judged()
    assert result.verdict == "alert"
    assert "0 bytes, without its end marker, expected a whole dump" in result.sentence
    weekly.unlink()
    assert "no finished mycats_*.sql" in judged().sentence
    weekly.parent.rmdir()
    result = judged()
    assert result.verdict == "alert"
    assert "observed no folder" in result.sentence


def test_programs_beyond_their_share(whole, verify, changed, tmp_path):
    burner = tmp_path / "burner"
    shutil.copy("/bin/sh", burner)
    process = subprocess.Popen([burner, "-c", "while :; do :; done"])
    band = {"below": 1, "alert_above": 2}
    settings = {"names": ["burner", "postgres"]}
    try:
        ran = verify(
            "-k", "process_resources",
            environment=changed({"checks": {"process-resources": {"band": band, "settings": settings}}}),
        )  # fmt: skip
    finally:
        process.kill()
        process.wait()
    judged = ran["test_process_resources[here]"]
    assert judged.verdict == "alert"
    assert judged.observed.startswith("burner CPU ")
    assert "(1 process)" in judged.observed
    nobody = changed({"checks": {"process-resources": {"settings": {"names": ["nobody-runs-this"]}}}})
    judged = verify("-k", "process_resources", environment=nobody)["test_process_resources[here]"]
    assert judged.verdict == "undetermined"
    assert "no process named nobody-runs-this was seen" in judged.sentence


def test_memory_counts_shared_pages_once(whole, verify, changed):
    band = {"below": 0.0001, "alert_above": 100}
    environment = changed({"checks": {"process-resources": {"band": band, "settings": {"names": ["postgres"]}}}})
    judged = verify("-k", "process_resources", environment=environment)["test_process_resources[here]"]
    assert judged.verdict == "warning"
    assert "postgres memory" in judged.sentence


def test_inodes_beyond_their_band(verify, changed):
    band = {"below": 0.0001, "alert_above": 0.0002}
    judged = verify("-k", "inode_usage", environment=changed({"checks": {"inode-usage": {"band": band}}}))
    (result,) = judged.found.values()
    assert result.verdict == "alert"
    assert result.observed.startswith("/")
