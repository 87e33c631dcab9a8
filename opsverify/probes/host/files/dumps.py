"""Database dumps: are they whole?"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from opsverify.errors import MissingPrivilege, ProbeError
from opsverify.probes.host.files.listing import Entry, clock, missing, parse_entries, real_name
from opsverify.probes.host.question import MIB, Answer, Block, Question, one_line
from opsverify.probes.host.shell import FOLDER
from opsverify.probes.host.shell_file import ShellFile

MARKER = "-- PostgreSQL database dump complete"
_CLUSTER_BEGIN = "-- PostgreSQL database cluster dump\n"
_CLUSTER = "-- PostgreSQL database cluster dump complete"
"""pg_dumpall's, behind those of each database."""
_OF_THE_END = re.compile(r"\s*(?:--)?\s*|\\unrestrict [A-Za-z0-9]+\s*")
_TOOL_ERROR = re.compile(r"^pg_dump(?:all)?: (?:error|fatal|\[).*$", re.MULTILINE)
_ANY_ERROR = re.compile(r"^(?:pg_dump(?:all)?: (?:error|fatal|\[)|(?:psql: )?(?:FATAL|ERROR|error):).*$", re.MULTILINE)


@dataclass(frozen=True)
class Dump:
    """One dump. The fields from `format` on are known for the newest few only (`looked_at`)."""

    name: str
    size_bytes: int
    modified: datetime
    mode: str
    owner: str
    writing: bool
    """It changed within a second, a process holds it open for writing, or it is young and has no end yet."""
    looked_at: bool = False
    format: str | None = None
    """plain, custom, gzip, zstd, xz, bzip2, tar, empty or unknown, by its first bytes."""
    complete: bool | None = None
    """Whether its end marker stands; None where only decoding all of it would tell."""
    error_text: str | None = None
    trailing_lines: int = 0
    """Lines of something else behind the end marker: whoever restores the dump would run them, too."""
    unreadable: bool = False
    """This account may not look into it: nothing is known of its content."""
    server_version: str | None = None
    dump_version: str | None = None

    @property
    def world_readable(self) -> bool:
        """Whether everyone on the host may read it."""
        return bool(int(self.mode, 8) & 0o004)


@dataclass(frozen=True)
class DumpListing:
    """The dumps of a folder, newest first."""

    folder: str
    exists: bool
    dumps: tuple[Dump, ...] = ()
    observed_at: datetime | None = None
    """The host's clock when it looked: ages are counted from here."""

    @property
    def newest(self) -> Dump | None:
        """The newest one that is not still being written."""
        return next((dump for dump in self.dumps if not dump.writing), None)

    @property
    def newest_read(self) -> Dump | None:
        """The same, for whoever judges its content: raises MissingPrivilege where this account may not read it."""
        if self.newest is not None and self.newest.unreadable:
            raise MissingPrivilege(f"{self.newest.name} may not be read by this account: let its group read it")
        return self.newest


@dataclass(frozen=True)
class DatabaseDumps(Question):
    """The dumps in `folder` that match `pattern`; the newest `look_at` are opened, 4 KiB at both ends.

    Whether one is still being written is seen by two looks a second apart, by who holds it open (as far as this account
    may see), and by its missing end within two minutes of its last change. Privileges: to list the folder and read the
    dumps. With `look_at` 0 none is opened, and it may be a backup of any kind. Source: pg_dump(1); since 15.14
    `\\unrestrict` follows the end marker, which so is not the last line. Nothing else may.
    """

    folder: str
    pattern: str = "db_*.sql"
    look_at: int = 3

    shell = ShellFile(__package__, "dumps.sh")
    helpers = (FOLDER,)
    slow: ClassVar[bool] = True
    seconds: ClassVar[float] = 15.0
    max_bytes: ClassVar[int] = 4 * MIB

    @property
    def title(self) -> str:
        return f"the dumps {self.pattern} in {self.folder}"

    @property
    def arguments(self) -> tuple[str, ...]:
        return self.folder, self.pattern, str(int(self.look_at))

    def parse(self, answer: Answer) -> DumpListing:
        if missing(self.title, self.folder, answer):
            return DumpListing(self.folder, exists=False)
        blocks = answer.blocks()
        if not blocks or blocks[-1].name != "end":
            raise answer.failure(self.title, "too many to list" if answer.truncated else "it ended early")
        now = clock(answer)
        named = {block.name: block for block in blocks if block.name in ("before", "files", "open")}
        if len(named) < 3:
            raise answer.failure(self.title, "part of the answer is missing")
        before = {entry.name: entry for entry in parse_entries(named["before"].lines)}
        opened = [line.partition(" -> ")[2] for line in named["open"].lines]
        parts = {(block.name, real_name(block.rest)): _bytes(block) for block in blocks
                 if block.name in ("head", "tail")}  # fmt: skip
        denied = {real_name(block.rest) for block in blocks if block.name == "denied"}
        dumps = []
        for entry in parse_entries(named["files"].lines):
            moving = before.get(entry.name) != entry or any(path.endswith(f"/{entry.name}") for path in opened)
            head, tail = parts.get(("head", entry.name)), parts.get(("tail", entry.name))
            dumps.append(_dump(entry, moving, head, tail, now, entry.name in denied))
        dumps.sort(key=lambda dump: (dump.modified, dump.name), reverse=True)
        return DumpListing(self.folder, True, tuple(dumps), now)


def _bytes(block: Block) -> bytes:
    try:
        return bytes.fromhex("".join(block.lines))
    except ValueError:
        raise ProbeError("a dump could not be read: the host printed something else than its bytes") from None


def _dump(entry: Entry, moving: bool, head: bytes | None, tail: bytes | None, now: datetime, denied: bool) -> Dump:
    base = (entry.name, entry.size_bytes, entry.modified, entry.mode, entry.owner)
    if head is None or tail is None:
        return Dump(*base, writing=moving, unreadable=denied)
    kind = _format(head)
    # Only plain text shows its end; an empty file has none.
    text = head.decode("utf-8", "replace")
    end = _CLUSTER if _CLUSTER_BEGIN in text else MARKER
    complete = marked(tail, end) if kind in ("plain", "unknown") else False if kind == "empty" else None
    young = now - entry.modified < timedelta(seconds=120)
    return Dump(
        *base,
        writing=moving or (complete is False and young and not _error(text, tail)),
        looked_at=True,
        format=kind,
        complete=complete,
        error_text=_error(text, tail) if kind in ("plain", "unknown") else None,
        trailing_lines=trailing_lines(tail) if complete else 0,
        server_version=_header(text, r"Dumped from database version (\S+)"),
        dump_version=_header(text, r"Dumped by pg_dump version (\S+)"),
    )


def marked(tail: bytes, end: str = MARKER) -> bool:
    """Whether the end marker of a plain dump stands in these last bytes, on a line of its own."""
    return end in tail.decode("utf-8", "replace").replace("\r\n", "\n").split("\n")


def trailing_lines(tail: bytes) -> int:
    """How many lines stand behind the last end marker that pg_dump and pg_dumpall do not write there; 0 without one."""
    lines = tail.decode("utf-8", "replace").replace("\r\n", "\n").split("\n")
    end = max((index for index, line in enumerate(lines) if line in (MARKER, _CLUSTER)), default=len(lines))
    return sum(not _OF_THE_END.fullmatch(line) for line in lines[end + 1 :])


def _format(head: bytes) -> str:
    magic = {b"PGDMP": "custom", b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd", b"\xfd7zXZ": "xz", b"BZh": "bzip2"}
    if not head:
        return "empty"
    for start, name in magic.items():
        if head.startswith(start):
            return name
    if head[257:262] == b"ustar":
        return "tar"
    return "unknown" if b"\x00" in head else "plain"


def _error(head: str, tail: bytes) -> str | None:
    # Rows of a table may begin like an error: past the dump's header, only the tool's own prefix counts, and only
    # after the last row that is known to be one.
    before = head.partition("-- PostgreSQL database dump")[0]
    after = ("\n" + tail.decode("utf-8", "replace")).rpartition("\n\\.\n")[2]
    match = _ANY_ERROR.search(before) or _TOOL_ERROR.search(after)
    return one_line(match[0]) if match else None


def _header(text: str, pattern: str) -> str | None:
    match = re.search(rf"^-- {pattern}", text, re.MULTILINE)
    return match[1] if match else None
