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
    in_unit: tuple[str, ...] | None = ()
    """Names of variables in the unit's Environment= that hold secrets: everybody may ask systemd for their values.
    None where systemd does not tell what the unit sets."""


# Reads what `systemctl show` says, and names variables only. One item a variable, in quotes of C or of the shell where
# it needs them. Of a URL only a password is a secret, and what names the file of a key is none.
_SECRETS_OF_A_UNIT = r"""
function secret(name, value) {
if (value == "" || name ~ /^NEXT_PUBLIC_|PUBLIC_KEY|PUBLISHABLE/) return 0
if (value ~ /:\/\//) return value ~ /:\/\/[^\/@]*:[^\/@]+@/ || value ~ /[?&]password=[^&]/
if (name ~ /(KEY|CREDENTIALS?)$/ && value ~ /^\/[A-Za-z0-9._@-]+(\/[A-Za-z0-9._@-]+)+$/) return 0
sub(/_(OLD|NEW|PREVIOUS|BASE|BASE64|[0-9]+)$/, "", name)
return name ~ /(PASSWORD|PASSWD|PASSPHRASE|SECRET|TOKEN|CREDENTIALS?|APIKEY|_KEY|_PASS|_PWD)$/
}
/^LoadState=(loaded|masked)/ { print "== unit" }
/^Environment=/ { rest = substr($0, 13); sub(/^ +/, "", rest)
while (rest != "") {
if (!match(rest, /^"([^"\\]|\\.)*"/) && !match(rest, /^\$\047([^\047\\]|\\.)*\047/)) match(rest, /^[^ ]+/)
item = substr(rest, 1, RLENGTH); rest = substr(rest, RLENGTH + 1); sub(/^ +/, "", rest)
sub(/^("|\$\047)/, "", item); sub(/["\047]$/, "", item)
i = index(item, "="); name = substr(item, 1, i - 1)
if (name ~ /^[A-Za-z_][A-Za-z0-9_]*$/ && secret(toupper(name), substr(item, i + 1))) print "== secret " name
} }
"""


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

    @property
    def title(self) -> str:
        return f"the permissions of {', '.join(self.paths)}" if self.paths else f"the secrets of {self.unit}"

    def script(self) -> str:
        of_unit = ""
        if self.unit is not None:
            of_unit = (
                f"systemctl show -p LoadState -p Environment -- {quote(self.unit)} 2>/dev/null | "
                f"awk {quote(_SECRETS_OF_A_UNIT)}\n"
            )
        if self.unit is not None and self.unit_files:
            # EnvironmentFiles=/etc/mycats.env (ignore_errors=no), a line for each; "yes" is one that may be missing.
            # It may be a pattern: systemd.exec(5).
            of_unit += (
                f"systemctl show -p EnvironmentFiles -- {quote(self.unit)} 2>/dev/null | "
                "sed -n 's/^EnvironmentFiles=\\(.*\\) (ignore_errors=\\(.*\\))$/\\2 \\1/p' | "
                "while IFS=' ' read -r optional pattern; do IFS=; for f in $pattern; do\n"
                '[ "$optional" = yes ] && ls -Ld -- "$f" 2>&1 | grep -q \'No such file\' || look "$f"\ndone; done\n'
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
        told = self.unit is None or answer.block("unit") is not None
        return SecretsKept(tuple(found.values()), tuple(names) if told else None)

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
