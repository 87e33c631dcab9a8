"""How a drill's programs are held: without a network and homes, in bounded memory, ended before they fill a disk.

A dump and an archive are input of whoever may write them. Where the system has no means for a bound, the drill goes on
without it; what a server could reach is told with its result.
Source: unshare(1), setpriv(1), prlimit(1), mount_namespaces(7), network_namespaces(7), user_namespaces(7).
"""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

from opsverify.drills.postgres_programs import PostgresPrograms, Unprivileged, output, unprivileged
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


@dataclass(frozen=True)
class Confined:
    """A way to run a program, and what of this machine is within its reach all the same."""

    way: Unprivileged
    within_reach: tuple[str, ...] = ()


NETWORK, FILES = "the network", "this account's files"
_PRIVATE = ("/root", "/home", "/tmp", "/var/tmp", "/run/user")  # noqa: S108 - to be hidden
_STAGES = ("/mnt", "/media", "/srv", "/opt")


def confined(way: Unprivileged, keep: Iterable[Path]) -> Confined:
    """Say how to run a program the same way, without a network, homes and temporary folders, as far as is possible.

    What it needs is in `keep`, folders that exist; sockets in them are reached all the same. Other files, of the
    system, keep their rights.
    """
    outside: tuple[str, ...] = ("unshare", "--user", "--map-root-user")
    if way.prefix:
        inside = way.prefix
    elif way.uid is None:
        inside = ("unshare", "--user", f"--map-user={os.geteuid()}", f"--map-group={os.getegid()}")
    else:
        outside = ("unshare",)
        account = (f"--reuid={way.popen['user']}", f"--regid={way.popen['group']}")
        inside = ("setpriv", *account, "--clear-groups", "--no-new-privs")
    plain = (*inside[:1], "--net", *inside[1:]) if inside[0] == "unshare" else (*outside, "--net", *inside)
    for prefix, within_reach in (
        ((*outside, "--net", "--mount", *_hiding(keep), *inside), ()),
        (plain, (FILES,)),
    ):
        if output(*prefix, "id", "-u") == output(*way.prefix, "id", "-u", **way.popen) != "":
            return Confined(replace(way, prefix=prefix, popen={}), within_reach)
    return Confined(way, (NETWORK, FILES))


def confined_in(place: Path, programs: PostgresPrograms) -> Confined:
    """Say how to run programs on what somebody else wrote and stands in `place`, in bounded memory, by an account of no
    rights: as root another user of a namespace would not do, as root's files would stay within reach.
    """
    held = confined(unprivileged(namespaces=os.geteuid() != 0), [place, *programs.folders])
    if held.way.uid is not None:
        place.chmod(0o711)
    return replace(held, way=replace(held.way, prefix=(*bounded(), *held.way.prefix)))


def _hiding(keep: Iterable[Path]) -> tuple[str, ...]:
    """The command that covers homes and temporary folders, and shows what is kept of them."""
    found = {Path(folder).resolve() for folder in (os.path.expanduser("~"), tempfile.gettempdir(), *_PRIVATE)}
    found -= {Path("/")}
    hidden = {folder for folder in found if folder.is_dir() and not found & set(folder.parents)}
    kept = {folder for folder in (path.resolve() for path in keep) if hidden & {folder, *folder.parents}}
    stages = [stage for stage in map(Path, _STAGES) if not any(stage in folder.parents for folder in kept | hidden)]
    stage = next((stage for stage in stages if stage.is_dir()), Path("/nowhere"))
    script = Path(__file__).with_name("alone.sh").read_text()
    return ("/bin/sh", "-c", script, "sh", *map(str, (stage, *sorted(kept), "--", *sorted(hidden), "--")))


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
