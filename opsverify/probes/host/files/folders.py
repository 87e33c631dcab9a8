"""Folders as a whole: whose they are, how much room is left beside them, how much is in them, what is too old."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from opsverify.errors import MissingPrivilege
from opsverify.probes.host.files.listing import FOLDER, Entry, clock, missing, parse_entries
from opsverify.probes.host.question import KIB, MIB, Answer, Question, integer, quote


@dataclass(frozen=True)
class FolderFacts:
    """A folder and the file system it lies on. Where it does not exist, the rest is empty."""

    folder: str
    exists: bool
    owner: str = ""
    mode: str = ""
    """Octal, as chmod takes it: "750"."""
    mount: str = ""
    available_bytes: int = 0
    """Room for ordinary users, as df counts it."""

    @property
    def open_to_all(self) -> bool:
        """Whether everyone on the host may reach what is in it (its own mode; parents may still close the way)."""
        return bool(int(self.mode or "0", 8) & 0o001)

    @property
    def writable_by_all(self) -> bool:
        """Whether everyone may replace what is in it: world-writable, and no sticky bit."""
        return int(self.mode or "0", 8) & 0o1002 == 0o002


# Read from the right of the device, whose name may hold spaces or stand on a line of its own.
_ROOM = re.compile(r"\s\d+\s+\d+\s+(\d+)\s+\d+%\s+(/[^\n]*)\s*$")


@dataclass(frozen=True)
class FolderState(Question):
    """Whose a folder is, and the room on its file system. Privileges: to list it. Source: stat(1), df(1) of POSIX."""

    folder: str

    helpers = (FOLDER,)
    slow: ClassVar[bool] = True

    @property
    def title(self) -> str:
        return f"the folder {self.folder}"

    def script(self) -> str:
        return f"folder {quote(self.folder)}\necho \"== stat $(stat -c '%a %U %u' .)\"\necho '== room'; df -P -k .\n"

    def parse(self, answer: Answer) -> FolderFacts:
        if missing(self.title, self.folder, answer):
            return FolderFacts(self.folder, exists=False)
        stat, room = answer.block("stat"), answer.block("room")
        whose = re.fullmatch(r"([0-7]{1,4}) (\S+) (\d+)", stat.rest) if stat else None
        figures = _ROOM.search("\n".join(room.lines)) if room else None
        if whose is None or figures is None:
            raise answer.failure(self.title, "stat and df gave no figures")
        mode, user, uid = whose.groups()
        return FolderFacts(
            folder=self.folder,
            exists=True,
            owner=uid if user == "UNKNOWN" else user,
            mode=mode,
            mount=figures[2].strip(),
            available_bytes=KIB * integer(figures[1], f"the room in {self.folder}"),
        )


@dataclass(frozen=True)
class FolderContents:
    """How much a folder holds, all below it included. `parent_exists` tells an emptied cache from a wrong path."""

    folder: str
    exists: bool
    parent_exists: bool
    used_bytes: int = 0


@dataclass(frozen=True)
class FolderSize(Question):
    """The room that a folder takes. Privileges: to list all of it. Source: du(1) of POSIX."""

    folder: str

    helpers = (FOLDER,)
    slow: ClassVar[bool] = True
    seconds: ClassVar[float] = 60.0

    @property
    def title(self) -> str:
        return f"the size of {self.folder}"

    def script(self) -> str:
        parent = quote(self.folder.rstrip("/").rpartition("/")[0] or "/")
        return (
            f"[ -d {parent} ] && echo '== parent'\nfolder {quote(self.folder)}\n"
            # Files that go away meanwhile make du complain and fail, and its sum is right all the same.
            "echo \"== used $(du -sk . | sed 's/[^0-9].*//')\""
        )

    def parse(self, answer: Answer) -> FolderContents:
        parent = answer.block("parent") is not None
        if missing(self.title, self.folder, answer):
            return FolderContents(self.folder, False, parent)
        used = answer.block("used")
        if used is None:
            raise answer.failure(self.title)
        if answer.denied:
            raise MissingPrivilege(
                f"{self.title} could not be determined: this account may not read all of it; let it, or use its owner"
            )
        return FolderContents(self.folder, True, parent, KIB * integer(used.rest, self.title))


@dataclass(frozen=True)
class Ages:
    """The files that match below a folder, and those of them that are too old."""

    folder: str
    exists: bool
    count: int = 0
    too_old: int = 0
    oldest: tuple[Entry, ...] = ()
    """The oldest few, oldest first, too old or not."""
    observed_at: datetime | None = None
    """The host's clock when it looked."""


@dataclass(frozen=True)
class OldFiles(Question):
    """The files below `folder` that match, counted, and how many of them were last changed more than `hours` ago.

    Privileges: to list the folder and those below it. Source: find(1), stat(1).
    """

    folder: str
    pattern: str
    hours: float
    shown: int = 3

    helpers = (FOLDER,)
    slow: ClassVar[bool] = True
    seconds: ClassVar[float] = 60.0
    max_bytes: ClassVar[int] = MIB

    @property
    def title(self) -> str:
        return f"the ages of {self.pattern} below {self.folder}"

    def script(self) -> str:
        return f"""folder {quote(self.folder)}
now=$(date +%s); echo "== clock $now"; echo '== files'
found {quote(self.pattern)} -depth | sort -n |
awk -v limit=$((now - {round(self.hours * 3600)})) -v shown={int(self.shown)} '
{{ n++; if ($1 + 0 < limit) old++; if (n <= shown) print }}
END {{ print "== count " n + 0; print "== old " old + 0 }}'
"""

    def parse(self, answer: Answer) -> Ages:
        if missing(self.title, self.folder, answer):
            return Ages(self.folder, exists=False)
        files, count, old = (answer.block(name) for name in ("files", "count", "old"))
        if files is None or count is None or old is None:
            raise answer.failure(self.title, "it ended early")
        too_old = integer(old.rest, self.title)
        if answer.denied and not too_old:
            raise MissingPrivilege(
                f"{self.title} could not be determined: this account may not list every folder below {self.folder}"
            )
        return Ages(
            folder=self.folder,
            exists=True,
            count=integer(count.rest, self.title),
            too_old=too_old,
            oldest=tuple(parse_entries(files.lines)),
            observed_at=clock(answer),
        )
