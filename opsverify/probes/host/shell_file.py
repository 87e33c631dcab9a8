"""Shell and awk that run on hosts: reviewed files beside the questions that they belong to.

`shellcheck` reads them in CI, and the tests run them under dash, bash and BusyBox, awk under mawk, gawk and BusyBox.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from shlex import quote


@dataclass(frozen=True)
class ShellFile:
    """A file of POSIX sh or awk in `package`. It is read when it is first needed."""

    package: str
    name: str

    @property
    def text(self) -> str:
        """What is in it, without the comments at its head: they are for readers, not for hosts."""
        return _text(self.package, self.name)

    def called_with(self, arguments: Sequence[str | int | float]) -> str:
        """The text of a script, with `arguments` as $1, $2 …, quoted."""
        given = " ".join(quote(str(argument)) for argument in arguments)
        return f"set -- {given}\n{self.text}" if given else self.text


@dataclass(frozen=True)
class AwkFunctions(ShellFile):
    """A file of awk functions that several scripts share: a shell variable that is named as the file is, `when_awk`."""

    @property
    def text(self) -> str:
        return f"{self.name.removesuffix('.awk')}_awk={quote(super().text)}\n"


@cache
def _text(package: str, name: str) -> str:
    lines = resources.files(package).joinpath(name).read_text("utf-8").splitlines(keepends=True)
    code = next((i for i, line in enumerate(lines) if not line.startswith("#")), len(lines))
    return "".join(lines[code:])
