"""What a hash or a tag, named to the run, means in a checkout."""

from __future__ import annotations

import re
from dataclasses import dataclass

from opsverify.probes.host.question import Answer, Question
from opsverify.probes.host.release.checkout import COMMIT, no_checkout
from opsverify.probes.host.shell import CHECKOUT, FOLDER, OWNER
from opsverify.probes.host.shell_file import ShellFile


@dataclass(frozen=True)
class Intended:
    """The commit that was meant to be deployed, and who says so. `commit` is None where the checkout has none such."""

    name: str
    commit: str | None
    source: str


@dataclass(frozen=True)
class NamedCommit(Question):
    """What a hash or a tag means in a checkout. Privileges: to read the checkout. Source: git-rev-parse(1).

    Nothing else is looked up: what HEAD or a branch means there is what is deployed, whatever was meant.
    """

    checkout_path: str
    name: str

    shell = ShellFile(__package__, "named_commit.sh")
    helpers = (FOLDER, OWNER, CHECKOUT)

    @property
    def title(self) -> str:
        return f"the commit {self.name} in {self.checkout_path}"

    @property
    def arguments(self) -> tuple[str, ...]:
        return self.checkout_path, self.name, self.name if self._hash else ""

    @property
    def _hash(self) -> bool:
        return bool(re.fullmatch(r"[0-9a-f]{7,64}", self.name))

    def parse(self, answer: Answer) -> Intended:
        source, name = "as the run was told", self.name if self._hash else f"tag {self.name}"
        if no_checkout(self.title, self.checkout_path, answer):
            return Intended(name, None, source)
        tag, commit = answer.block("tag"), answer.block("commit")
        if tag is None or commit is None:
            raise answer.failure(self.title)
        # A tag may look like a hash (20260101); so may a branch, and then it comes before the hash.
        commit_hash = tag.rest or (commit.rest if commit.rest.startswith(name) else "")
        return Intended(name, commit_hash if COMMIT.fullmatch(commit_hash) else None, source)


__all__ = ["Intended", "NamedCommit"]
