"""The newest finished backup on a host, and its way into a scratch folder."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import zlib
from pathlib import Path
from typing import IO, TYPE_CHECKING
from urllib.parse import urlsplit

from opsverify.errors import MissingPrivilege, ProbeError
from opsverify.evidence.deadline import Deadline
from opsverify.probes.host.causes import explain
from opsverify.probes.host.connection import connect
from opsverify.probes.host.files.dumps import DatabaseDumps, Dump, DumpListing
from opsverify.probes.host.probe import archive_probe
from opsverify.probes.host.question import GIB, KIB, MIB
from opsverify.probes.host.shell_file import ShellFile

if TYPE_CHECKING:
    from opsverify.config.environment import Host

LOOK_SECONDS = 60.0
DENIED = 77
"""How the script ends where it may not read the file, before it speaks."""
NOISE = 64 * KIB
"""The most that a login may print before the script speaks."""


def listing(host: Host, folder: str, pattern: str, deadline: Deadline) -> DumpListing:
    """The files of a backup folder, newest first, those still being written marked as such.

    Archives too: that a file is finished is seen in the same way. Raises ProbeError.
    """
    question = DatabaseDumps(folder, pattern)
    dumps = archive_probe(host, frozenset([question]), Deadline(deadline.remaining(LOOK_SECONDS)))[question]
    if isinstance(dumps, ProbeError):
        raise dumps
    assert isinstance(dumps, DumpListing)
    return dumps


def room_for(size: int, factor: float, scratch: Path) -> None:
    """Raise ProbeError unless the scratch folder has room for `factor` times `size` bytes."""
    needed, free = round(size * factor), shutil.disk_usage(scratch).free
    if needed > free:
        raise ProbeError(
            f"{scratch.parent} has no room for the drill: {size / MIB:,.1f} MiB times {factor:g} are needed, "
            f"{free / MIB:,.1f} MiB are left (`scratch` of the backup store names another folder)"
        )


def fetch(host: Host, folder: str, file: Dump, into: Path, deadline: Deadline) -> Path:
    """A readable local file with the content of one on a host: itself, or a copy named `into`.

    Streamed through the host's connection, compressed on the way where that helps and the host has gzip, and held
    against its size. Privileges: to read the file. Raises ProbeError.
    """
    parts = urlsplit(host.connection)
    if parts.scheme == "local" and not parts.query:
        path = Path(folder, file.name)
        if not os.access(path, os.R_OK):
            raise MissingPrivilege(f"{path} could not be fetched: this account may not read it")
        return path
    nonce = secrets.token_hex(16)
    with into.open("wb") as copy:
        receiver = Receiver(nonce, file.size_bytes, copy)
        script = _script(nonce, folder, file, compressed=file.format in ("plain", "tar", None))

        def feed(piece: bytes) -> None:
            receiver.feed(piece)
            deadline.phase = f"fetching {receiver.written / GIB:.2f} of {file.size_bytes / GIB:.2f} GiB"

        done = connect(host).stream(script, deadline, feed)
    if done.timed_out:
        raise ProbeError(f"{file.name} could not be fetched within {deadline.seconds:g} s")
    if done.status == DENIED:
        raise MissingPrivilege(f"{file.name} could not be fetched: this account may not read it")
    if not receiver.begun:
        raise explain(done.errors, done.status)
    receiver.finish(file.name)
    return into


FETCH = ShellFile(__package__, "fetch.sh")


def _script(nonce: str, folder: str, file: Dump, *, compressed: bool) -> str:
    arguments = (nonce, folder, file.name, file.size_bytes, "compress" if compressed else "", DENIED)
    # Braces: a script that arrives cut off is a syntax error and does nothing.
    return f"{{\n{FETCH.called_with(arguments)}}}\n"


class Receiver:
    """Takes the stream apart: noise, our line, `size` bytes of content (plain or gzip), our last line."""

    def __init__(self, nonce: str, size: int, copy: IO[bytes]) -> None:
        self.begun = False
        self._begin = re.compile(rb"\n" + nonce.encode() + rb" (gzip|plain)\n")
        self._end = b"\n" + nonce.encode() + b" end 0\n"
        self._size = size
        self._copy = copy
        self._head = b""
        self._tail = b""
        self.written = 0
        self._unzip = zlib.decompressobj(zlib.MAX_WBITS | 16)  # gzip's own header and checksum
        self._zipped = False

    def feed(self, piece: bytes) -> None:
        """Take the next piece. Raises ProbeError for what is no such stream."""
        if not self.begun:
            self._head += piece
            match = self._begin.search(self._head)
            if match is None:
                if len(self._head) > NOISE:
                    raise ProbeError("the host's login prints too much: the backup could not be fetched")
                return
            self.begun, self._zipped = True, match[1] == b"gzip"
            piece = self._head[match.end() :]
        if self._zipped:
            self._inflate(piece)
        else:
            taken = piece[: self._size - self.written]
            self._write(taken)
            self._tail = (self._tail + piece[len(taken) :])[-NOISE:]

    def _inflate(self, piece: bytes) -> None:
        if self._unzip.eof:
            self._tail = (self._tail + piece)[-NOISE:]
            return
        try:
            while piece and not self._unzip.eof:
                self._write(self._unzip.decompress(piece, MIB))
                piece = self._unzip.unconsumed_tail
        except zlib.error:
            raise ProbeError("the backup could not be fetched: it was damaged on the way") from None
        if self._unzip.eof:
            self._tail = self._unzip.unused_data[-NOISE:]

    def _write(self, content: bytes) -> None:
        self.written += len(content)
        if self.written > self._size:
            raise ProbeError("the backup could not be fetched: it grows while it is read")
        try:
            self._copy.write(content)
        except OSError as error:
            raise ProbeError(f"the backup could not be fetched: {error.strerror}") from None

    def finish(self, name: str) -> None:
        """Raise ProbeError unless all of it came."""
        if self.written != self._size or not self._tail.endswith(self._end):
            raise ProbeError(f"fetching {name} broke off after {self.written:,} of {self._size:,} bytes")
