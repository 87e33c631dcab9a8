"""Who may read the files that hold a service's secrets."""

from __future__ import annotations

import re
from dataclasses import dataclass

from opsverify.errors import MissingPrivilege, ProbeError
from opsverify.probes.host.question import Answer, Question, one_line
from opsverify.probes.host.shell_file import ShellFile


@dataclass(frozen=True)
class SecretFile:
    """A file and its permissions; `mode` is octal, "640", of what a symbolic link leads to."""

    path: str
    exists: bool
    mode: str = ""
    owner: str = ""
    group: str = ""
    has_acl: bool = False
    """It has an access control list, which can let in others than the mode says."""

    def exceeds(self, allowed: str) -> bool:
        """Whether the mode grants anything that `allowed` (octal) does not."""
        return bool(int(self.mode, 8) & 0o777 & ~int(allowed, 8))


@dataclass(frozen=True)
class SecretsKept:
    """Where a service's secrets lie."""

    files: tuple[SecretFile, ...]
    in_unit: tuple[str, ...] | None = ()
    """Names of variables in the unit's Environment= that hold secrets: everybody may ask systemd for their values.
    None where systemd does not tell what the unit sets."""


@dataclass(frozen=True)
class SecretFiles(Question):
    """The permissions of `paths`, and of the EnvironmentFile= files of a `unit`; which secrets are in the unit itself.

    Without `unit_files`, those of the unit are left out: they need not hold secrets. No file is opened, and of the
    unit's variables only names are told. Privileges: to search the folders that the files lie in. Source: stat(1),
    systemctl(1) show, systemd.exec(5) ("Environment=").
    """

    paths: tuple[str, ...]
    unit: str | None = None
    unit_files: bool = True

    shell = ShellFile(__package__, "secret_files.sh")
    program = ShellFile(__package__, "unit_secrets.awk")

    @property
    def title(self) -> str:
        return f"the permissions of {', '.join(self.paths)}" if self.paths else f"the secrets of {self.unit}"

    @property
    def arguments(self) -> tuple[str, ...]:
        return self.unit or "", "files" if self.unit_files else "", self.program.text, *self.paths

    def parse(self, answer: Answer) -> SecretsKept:
        if answer.block("end") is None:
            raise answer.failure(self.title)
        files: dict[str, SecretFile] = {}
        for block in answer.blocks():
            if block.name == "lost":
                files[block.rest] = self._lost(block.rest, "\n".join(block.lines))
            elif block.name == "file":
                files[block.rest] = _file(block.rest, block.lines)
        if not set(self.paths) <= files.keys():
            raise answer.failure(self.title)
        names = dict.fromkeys(one_line(block.rest, 60) for block in answer.blocks() if block.name == "secret")
        unit_asked = self.unit is None or answer.block("unit") is not None
        return SecretsKept(tuple(files.values()), tuple(names) if unit_asked else None)

    def _lost(self, path: str, error_text: str) -> SecretFile:
        if re.search("permission denied", error_text, re.IGNORECASE):
            raise MissingPrivilege(
                f"{self.title} could not be determined: this account may not search the folder of {path}"
                " (grant x on it)"
            )
        if re.search("No such file|not a directory", error_text, re.IGNORECASE):
            return SecretFile(path, exists=False)
        raise ProbeError(f"{self.title} could not be determined: {one_line(error_text) or 'stat gave no reason'}")


def _file(path: str, lines: list[str]) -> SecretFile:
    match = re.fullmatch(r"([0-7]{1,4}) (\S+) (\d+) (\S+)", lines[0] if lines else "", re.ASCII)
    if match is None or len(lines) < 2:
        raise ProbeError(f"the permissions of {path} could not be determined: they were not understood")
    mode, user, uid, group = match.groups()
    return SecretFile(path, True, mode, uid if user == "UNKNOWN" else user, group, has_acl=lines[1] == "+")


__all__ = ["SecretFile", "SecretFiles", "SecretsKept"]
