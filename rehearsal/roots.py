"""The private folder that holds every rehearsal's root, who owns which, and how dead ones are found.

Each root has a lock file beside it that its owner keeps locked while it lives. The kernel lets go of the lock
however the owner ends, kill -9 included, so a root whose lock can be had is dead: its processes are ended and it
is removed.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import shutil
import stat
import tempfile
from pathlib import Path
from types import TracebackType

from rehearsal.errors import RehearsalError
from rehearsal.layout import elsewhere
from rehearsal.processes import kill_leftovers

ATTEMPTS = 50
SERVED = "served.json"
"""Variables of the one that everybody may attach to."""
SERVED_LOCK = "served.lock"
"""Held by whoever serves it."""


def state_folder() -> Path:
    """Return this user's folder for rehearsals, created with mode 0700.

    Raises RehearsalError when somebody else owns it or others may enter: they could forge a rehearsal.
    """
    folder = Path(tempfile.gettempdir()).resolve() / f"opsverify-rehearsal-{os.getuid()}"
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid() or stat.S_IMODE(status.st_mode) & 0o077:
        raise RehearsalError(f"{folder} is not a private folder of this user (mode 0700): remove it, or set TMPDIR")
    return folder


class Lock:
    """A file lock held until `release()` or the end of this process. Programs it starts don't inherit it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor: int | None = None

    def acquire(self, *, create: bool = True) -> bool:
        """Take the lock without waiting; False when another process (or another `Lock`) holds it.

        Raises FileNotFoundError when its file isn't there and shall not be created.
        """
        flags = os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW | (os.O_CREAT if create else 0)
        descriptor = os.open(self.path, flags, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Its last holder may have removed the file between our opening and our locking it.
            if os.fstat(descriptor).st_ino != self.path.lstat().st_ino:
                raise BlockingIOError
        except (BlockingIOError, FileNotFoundError):
            os.close(descriptor)
            return False
        self._descriptor = descriptor
        return True

    def release(self, *, remove: bool = False) -> None:
        """Let go of the lock, removing its file first when told to."""
        if self._descriptor is None:
            return
        if remove:
            self.path.unlink(missing_ok=True)
        os.close(self._descriptor)
        self._descriptor = None


class Root:
    """A rehearsal's folder together with the lock that says that it is alive."""

    def __init__(self, path: Path, lock: Lock) -> None:
        self.path = path
        self._lock = lock

    @classmethod
    def create(cls) -> Root:
        """Clean up what dead rehearsals left, then make a new root."""
        folder = state_folder()
        sweep()
        for _ in range(ATTEMPTS):
            path = folder / f"r-{secrets.token_hex(4)}"
            lock = Lock(path.with_suffix(".lock"))
            if not lock.acquire():
                continue
            try:
                path.mkdir(mode=0o700)
            except FileExistsError:
                lock.release()
                continue
            return cls(path, lock)
        raise RehearsalError(f"no root could be made in {folder}")

    def remove(self) -> None:
        """End what still runs in it and remove it."""
        _remove(self.path)
        self._lock.release(remove=True)

    def __enter__(self) -> Root:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.remove()


def sweep() -> int:
    """Clean up every dead rehearsal of this user; return how many there were."""
    removed = 0
    for file in state_folder().glob("r-*.lock"):
        lock = Lock(file)
        with contextlib.suppress(OSError):
            if lock.acquire(create=False):
                _remove(file.with_suffix(""))
                lock.release(remove=True)
                removed += 1
    return removed


def _remove(root: Path) -> None:
    kill_leftovers(root)
    for folder in (root, elsewhere(root)):
        # Twice: a process that was just ended may have written a last file meanwhile.
        for _ in range(2):
            shutil.rmtree(folder, ignore_errors=True)
            if not folder.exists():
                break
