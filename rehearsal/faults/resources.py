"""A host that runs out of room, of inodes, of processor time; and of memory, by word only."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from rehearsal.faults.earlier import measured
from rehearsal.faults.fault import ALERT, WARNING, fault
from rehearsal.faults.volumes import fail, fill, mounted, without_mounts

if TYPE_CHECKING:
    from rehearsal.whole import Rehearsal


@fault("A small file system is full.", {"disk-usage[here]": ALERT}, needs=without_mounts)
def disk_full(whole: Rehearsal) -> Iterator[None]:
    where = whole.layout.root / "srv/uploads"
    where.mkdir()
    with mounted(whole, where, megabytes=4):
        fill(where)
        yield
    where.rmdir()


@fault("A small file system has no inode left.", {"inode-usage[here]": ALERT}, needs=without_mounts)
def inodes_used_up(whole: Rehearsal) -> Iterator[None]:
    where = whole.layout.root / "srv/thumbnails"
    where.mkdir()
    with mounted(whole, where, megabytes=4, inodes=64):
        for number in range(64):
            try:
                (where / str(number)).touch()
            except OSError:
                break
        yield
    where.rmdir()


@fault(
    "A file system has turned read-only after an error of its disk.",
    {"read-only-filesystems[here]": ALERT},
    needs=without_mounts,
)
def turned_read_only(whole: Rehearsal) -> Iterator[None]:
    where = whole.layout.root / "srv/avatars"
    where.mkdir()
    with mounted(whole, where, megabytes=4):
        fail(where)
        yield
    where.rmdir()


@fault(
    "A file system fills up within two days, by what earlier runs measured.",
    {"disk-forecast[here]": ALERT},
    changes={"checks": {"disk-forecast": {"band": {"above": 14, "alert_below": 3}}}},
)
def disk_fills_up(whole: Rehearsal) -> Iterator[None]:
    path = whole.layout.history
    before = path.read_bytes() if path.exists() else None
    size = os.statvfs("/")
    used = 100 * (size.f_blocks - size.f_bfree) / (size.f_blocks - size.f_bfree + size.f_bavail)
    a_day = (99.5 - used) / 2
    measured(whole, "disk-usage", "here", "hosts", {ago: {"/": used - a_day * ago} for ago in range(1, 10)})
    yield
    for file in (path, *path.parent.glob(f"{path.name}-*")):
        file.unlink(missing_ok=True)
    if before is not None:
        path.write_bytes(before)


@fault(
    "Programs take all the processor time there is.",
    {"cpu-usage[here]": WARNING, "process-resources[here]": ALERT},
    # The rehearsal lets its own programs be busy.
    changes={"checks": {"process-resources": {"band": {"below": 5, "alert_above": 10}}}},
)
def processors_burnt(whole: Rehearsal) -> Iterator[None]:
    node = whole.variables()["REHEARSAL_NODE"]
    # Inside the root, and not for ever: whatever becomes of us, they end.
    burn = "const end = Date.now() + 120_000; while (Date.now() < end);"
    burners = [subprocess.Popen([node, "-e", burn], cwd=whole.layout.root) for _ in range(4 * (os.cpu_count() or 1))]
    time.sleep(0.5)
    yield
    for burner in burners:
        burner.kill()
    for burner in burners:
        burner.wait()


@fault(
    "The host has hardly any memory left: the limit is set below what is in use, since no fault fills the memory of "
    "the machine that it runs on.",
    {"memory-usage[here]": ALERT, "runbook-agrees[runbook]": ALERT},
    changes={"checks": {"memory-usage": {"band": {"below": 0.1, "alert_above": 0.2}}}},
)
def memory_used_up(whole: Rehearsal) -> Iterator[None]:
    yield


@fault("The host's clock is 75 seconds fast, as its `date` tells it.", {"clock-skew[here]": ALERT})
def host_clock_off(whole: Rehearsal) -> Iterator[None]:
    real = shutil.which("date") or "date"
    folder = whole.layout.root / "fast"
    folder.mkdir()
    (folder / "date").write_text(f"#!/bin/sh\nexec {real} -d '+75 seconds' \"$@\"\n")
    (folder / "date").chmod(0o755)
    before = os.environ["PATH"]
    os.environ["PATH"] = f"{folder}:{before}"
    yield
    os.environ["PATH"] = before
    shutil.rmtree(folder)
