"""Whose a folder is, and how much room is left beside it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar

from opsverify.probes.host.files.listing import missing
from opsverify.probes.host.mounts import mounts
from opsverify.probes.host.question import KIB, Answer, Question, integer
from opsverify.probes.host.shell import FOLDER, MOUNTS
from opsverify.probes.host.shell_file import ShellFile


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
    unwritable: str = ""
    """Why nothing can be written to its file system: "is read-only"; "" where it can."""

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
    """Whose a folder is, the room on its file system, and whether that can be written to.

    Privileges: to list it. Source: stat(1), df(1) of POSIX, proc_pid_mountinfo(5).
    """

    folder: str

    shell = ShellFile(__package__, "folder_state.sh")
    helpers = (FOLDER, MOUNTS)
    slow: ClassVar[bool] = True

    @property
    def title(self) -> str:
        return f"the folder {self.folder}"

    @property
    def arguments(self) -> tuple[str, ...]:
        return (self.folder,)

    def parse(self, answer: Answer) -> FolderFacts:
        if missing(self.title, self.folder, answer):
            return FolderFacts(self.folder, exists=False)
        stat, room = answer.block("stat"), answer.block("room")
        whose = re.fullmatch(r"([0-7]{1,4}) (\S+) (\d+)", stat.rest) if stat else None
        figures = _ROOM.search("\n".join(room.lines)) if room else None
        if whose is None or figures is None:
            raise answer.failure(self.title, "stat and df gave no figures")
        mode, user, uid = whose.groups()
        mount = figures[2].strip()
        mounted = mounts(answer).get(mount)
        return FolderFacts(
            folder=self.folder,
            exists=True,
            owner=uid if user == "UNKNOWN" else user,
            mode=mode,
            mount=mount,
            available_bytes=KIB * integer(figures[1], f"the room in {self.folder}"),
            unwritable=mounted.unwritable if mounted else "",
        )


__all__ = ["FolderFacts", "FolderState"]
