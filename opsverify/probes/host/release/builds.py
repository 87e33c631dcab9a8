"""What a build left behind."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from opsverify.probes.host.files.listing import missing
from opsverify.probes.host.question import Answer, Question, integer, moment
from opsverify.probes.host.shell import FOLDER
from opsverify.probes.host.shell_file import ShellFile


@dataclass(frozen=True)
class Built:
    """A build: whether the file that proves it is there, and when it was made (None where it is not)."""

    file: str
    exists: bool
    size_bytes: int = 0
    built_at: datetime | None = None


@dataclass(frozen=True)
class Build(Question):
    """Whether `file` of a checkout was built, or one of `others` in its place, and when.

    With `newest_of`, a folder, the newest file in it says when: an incremental build rewrites only what changed.
    Privileges: to list the folders. Source: stat(1).
    """

    checkout_path: str
    file: str
    newest_of: str | None = None
    others: tuple[str, ...] = ()

    shell = ShellFile(__package__, "builds.sh")
    helpers = (FOLDER,)
    slow: ClassVar[bool] = True

    @property
    def title(self) -> str:
        return f"the build {self.checkout_path}/{self.file}"

    @property
    def arguments(self) -> tuple[str, ...]:
        newest = f"./{self.newest_of}" if self.newest_of else ""
        return self.checkout_path, newest, *(f"./{file}" for file in (self.file, *self.others))

    def parse(self, answer: Answer) -> Built:
        if missing(self.title, self.checkout_path, answer):
            return Built(self.file, exists=False)
        if answer.block("nofile") and not answer.denied:
            return Built(self.file, exists=False)
        file, built = answer.block("file"), answer.block("built")
        if file is None or built is None:
            raise answer.failure(self.title)
        seconds = integer(built.rest, "the time of the build")
        bytes_, _, name = file.rest.partition(" ")
        size = integer(bytes_, f"the size of {self.file}")
        return Built(
            name.removeprefix("./") or self.file,
            exists=True,
            size_bytes=size,
            built_at=moment(seconds, "the time of the build"),
        )
