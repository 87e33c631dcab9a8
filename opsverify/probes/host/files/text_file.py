"""A text file, read whole."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar

from opsverify.errors import MissingPrivilege, ProbeError
from opsverify.probes.host.question import MIB, Answer, Question, one_line
from opsverify.probes.host.shell_file import ShellFile


@dataclass(frozen=True)
class DocumentText:
    """A document as it stands at `location`; `exists` is False, and `text` empty, where nothing stands there."""

    location: str
    exists: bool
    text: str = ""


@dataclass(frozen=True)
class TextFile(Question):
    """A document of at most 1 MiB. Privileges: to read it. A file that does not exist is a fact: exists=False."""

    path: str

    shell = ShellFile(__package__, "text_file.sh")
    slow: ClassVar[bool] = True
    max_bytes: ClassVar[int] = MIB

    @property
    def title(self) -> str:
        return self.path

    @property
    def arguments(self) -> tuple[str, ...]:
        return (self.path,)

    def parse(self, answer: Answer) -> DocumentText:
        if answer.truncated:
            raise ProbeError(f"{self.path} is larger than {self.max_bytes:,} bytes: it was not read")
        if answer.denied:
            raise MissingPrivilege(f"{self.path} may not be read by this account: let its group read it")
        if answer.status == 9 and re.search("No such file|Not a directory", answer.errors, re.IGNORECASE):
            return DocumentText(self.path, exists=False)
        if answer.status == 8:
            raise ProbeError(f"{self.path} is no file")
        if answer.status != 0:
            raise ProbeError(f"{self.path} could not be read: {one_line(answer.errors) or 'the host gave no reason'}")
        return DocumentText(self.path, True, answer.text)


__all__ = ["DocumentText", "TextFile"]
