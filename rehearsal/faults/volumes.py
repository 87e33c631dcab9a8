"""Small file systems of a fault's own, to be full without filling the machine's."""

from __future__ import annotations

import contextlib
import ctypes
import functools
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rehearsal.whole import Rehearsal

CLONE_NEWNS = 0x20000
"""unshare(2)"""


def without_mounts() -> str:
    """Why no file system can be mounted here; "" when one can."""
    if os.getuid() != 0:
        return "only root may mount a file system"
    missing = [name for name in ("mke2fs", "mount", "losetup") if shutil.which(name) is None]
    if missing:
        return f"there is no {missing[0]}"
    # What a container may not do shows only by trying.
    tried = subprocess.run(["losetup", "--find"], capture_output=True, text=True)
    return "" if tried.returncode == 0 else "this machine gives out no loop device"


@functools.cache
def _see_own_mounts_only() -> None:
    """Leave the machine's mount namespace: what is mounted from now on ends with this process, however that ends.

    Other runs on this machine would look at it otherwise: every file system is theirs, too.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNS) != 0:
        raise OSError(ctypes.get_errno(), "unshare(CLONE_NEWNS)")
    subprocess.run(["mount", "--make-rprivate", "/"], check=True, capture_output=True)


@contextlib.contextmanager
def mounted(whole: Rehearsal, where: Path, *, megabytes: int, inodes: int = 1024) -> Iterator[None]:
    """A small file system of its own is mounted on a folder, for this process and what it starts from now on only."""
    _see_own_mounts_only()
    image = whole.layout.root / f"{where.name}.img"
    with image.open("wb") as file:
        file.truncate(megabytes * 2**20)
    make = ["mke2fs", "-q", "-F", "-t", "ext4", "-m", "0", "-N", str(inodes), str(image)]
    subprocess.run(make, check=True, capture_output=True)
    mode = where.stat().st_mode & 0o7777
    subprocess.run(["mount", "-o", "loop", str(image), str(where)], check=True, capture_output=True)
    where.chmod(mode)
    (where / "lost+found").rmdir()
    try:
        yield
    finally:
        subprocess.run(["umount", str(where)], check=True, capture_output=True)
        image.unlink()


def fill(folder: Path) -> None:
    """Fill a file system to its last block."""
    with (folder / "filler").open("wb", buffering=0) as file:
        for size in (65536, 512):
            with contextlib.suppress(OSError):
                while file.write(bytes(size)):
                    pass


def fail(folder: Path) -> None:
    """Let a file system meet an error of its own, and turn read-only as Debian's do."""
    subprocess.run(["mount", "-o", "remount,errors=remount-ro", str(folder)], check=True, capture_output=True)
    find = ["findmnt", "--noheadings", "--output=SOURCE", str(folder)]
    device = subprocess.run(find, check=True, capture_output=True, text=True).stdout.strip()
    Path("/sys/fs/ext4", Path(device).name, "trigger_fs_error").write_text("1")
