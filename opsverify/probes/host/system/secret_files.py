"""Who may read the files that hold a service's secrets."""

from __future__ import annotations

import re
from dataclasses import dataclass

from opsverify.errors import MissingPrivilege, ProbeError
from opsverify.probes.host.question import Answer, Question, one_line, quote


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
    in_unit: tuple[str, ...] = ()
    """Names of variables in the unit's Environment= that hold secrets: everybody may ask systemd for their values."""


_NAMES = "(PASSWORD|PASSWD|PASSPHRASE|SECRET|TOKEN|CREDENTIALS?|API_KEY|PRIVATE_KEY|DATABASE_URL)"


@dataclass(frozen=True)
class SecretFiles(Question):
    """The permissions of `paths`, and of the EnvironmentFile= files of a `unit`; which secrets are in the unit itself.

    No file is opened, and of the unit's variables only names are told. Privileges: to search the folders that the
    files lie in. Source: stat(1), systemctl(1) show, systemd.exec(5) ("Environment=").
    """

    paths: tuple[str, ...]
    unit: str | None = None

    @property
    def title(self) -> str:
        return f"the permissions of {', '.join(self.paths)}"

    def script(self) -> str:
        of_unit = ""
        if self.unit is not None:
            # EnvironmentFiles=/etc/mycats.env (ignore_errors=no), a line for each; "yes" is one that may be missing.
            of_unit = (
                f"systemctl show -p EnvironmentFiles -- {quote(self.unit)} 2>/dev/null | "
                "sed -n 's/^EnvironmentFiles=\\(.*\\) (ignore_errors=\\(.*\\))$/\\2 \\1/p' | "
                "while read -r optional f; do\n"
                '[ "$optional" = yes ] && ls -Ld -- "$f" 2>&1 | grep -q \'No such file\' || look "$f"\ndone\n'
                f"systemctl show -p Environment -- {quote(self.unit)} 2>/dev/null | sed 's/^Environment=/ /' | "
                f"grep -oE '[ \"][A-Z_0-9]*{_NAMES}=' | sed 's/^./== secret /; s/=$//'\n"
            )
        named = " ".join(quote(path) for path in self.paths)
        return (
            'look() {\nif s=$(stat -L -c "%a %U %u %G" -- "$1" 2>&1); then\n'
            'a=$(ls -Lld -- "$1" | cut -c 11); echo "== file $1"; echo "$s"; echo "${a:- }"\n'
            'else echo "== lost $1"; echo "$s"; fi\n}\n'
            f'for f in {named}; do look "$f"; done\n{of_unit}echo "== end"'
        )

    def parse(self, answer: Answer) -> SecretsKept:
        if answer.block("end") is None:
            raise answer.failure(self.title)
        found: dict[str, SecretFile] = {}
        for block in answer.blocks():
            if block.name == "lost":
                found[block.rest] = self._lost(block.rest, "\n".join(block.lines))
            elif block.name == "file":
                found[block.rest] = _file(block.rest, block.lines)
        if not set(self.paths) <= found.keys():
            raise answer.failure(self.title)
        names = dict.fromkeys(one_line(block.rest, 60) for block in answer.blocks() if block.name == "secret")
        return SecretsKept(tuple(found.values()), tuple(names))

    def _lost(self, path: str, said: str) -> SecretFile:
        if re.search("permission denied", said, re.IGNORECASE):
            raise MissingPrivilege(
                f"{self.title} could not be determined: this account may not search the folder of {path}"
                " (grant x on it)"
            )
        if re.search("No such file|not a directory", said, re.IGNORECASE):
            return SecretFile(path, exists=False)
        raise ProbeError(f"{self.title} could not be determined: {one_line(said) or 'stat gave no reason'}")


def _file(path: str, lines: list[str]) -> SecretFile:
    match = re.fullmatch(r"([0-7]{1,4}) (\S+) (\d+) (\S+)", lines[0] if lines else "", re.ASCII)
    if match is None or len(lines) < 2:
        raise ProbeError(f"the permissions of {path} could not be determined: they were not understood")
    mode, user, uid, group = match.groups()
    return SecretFile(path, True, mode, uid if user == "UNKNOWN" else user, group, has_acl=lines[1] == "+")


__all__ = ["SecretFile", "SecretFiles", "SecretsKept"]
