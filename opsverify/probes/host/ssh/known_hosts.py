"""The host keys of an operator's known_hosts files, as OpenSSH would look them up."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from asyncssh.known_hosts import SSHKnownHosts

_read: dict[tuple[tuple[str, int], ...], SSHKnownHosts] = {}
_lock = threading.Lock()


def known_keys(files: Sequence[str], name: str, port: int | None) -> Sequence[Any]:
    """(host keys, keys of authorities, revoked keys, …) known for a name, as asyncssh takes them.

    By its name alone: with CheckHostIP off, its default, OpenSSH accepts no key that is known for the address only.
    """
    found: Sequence[Any] = _parsed(files).match(name.lower(), "", port)
    return found


def _parsed(files: Sequence[str]) -> SSHKnownHosts:
    from asyncssh import import_known_hosts

    there = []
    for file in files:
        with suppress(OSError):
            there.append((file, os.stat(file).st_mtime_ns))
    key = tuple(there)
    with _lock:
        if key not in _read:
            lines = []
            for file, _ in there:
                with suppress(OSError):
                    lines += Path(file).read_text("utf-8", "replace").splitlines()
            try:
                _read[key] = import_known_hosts("\n".join(lines))
            except ValueError:
                # OpenSSH leaves out lines that it does not understand.
                _read[key] = import_known_hosts("\n".join(line for line in lines if _understood(line)))
        return _read[key]


def _understood(line: str) -> bool:
    from asyncssh import import_known_hosts

    try:
        import_known_hosts(line)
    except ValueError:
        return False
    return True
