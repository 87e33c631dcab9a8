"""Versions of commands."""

from __future__ import annotations

import re
from dataclasses import dataclass

from opsverify.errors import ProbeError
from opsverify.probes.host.question import Answer, Question, one_line
from opsverify.probes.host.shell import OWNER
from opsverify.probes.host.shell_file import ShellFile


@dataclass(frozen=True)
class Version:
    """A version: "15.18" and (15, 18). All empty where the command was not found."""

    found: bool
    text: str = ""
    numbers: tuple[int, ...] = ()
    path: str = ""
    note: str = ""
    """What is to be said with it: how it is known, where it is not what it should be known from."""

    @property
    def with_note(self) -> str:
        """The version with its note, for people."""
        return f"{self.text}, {self.note}" if self.note else self.text

    @property
    def major(self) -> int | None:
        """The first number."""
        return self.numbers[0] if self.numbers else None


def version_of(what: str, text: str, path: str = "") -> Version:
    """The first dotted number in what a program says of itself; raises ProbeError where there is none."""
    match = re.search(r"(?<![\w.])v?([0-9]{1,9}(?:\.[0-9]{1,9})+|[0-9]{1,9}(?=(?:beta|rc|devel)))", text, re.ASCII)
    if not match:
        raise ProbeError(f"{what} could not be determined: no version in {one_line(text, 80)!r}")
    return Version(True, match[1], tuple(int(part) for part in match[1].split(".")), path)


@dataclass(frozen=True)
class CommandVersion(Question):
    """The version of a command on the host, as `COMMAND --version` says it.

    `command` is a name or an absolute path; `folders` are searched before the PATH that a plain login has there.
    Runs the command, for its version only; root has it run as the owner of its file. Privileges: to execute it.
    A missing command is a fact: found=False.
    """

    command: str
    folders: tuple[str, ...] = ()
    options: tuple[str, ...] = ("--version",)

    shell = ShellFile(__package__, "versions.sh")
    helpers = (OWNER,)

    @property
    def title(self) -> str:
        return f"the version of {self.command}"

    @property
    def arguments(self) -> tuple[str, ...]:
        return ":".join(self.folders), self.command, *self.options

    def parse(self, answer: Answer) -> Version:
        if answer.block("missing"):
            return Version(found=False)
        path, version = answer.block("path"), answer.block("version")
        if path is None or version is None:
            raise answer.failure(self.title)
        return version_of(self.title, "\n".join(version.lines), path.rest)
