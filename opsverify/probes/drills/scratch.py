"""Scratch folders: private, recognisable, and gone again, at the next drill if not at the end of this one.

Each holds a lock file that its owner keeps locked while it lives. The kernel lets go of the lock however the owner
ends, kill -9 included: a folder of ours whose lock can be had is dead, and its server is ended and it is removed.
"""

from __future__ import annotations

import atexit
import contextlib
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
            self.path = Path(tempfile.mkdtemp(prefix=PREFIX, dir=place)).resolve()
        except OSError as error:
            raise ProbeError(f"no scratch folder could be made in {place}: {error.strerror}") from None
        self._lock = FileLock(self.path / LOCK, thread_local=False)
        self._lock.acquire(timeout=0)
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


def sweep(place: Path) -> int:
    """Remove the scratch folders that dead processes of this user left in `place`; return how many."""
    removed = 0
    for folder in place.glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError):
            if _dead(folder):
                _remove(folder)
                removed += 1
    return removed


def _dead(folder: Path) -> bool:
    found = folder.lstat()
    ours = stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & 0o022
    if not ours:
        return False
    if not (folder / LOCK).exists():
        return time.time() - found.st_mtime > NEWBORN_SECONDS
    lock = FileLock(folder / LOCK)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return False
    lock.release()
    return True


def _remove(folder: Path) -> None:
    end_leftover(folder)
    # Twice: a process that was just ended may have written a last file meanwhile.
    for _ in range(2):
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            break
