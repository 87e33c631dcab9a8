"""What in a folder is too old."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from opsverify.errors import MissingPrivilege
from opsverify.probes.host.files.listing import Entry, clock, missing, parse_entries
from opsverify.probes.host.question import MIB, Answer, Question, integer
from opsverify.probes.host.shell import FOLDER
from opsverify.probes.host.shell_file import ShellFile


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

    shell = ShellFile(__package__, "old_files.sh")
    helpers = (FOLDER,)
    slow: ClassVar[bool] = True
    seconds: ClassVar[float] = 60.0
    max_bytes: ClassVar[int] = MIB

    @property
    def title(self) -> str:
        return f"the ages of {self.pattern} below {self.folder}"

    @property
    def arguments(self) -> tuple[str, ...]:
        return self.folder, self.pattern, str(round(self.hours * 3600)), str(int(self.shown))

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


__all__ = ["Ages", "OldFiles"]
