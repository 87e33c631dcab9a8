"""What the operating system demands of passwords."""

from __future__ import annotations

import re
from dataclasses import dataclass

from opsverify.errors import MissingPrivilege, ProbeError
from opsverify.probes.host.question import Answer, Question, one_line
from opsverify.probes.host.shell_file import ShellFile

PWQUALITY_DEFAULT = 8
UNIX_DEFAULT = 6
"""What pam_pwquality(8) and pam_unix(8) demand where nothing is configured."""


@dataclass(frozen=True)
class PasswordPolicyFacts:
    """The policy for new passwords."""

    max_age_days: int | None
    """PASS_MAX_DAYS; None where it is not set. -1 is set, and means never."""
    min_length: int | None
    """None where passwords are not checked at all."""
    enforced_by: str
    """Where the length comes from, for people."""


@dataclass(frozen=True)
class PasswordPolicy(Question):
    """Maximum age and minimum length of passwords.

    The length in pwquality.conf counts only where PAM asks pam_pwquality; else pam_unix's own does. Privileges: none
    as these files are installed (mode 644). Source: login.defs(5), pwquality.conf(5), pam_pwquality(8), pam_unix(8).
    """

    shell = ShellFile(__package__, "password_policy.sh")

    @property
    def title(self) -> str:
        return "the password policy"

    def parse(self, answer: Answer) -> PasswordPolicyFacts:
        if answer.block("end") is None:
            raise answer.failure(self.title)
        blocks = answer.blocks()
        denied = [block.rest for block in blocks if block.name == "denied"]
        if denied:
            raise MissingPrivilege(f"{self.title}: this account may not read {', '.join(denied)} (grant r on it)")
        defs = [line for block in blocks if block.name == "defs" for line in block.lines]
        ages = [match[1] for line in defs if (match := re.match(r"\s*PASS_MAX_DAYS\s+(\S+)", line))]
        # pwquality.conf.d is read in order, and before pwquality.conf; the last one counts. pwquality.conf(5)
        quality = [(block.rest, line) for block in blocks if block.name == "quality" for line in block.lines]
        pam = [(block.rest, line) for block in blocks if block.name == "pam" for line in block.lines]
        length, by = _length(quality, pam)
        return PasswordPolicyFacts(_whole(ages[-1], "PASS_MAX_DAYS") if ages else None, length, by)


_MINLEN = re.compile(r"^\s*minlen\s*=?", re.IGNORECASE)
"""libpwquality takes "minlen 14", too, and a comment behind it."""


def _length(quality: list[tuple[str, str]], pam: list[tuple[str, str]]) -> tuple[int | None, str]:
    for file, line in pam:
        module = re.search(r"pam_(pwquality|cracklib)\.so(.*)", line)
        if module:
            given = re.search(r"\bminlen=(\S+)", module[2])
            if given:
                return _whole(given[1], "minlen"), f"pam_{module[1]} in {file}"
            if module[1] == "pwquality" and quality:
                where, text = quality[-1]
                return _whole(_MINLEN.sub("", text.partition("#")[0]).strip(), "minlen"), where
            return (PWQUALITY_DEFAULT, f"pam_{module[1]}'s default")
    for file, line in pam:
        module = re.search(r"pam_(unix)\.so(.*)", line)
        if module:
            given = re.search(r"\bminlen=(\S+)", module[2])
            return (_whole(given[1], "minlen") if given else UNIX_DEFAULT), f"pam_unix in {file}, without pam_pwquality"
    if pam:
        raise ProbeError("the password policy could not be determined: pam_passwdqc's rules are not understood")
    return None, "no PAM module that checks passwords"


def _whole(text: str, what: str) -> int:
    if not re.fullmatch(r"-?[0-9]{1,9}", text):
        raise ProbeError(f"{what} could not be determined: {one_line(text, 40)!r} is not a whole number")
    return int(text)


__all__ = ["PasswordPolicy", "PasswordPolicyFacts"]
