"""The head of a branch, as its remote says now."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar

from opsverify.errors import ProbeError
from opsverify.probes.host.question import Answer, Question, one_line
from opsverify.probes.host.release.checkout import COMMIT, no_checkout
from opsverify.probes.host.release.named_commit import Intended
from opsverify.probes.host.shell import CHECKOUT, FOLDER, OWNER
from opsverify.probes.host.shell_file import ShellFile

LOOK_UP_SECONDS = 6


@dataclass(frozen=True)
class BranchHead(Question):
    """The head of a branch, as the remote itself says now; what was last fetched proves nothing about it.

    Contacts the remote that the checkout's configuration names, for a few seconds at most and without asking anybody
    for a password. Of that configuration, only the address and the keys that core.sshCommand names are heeded.
    Privileges: to read the checkout, and whatever the remote asks for. Source: git-ls-remote(1).
    """

    checkout_path: str
    remote: str
    branch: str

    shell = ShellFile(__package__, "branch_head.sh")
    helpers = (FOLDER, OWNER, CHECKOUT)
    slow: ClassVar[bool] = True
    seconds: ClassVar[float] = LOOK_UP_SECONDS + 2

    @property
    def title(self) -> str:
        return f"the head of {self.remote}/{self.branch}"

    @property
    def arguments(self) -> tuple[str | int, ...]:
        return self.checkout_path, self.remote, self.branch, LOOK_UP_SECONDS

    def parse(self, answer: Answer) -> Intended:
        name = f"{self.remote}/{self.branch}"
        if no_checkout(self.title, self.checkout_path, answer):
            return Intended(name, None, f"the head of {name}")
        tracked, heads, status = (answer.block(block) for block in ("tracked", "heads", "status"))
        if tracked is None or heads is None or status is None:
            raise answer.failure(self.title)
        last = f"; it was {tracked.rest[:12]} when last fetched" if COMMIT.fullmatch(tracked.rest) else ""
        if status.rest != "0":
            late = status.rest in ("124", "143")
            reason = f"no answer within {LOOK_UP_SECONDS} s" if late else answer.complaint("git gave no reason")
            raise ProbeError(
                f"{self.title} could not be determined: the host cannot ask the remote ({_plain(reason)}){last}; "
                "say with --revision which commit was meant"
            )
        commit_hash = [line.split("\t") for line in heads.lines if line.strip()]
        commit = next((parts[0] for parts in commit_hash if parts[1:] == [f"refs/heads/{self.branch}"]), None)
        if commit is None:
            raise ProbeError(f"{self.title} could not be determined: the remote has no branch {self.branch}{last}")
        if not COMMIT.fullmatch(commit):
            raise ProbeError(f"{self.title} could not be determined: {one_line(commit, 40)!r} is no commit")
        return Intended(name, commit, f"the head of {name}")


def _plain(message: str) -> str:
    """Without user and password, which a remote's address may hold."""
    return re.sub(r"(?<=://)[^/@\s']*@", "", message)


__all__ = ["LOOK_UP_SECONDS", "BranchHead"]
