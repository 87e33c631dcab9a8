"""How much is in a folder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from opsverify.errors import MissingPrivilege
from opsverify.probes.host.files.listing import missing
from opsverify.probes.host.question import KIB, Answer, Question, integer
from opsverify.probes.host.shell import FOLDER
from opsverify.probes.host.shell_file import ShellFile


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

    shell = ShellFile(__package__, "folder_size.sh")
    helpers = (FOLDER,)
    slow: ClassVar[bool] = True
    seconds: ClassVar[float] = 60.0

    @property
    def title(self) -> str:
        return f"the size of {self.folder}"

    @property
    def arguments(self) -> tuple[str, ...]:
        return self.folder, self.folder.rstrip("/").rpartition("/")[0] or "/"

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


__all__ = ["FolderContents", "FolderSize"]
