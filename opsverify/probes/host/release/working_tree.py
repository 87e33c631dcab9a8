"""What in a checkout differs from its commit."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar

from opsverify.errors import MissingPrivilege, ProbeError
from opsverify.probes.host.question import MIB, Answer, Question, one_line
from opsverify.probes.host.release.checkout import no_checkout
from opsverify.probes.host.shell import CHECKOUT, FOLDER, OWNER
from opsverify.probes.host.shell_file import ShellFile


@dataclass(frozen=True)
class LocalChanges:
    """What in a checkout differs from its commit, as `git status` writes it: " M backend/src/main.ts"."""

    path: str
    exists: bool
    changes: tuple[str, ...] = ()


@dataclass(frozen=True)
class WorkingTree(Question):
    """Local modifications of a checkout, those too that git was told to overlook (skip-worktree, assume-unchanged).

    Privileges: to read every file in it. Source: git-status(1), porcelain v1; git-ls-files(1), -v and -s.
    """

    checkout_path: str
    untracked: bool = False

    shell = ShellFile(__package__, "working_tree.sh")
    helpers = (FOLDER, OWNER, CHECKOUT)
    slow: ClassVar[bool] = True
    max_bytes: ClassVar[int] = MIB

    @property
    def title(self) -> str:
        return f"local changes in {self.checkout_path}"

    @property
    def arguments(self) -> tuple[str, ...]:
        return self.checkout_path, "normal" if self.untracked else "no"

    def parse(self, answer: Answer) -> LocalChanges:
        if no_checkout(self.title, self.checkout_path, answer):
            return LocalChanges(self.checkout_path, exists=False)
        changes = answer.block("changes")
        if changes is None or answer.block("end") is None:
            raise answer.failure(self.title)
        lines = [line for line in changes.lines if line]
        for line in lines:
            if not re.match(r"[ MTADRCU?!]{2} .", line):
                raise ProbeError(f"{self.title} could not be determined: {one_line(line, 40)!r} is no line of git's")
        # A file that this account may not read looks like a changed one, or like none.
        if answer.denied:
            raise MissingPrivilege(
                f"{self.title} could not be determined: this account may not read all of it ({one_line(answer.errors)})"
            )
        return LocalChanges(self.checkout_path, exists=True, changes=tuple(lines))


__all__ = ["LocalChanges", "WorkingTree"]
