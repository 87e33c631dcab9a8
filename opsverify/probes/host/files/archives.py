"""Application archives, read to their end."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from opsverify.errors import MissingPrivilege
from opsverify.probes.host.files.listing import clock, missing, parse_entries
from opsverify.probes.host.question import Answer, Question, integer, one_line
from opsverify.probes.host.shell import FOLDER
from opsverify.probes.host.shell_file import ShellFile


@dataclass(frozen=True)
class Archive:
    """The newest finished archive of a folder. `name` is None where there is none."""

    folder: str
    exists: bool
    """Whether the folder is there."""
    name: str | None = None
    size_bytes: int | None = None
    modified: datetime | None = None
    readable: bool = False
    """Whether it decompresses and lists to its very end, checksum and the blocks that mark the end included."""
    error: str | None = None
    members: int = 0
    held: frozenset[str] = frozenset()
    """Those of `must_hold` that it holds."""
    forbidden: tuple[tuple[str, str], ...] = ()
    """(one of `must_not_hold`, the first member that shows it)."""
    observed_at: datetime | None = None


@dataclass(frozen=True)
class ArchiveContents(Question):
    """Read the newest finished archive that matches to its end, on the host, and look for names in it.

    A name such as `backend` or `backend/package.json` is held where it stands in a member's path, folder by folder. It
    takes as long as decompressing does, at the lowest priority: ask it through `archive_probe`. Nothing is unpacked.
    tar accepts an archive that was cut between two members; its end are two blocks of zeros, which must be there.
    Privileges: to list the folder and read the archive. Source: tar(1), gzip(1), POSIX pax ("ustar Interchange Format",
    two 512-octet logical records of zeros).
    """

    folder: str
    pattern: str = "app_*.tar.gz"
    must_hold: tuple[str, ...] = ()
    must_not_hold: tuple[str, ...] = ()

    shell = ShellFile(__package__, "archives.sh")
    helpers = (FOLDER,)
    slow: ClassVar[bool] = True
    seconds: ClassVar[float] = 86400.0

    @property
    def title(self) -> str:
        return f"the newest archive {self.pattern} in {self.folder}"

    @property
    def arguments(self) -> tuple[str, ...]:
        return self.folder, self.pattern, "\n".join(self.must_hold), "\n".join(self.must_not_hold)

    def parse(self, answer: Answer) -> Archive:
        if missing(self.title, self.folder, answer):
            return Archive(self.folder, exists=False)
        now = clock(answer)
        if answer.block("none"):
            return Archive(self.folder, exists=True, observed_at=now)
        file = answer.block("file")
        entries = parse_entries(file.lines) if file else []
        if not entries:
            raise answer.failure(self.title)
        entry = entries[0]
        if answer.block("denied"):
            raise MissingPrivilege(f"{self.title} could not be determined: this account may not read {entry.name}")
        unpack, listed, members = (answer.block(name) for name in ("unpack", "list", "members"))
        if unpack is None or listed is None or members is None or answer.block("end") is None:
            raise answer.failure(self.title, "reading it was broken off")
        absent = re.search(r"(gzip|tar|xz|zstd|bzip2): not found", answer.errors)
        if absent:
            raise answer.failure(self.title, f"the host has no {absent[1]}")
        read, closed = unpack.rest == "0" and listed.rest == "0", answer.block("closed") is not None
        closed = closed and answer.block("unended") is None
        cut = "it was cut off: the blocks that end an archive are missing" if read else "it does not read to its end"
        return Archive(
            folder=self.folder,
            exists=True,
            name=entry.name,
            size_bytes=entry.size_bytes,
            modified=entry.modified,
            readable=read and closed,
            error=None if read and closed else one_line(answer.errors) or cut,
            members=integer(members.rest, "the number of members"),
            held=frozenset(block.rest for block in answer.blocks() if block.name == "held"),
            forbidden=tuple(
                sorted((b.rest, b.lines[0][1:] if b.lines else "") for b in answer.blocks() if b.name == "forbidden")
            ),
            observed_at=now,
        )
