"""What a checkout calls its version."""

from __future__ import annotations

import json
from dataclasses import dataclass

from opsverify.errors import ProbeError
from opsverify.probes.host.question import Answer, Question, one_line
from opsverify.probes.host.shell_file import ShellFile


@dataclass(frozen=True)
class PackageVersion(Question):
    """The version in the package.json of a checkout, a str; None where there is no checkout to look at.

    Privileges: to read the file. Source: package.json's `version`.
    """

    folder: str | None

    shell = ShellFile(__package__, "package_version.sh")

    @property
    def title(self) -> str:
        return f"the version in {self.folder}/package.json"

    @property
    def arguments(self) -> tuple[str, ...]:
        return (self.folder or "",)

    def parse(self, answer: Answer) -> str | None:
        if self.folder is None:
            return None
        if answer.status != 0:
            raise answer.failure(self.title)
        try:
            version = json.loads(answer.text)["version"]
        except (ValueError, TypeError, KeyError, RecursionError):
            version = None
        if not isinstance(version, str) or not version.strip():
            raise ProbeError(f"{self.title} could not be determined: it names none")
        return one_line(version, 60)


__all__ = ["PackageVersion"]
