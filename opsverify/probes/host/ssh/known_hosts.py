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
    Where there is none for the name with its port, those for the name alone count; what is revoked for either is.
    """
    known, name = _parsed(files), name.lower()
    alone: Sequence[Any] = known.match(name, "", None)
    if port is None:
        return alone
    # As one text: given a port, asyncssh takes an address in a list of patterns for that address with any port.
    found: Sequence[Any] = known.match(f"[{name}]:{port}", "", None)
    keys, authorities = found[:2] if any(found[:2]) else alone[:2]
    return (keys, authorities, [*found[2], *alone[2]], *found[3:])


def _parsed(files: Sequence[str]) -> SSHKnownHosts:
    from asyncssh import import_known_hosts

    there = []
    for file in files:
        with suppress(OSError):
            there.append((file, os.stat(file).st_mtime_ns))
    key = tuple(there)
    with _lock:
        if key not in _read:
            lines: list[str] = []
            for file, _ in there:
                with suppress(OSError):
                    lines += map(_without_networks, Path(file).read_text("utf-8", "replace").splitlines())
            try:
                _read[key] = import_known_hosts("\n".join(lines))
            except ValueError:
                # OpenSSH leaves out lines that it does not understand.
                _read[key] = import_known_hosts("\n".join(line for line in lines if _understood(line)))
        return _read[key]


def _without_networks(line: str) -> str:
    """A line without patterns such as 10.0.0.0/8: asyncssh takes them for all hosts in there, OpenSSH for a name."""
    fields = line.split(None, 2)
    at = 1 if line.lstrip().startswith("@") else 0
    if len(fields) <= at or "/" not in fields[at] or fields[at].startswith(("|", "#")):
        return line
    names = ",".join(name for name in fields[at].split(",") if "/" not in name)
    return " ".join((*fields[:at], names, *fields[at + 1 :])) if names else ""


def _understood(line: str) -> bool:
    from asyncssh import import_known_hosts

    try:
        import_known_hosts(line)
    except ValueError:
        return False
    return True
