"""A text file, read whole."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar

from opsverify.errors import MissingPrivilege, ProbeError
from opsverify.probes.host.question import MIB, Answer, Question, one_line, quote


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

    slow: ClassVar[bool] = True
    max_bytes: ClassVar[int] = MIB

    @property
    def title(self) -> str:
        return self.path

    def script(self) -> str:
        path = quote(self.path)
        return f"[ -e {path} ] || {{ ls -d -- {path} >/dev/null; exit 9; }}\n[ -f {path} ] || exit 8\ncat -- {path}"

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
