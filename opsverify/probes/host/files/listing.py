"""Folders and what is in them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from opsverify.errors import MissingPrivilege, ProbeError
from opsverify.probes.host.question import MIB, Answer, Question, integer, moment, one_line
from opsverify.probes.host.shell import FOLDER
from opsverify.probes.host.shell_file import ShellFile


@dataclass(frozen=True)
class Entry:
    """One file. `mode` is octal, as chmod takes it: "640"; `name` is relative to the folder."""

    name: str
    size_bytes: int
    modified: datetime
    mode: str
    owner: str

    @property
    def world_readable(self) -> bool:
        """Whether everyone on the host may read it."""
        return bool(int(self.mode, 8) & 0o004)


@dataclass(frozen=True)
class Listing:
    """The files of a folder that match, newest first; with `newest`, no more than so many."""

    folder: str
    exists: bool
    entries: tuple[Entry, ...] = ()
    count: int = 0
    """How many match in all."""
    total_bytes: int = 0
    observed_at: datetime | None = None
    """The host's clock when it looked: ages are counted from here, not from our clock."""


@dataclass(frozen=True)
class FileListing(Question):
    """The files in `folder` whose name matches the shell pattern `pattern`, with size, time, mode and owner.

    With `recursive`, in the folders below too. Privileges: to list the folder. A folder that does not exist is a fact
    (exists=False), one that may not be read is MissingPrivilege. Source: find(1), stat(1).
    """

    folder: str
    pattern: str = "*"
    newest: int | None = None
    recursive: bool = False

    shell = ShellFile(__package__, "listing.sh")
    helpers = (FOLDER,)
    slow: ClassVar[bool] = True
    max_bytes: ClassVar[int] = 4 * MIB

    @property
    def title(self) -> str:
        return f"the files {self.pattern} in {self.folder}"

    @property
    def arguments(self) -> tuple[str, ...]:
        return self.folder, self.pattern, "-depth" if self.recursive else ""

    def parse(self, answer: Answer) -> Listing:
        if missing(self.title, self.folder, answer):
            return Listing(self.folder, exists=False)
        files = answer.block("files")
        if files is None or answer.block("end") is None:
            reason = f"there are more than {self.max_bytes:,} bytes of them" if answer.truncated else "it ended early"
            raise answer.failure(self.title, reason)
        entries = sorted(parse_entries(files.lines), key=lambda entry: (entry.modified, entry.name), reverse=True)
        return Listing(
            folder=self.folder,
            exists=True,
            entries=tuple(entries[: self.newest]),
            count=len(entries),
            total_bytes=sum(entry.size_bytes for entry in entries),
            observed_at=clock(answer),
        )


def missing(title: str, folder: str, answer: Answer) -> bool:
    """Whether the folder is not there; raises MissingPrivilege where it may not be read, ProbeError for no answer."""
    refusal = answer.block("nofolder")
    if refusal is not None:
        if "ermission denied" in refusal.rest:
            raise MissingPrivilege(f"{title} could not be determined: this account may not read {folder}")
        if re.search(r"No such file|Not a directory|not found", refusal.rest):
            return True
        raise ProbeError(f"{title} could not be determined: {one_line(refusal.rest) or 'the folder cannot be entered'}")
    if answer.block("folder") is None:
        raise answer.failure(title)
    return False


def clock(answer: Answer) -> datetime:
    """The host's clock, from a `== clock` line."""
    block = answer.block("clock")
    return moment(integer(block.rest if block else "", "the host's clock"), "the host's clock")


_ENTRY = re.compile(r"(\d+) (\d+) ([0-7]{1,4}) (\S+) (\d+) (\./.*)", re.DOTALL | re.ASCII)


def real_name(path: str) -> str:
    """The name of a file, from the path that `listing` gives it."""
    return path.removeprefix("./").replace("//", "\n")


def parse_entries(lines: Iterable[str]) -> list[Entry]:
    """Entries from lines of `listing`."""
    return [_entry(line) for line in lines if line]


def _entry(line: str) -> Entry:
    match = _ENTRY.fullmatch(line)
    if match is None:
        raise ProbeError(f"the list of files could not be understood: {one_line(line, 60)!r}")
    modified, size, mode, user, uid, path = match.groups()
    name = real_name(path)
    return Entry(
        name=name,
        size_bytes=integer(size, f"the size of {name}"),
        modified=moment(integer(modified, f"the time of {name}"), f"the time of {name}"),
        mode=mode,
        owner=uid if user == "UNKNOWN" else user,
    )


__all__ = ["Entry", "FileListing", "Listing", "clock", "missing", "parse_entries", "real_name"]
