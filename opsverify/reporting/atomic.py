"""Files that are there whole or not at all: whoever reads one at any moment never sees half of it.

A file of its own beside it gets the text, is forced to the disk and then takes the name: rename(2) is atomic within a
file system. What is no ordinary file (a pipe, /dev/stdout) is written to as it stands.
"""

from __future__ import annotations

import contextlib
import errno
import os
from pathlib import Path


def write(path: Path, text: str) -> None:
    """Make `text` the content of the file; raises OSError, and leaves what was there before."""
    if _special(path):
        path.write_text(text, encoding="utf-8")
        return
    target = path.resolve()  # a symbolic link stays one
    temporary = _beside(target)
    try:
        # A new file, readable as the umask says: node_exporter is another account.
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666), "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())  # a full disk or quota is told here at the latest
        os.replace(temporary, target)
    except OSError:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise


def writable(path: Path, *, keep: bool) -> None:
    """Raise OSError where `write` would; with `keep` the file of an earlier run stays until then, else it goes."""
    if _special(path):
        return
    temporary = _beside(path.resolve())
    os.close(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666))
    temporary.unlink()
    if not keep:
        path.unlink(missing_ok=True)


def _special(path: Path) -> bool:
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    return path.exists() and not path.is_file()


def _beside(path: Path) -> Path:
    """Hidden, and without the suffix: node_exporter reads every `*.prom` in its folder."""
    return path.with_name(f".{path.name}.{os.urandom(4).hex()}.tmp")
