"""Which commit a checkout is at, and since when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from opsverify.probes.host.question import Answer, Question, integer, moment
from opsverify.probes.host.release.checkout import COMMIT, no_checkout
from opsverify.probes.host.shell import CHECKOUT, FOLDER, OWNER
from opsverify.probes.host.shell_file import ShellFile


@dataclass(frozen=True)
class Deployed:
    """The commit that a checkout is at. All None where there is no checkout."""

    path: str
    commit: str | None = None
    branch: str | None = None
    """None: detached."""
    committed_at: datetime | None = None
    arrived_at: datetime | None = None
    """When the checkout got to this commit, by its own reflog; None where it keeps none."""


@dataclass(frozen=True)
class DeployedCommit(Question):
    """Which commit is deployed, and since when. Privileges: to read the checkout. Source: git-log(1), reflog."""

    checkout_path: str

    shell = ShellFile(__package__, "deployed_commit.sh")
    helpers = (FOLDER, OWNER, CHECKOUT)

    @property
    def title(self) -> str:
        return f"the deployed commit in {self.checkout_path}"

    @property
    def arguments(self) -> tuple[str, ...]:
        return (self.checkout_path,)

    def parse(self, answer: Answer) -> Deployed:
        if no_checkout(self.title, self.checkout_path, answer):
            return Deployed(self.checkout_path)
        head, branch, committed, arrived = (answer.block(n) for n in ("head", "branch", "committed", "arrived"))
        if head is None or branch is None or committed is None or arrived is None or not COMMIT.fullmatch(head.rest):
            raise answer.failure(self.title)
        return Deployed(
            self.checkout_path,
            head.rest,
            branch.rest or None,
            _when(committed.rest, "the time of the commit"),
            _when(arrived.rest, "the time of the deployment") if arrived.rest else None,
        )


def _when(text: str, what: str) -> datetime:
    return moment(integer(text, what), what)


__all__ = ["Deployed", "DeployedCommit"]
