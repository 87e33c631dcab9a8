"""What a build left behind."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from opsverify.probes.host.files.listing import FOLDER, missing
from opsverify.probes.host.question import Answer, Question, integer, moment, quote


@dataclass(frozen=True)
class Built:
    """A build: whether the file that proves it is there, and when it was made (None where it is not)."""

    file: str
    exists: bool
    size_bytes: int = 0
    built_at: datetime | None = None


@dataclass(frozen=True)
class Build(Question):
    """Whether `file` of a checkout was built, and when.

    With `newest_of`, a folder, the newest file in it says when: an incremental build rewrites only what changed.
    Privileges: to list the folders. Source: stat(1).
    """

    checkout_path: str
    file: str
    newest_of: str | None = None

    helpers = (FOLDER,)
    slow: ClassVar[bool] = True

    @property
    def title(self) -> str:
        return f"the build {self.checkout_path}/{self.file}"

    def script(self) -> str:
        file = quote(f"./{self.file}")
        newest = quote(f"./{self.newest_of}") if self.newest_of else file
        return f"""folder {quote(self.checkout_path)}
[ -f {file} ] || {{ ls -d {file} >/dev/null; echo '== nofile'; exit 0; }}
echo "== file $(stat -L -c '%s' {file})"
echo "== built $(find {newest} -type f -exec stat -c %Y {{}} + | sort -n | tail -n 1)"
"""

    def parse(self, answer: Answer) -> Built:
        if missing(self.title, self.checkout_path, answer):
            return Built(self.file, exists=False)
        if answer.block("nofile") and not answer.denied:
            return Built(self.file, exists=False)
        file, built = answer.block("file"), answer.block("built")
        if file is None or built is None:
            raise answer.failure(self.title)
        seconds = integer(built.rest, "the time of the build")
        size = integer(file.rest, f"the size of {self.file}")
        return Built(self.file, exists=True, size_bytes=size, built_at=moment(seconds, "the time of the build"))
