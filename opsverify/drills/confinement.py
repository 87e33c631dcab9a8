"""How a drill's programs are held: without a network, in bounded memory, and ended before they fill a disk.

A dump and an archive are input of whoever may write them. Where the system has no means for a bound, the drill goes on
without it; that a server could reach the network is told with its result.
Source: unshare(1), setpriv(1), prlimit(1), network_namespaces(7).
"""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import IO

from opsverify.drills.postgres_programs import Unprivileged, output
from opsverify.errors import ProbeError
from opsverify.probes.host.question import MIB

MEMORY_BYTES = 4096 * MIB
"""Of address space, for each process: the server's buffers and an index's maintenance memory take a tenth of it."""
RESERVE_BYTES = 64 * MIB
_TURN = 0.05
"""Seconds between two looks at the disk; what a server writes meanwhile must fit into the reserve."""


def bounded() -> tuple[str, ...]:
    """What goes before a command to bound its memory; nothing where the system has no prlimit."""
    return ("prlimit", f"--as={MEMORY_BYTES}", "--core=0") if shutil.which("prlimit") else ()


def without_network(way: Unprivileged) -> Unprivileged | None:
    """The same way to run a program, in a network of its own that has no way out; None where that is not to be had.

    A socket in a folder is reached all the same.
    """
    if way.prefix:
        uid, prefix = None, ("unshare", "--net", *way.prefix[1:])
    elif way.uid is not None:
        uid, account = way.uid, (f"--reuid={way.popen['user']}", f"--regid={way.popen['group']}")
        prefix = ("unshare", "--net", "setpriv", *account, "--clear-groups", "--no-new-privs")
    else:
        uid = os.geteuid()
        prefix = ("unshare", "--user", f"--map-user={uid}", f"--map-group={os.getegid()}", "--net")
    said = output(*prefix, "id", "-u")
    if not said or (uid is not None and said != str(uid)):
        return None
    return replace(way, prefix=prefix, popen={})


def reserve(folder: Path) -> int:
    """Bytes of a folder's file system that a drill leaves free, whatever its input claims or grows to."""
    return min(RESERVE_BYTES, shutil.disk_usage(folder).total // 20)


def room(folder: Path) -> int:
    """Bytes that a drill may still write into a folder; negative where it must end."""
    return shutil.disk_usage(folder).free - reserve(folder)


def full(folder: Path) -> ProbeError:
    """The error of a drill that was ended because `room` had come to its end."""
    return ProbeError(f"the drill was ended before it had filled {folder}: `scratch` of the backup store names another")


@contextmanager
def ended_when_full(folder: Path, end: Callable[[], object]) -> Iterator[None]:
    """Call `end` as soon as there is no more room in a folder, and raise ProbeError then."""
    over, seen = threading.Event(), threading.Event()

    def watch() -> None:
        while not over.wait(_TURN):
            if room(folder) < 0:
                seen.set()
                end()
                return

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()
        if seen.is_set():
            raise full(folder) from None


def writes_while_room(into: IO[bytes], folder: Path) -> Callable[[bytes], None]:
    """What writes to a file in `folder` as long as there is room. Raises ProbeError."""

    def write(piece: bytes) -> None:
        if room(folder) < len(piece):
            raise full(folder)
        into.write(piece)

    return write


def copy_while_room(source: IO[bytes], into: IO[bytes], folder: Path, left: Callable[[], float]) -> None:
    """Copy a stream to a file in `folder`, as long as there is time (`left` raises) and room. Raises ProbeError."""
    write = writes_while_room(into, folder)
    while piece := source.read(MIB):
        left()
        write(piece)
