"""Scratch folders: private, recognisable, and gone again, at the next drill if not at the end of this one.

The owner keeps the folder itself locked (flock) while it lives. The kernel lets go of the lock however the owner
ends, kill -9 included, at whatever moment: a folder of ours whose lock can be had is dead, half removed or never used,
and its server is ended and it is removed.
"""

from __future__ import annotations

import atexit
import contextlib
import errno
import fcntl
import os
import shutil
import stat
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from opsverify.drills.server import end_leftover
from opsverify.errors import ProbeError

ATTEMPTS = 20
PREFIX = "opsverify-drill-"


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
            os.close(self._lock)
            self._removed = True
        atexit.unregister(self.remove)

    def __enter__(self) -> Scratch:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.remove()


def _locked_folder(place: Path) -> tuple[Path, int]:
    """A new folder and its lock, which we hold. Raises OSError, also where others are for ever faster."""
    for _ in range(ATTEMPTS):
        folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=place)).resolve()
        # Between its making and its locking, another run may take the folder for dead and remove it.
        with contextlib.suppress(FileNotFoundError, BlockingIOError):
            lock = _lock(folder)
            if folder.exists():
                return folder, lock
            os.close(lock)
    raise OSError(errno.EBUSY, os.strerror(errno.EBUSY))


def _lock(folder: Path) -> int:
    """Lock the folder without waiting; return the descriptor that holds it. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def sweep(place: Path) -> int:
    """Remove the scratch folders that dead processes of this user left in `place`; return how many."""
    removed = 0
    for folder in place.glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError):
            removed += _sweep(folder)
    return removed


def _sweep(folder: Path) -> bool:
    """Remove the folder where it is a dead one of ours; tell whether it was."""
    status = folder.lstat()
    ours = stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid() and not status.st_mode & 0o022
    if not ours:
        return False
    lock = _lock(folder)
    # Removed while it is locked: who is about to lock it sees that it is gone.
    _remove(folder)
    os.close(lock)
    return True


def _remove(folder: Path) -> None:
    end_leftover(folder)
    # Twice: a process that was just ended may have written a last file meanwhile.
    for _ in range(2):
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            break
