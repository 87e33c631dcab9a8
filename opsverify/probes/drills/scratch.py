"""Scratch folders: private, recognisable, and gone again, at the next drill if not at the end of this one.

Each holds a lock file that its owner keeps locked while it lives. The kernel lets go of the lock however the owner
ends, kill -9 included: a folder of ours whose lock can be had is dead, and its server is ended and it is removed.
"""

from __future__ import annotations

import atexit
import contextlib
import errno
import os
import shutil
import stat
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from filelock import FileLock, Timeout

from opsverify.errors import ProbeError
from opsverify.probes.drills.server import end_leftover

ATTEMPTS = 20
PREFIX = "opsverify-drill-"
LOCK = "lock"
NEWBORN_SECONDS = 60.0
"""A folder without a lock file is being made; one older than this never will be."""


class Scratch:
    """A folder of this process's own, mode 0700. A context manager; also removed when the interpreter ends."""

    def __init__(self, root: Path | None = None) -> None:
        """Make one in `root` (default: the system's temporary folder), having removed dead ones. Raises ProbeError."""
        place = root or Path(tempfile.gettempdir())
        try:
            sweep(place)
            self.path, self._lock = _locked_folder(place)
        except OSError as error:
            raise ProbeError(f"no scratch folder could be made in {place}: {error.strerror}") from None
        self._once = threading.Lock()
        self._removed = False
        self._endings: list[Callable[[], None]] = []
        atexit.register(self.remove)

    def at_end(self, ending: Callable[[], None]) -> None:
        """Call `ending` before the folder is removed."""
        self._endings.append(ending)

    def remove(self) -> None:
        """End what was started in it, and remove it. Does nothing the second time."""
        with self._once:
            if self._removed:
                return
            for ending in reversed(self._endings):
                ending()
            _remove(self.path)
            self._lock.release()
            self._removed = True
        atexit.unregister(self.remove)

    def __enter__(self) -> Scratch:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.remove()


def _locked_folder(place: Path) -> tuple[Path, FileLock]:
    """A new folder and its lock, which we hold. Raises OSError, also where others are for ever faster."""
    for _ in range(ATTEMPTS):
        folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=place)).resolve()
        lock = FileLock(folder / LOCK, thread_local=False)
        # Between the making of the lock file and its locking, another run takes the folder for dead and removes it.
        with contextlib.suppress(Timeout, FileNotFoundError):
            lock.acquire(timeout=0)
            if (folder / LOCK).exists():
                return folder, lock
            lock.release()
    raise OSError(errno.EBUSY, os.strerror(errno.EBUSY))


def sweep(place: Path) -> int:
    """Remove the scratch folders that dead processes of this user left in `place`; return how many."""
    removed = 0
    for folder in place.glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError):
            removed += _sweep(folder)
    return removed


def _sweep(folder: Path) -> bool:
    """Remove the folder where it is a dead one of ours; tell whether it was."""
    found = folder.lstat()
    ours = stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & 0o022
    if not ours:
        return False
    if not (folder / LOCK).exists():
        if time.time() - found.st_mtime <= NEWBORN_SECONDS:
            return False
        _remove(folder)
        return True
    lock = FileLock(folder / LOCK)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return False
    # Removed while it is locked: who is about to lock it sees that it is gone.
    _remove(folder)
    lock.release()
    return True


def _remove(folder: Path) -> None:
    end_leftover(folder)
    # Twice: a process that was just ended may have written a last file meanwhile.
    for _ in range(2):
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            break
