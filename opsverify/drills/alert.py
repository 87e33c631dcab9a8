"""A test alert, sent for real by the runbook's own script, and awaited where it should arrive.

It may run that one script, once, and read the place of arrival. Whatever the script does is meant to happen: a person
may be called.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from opsverify.errors import MissingPrivilege, ProbeError
from opsverify.probes.host.probe import probe
from opsverify.probes.host.question import Answer, Question, integer, one_line
from opsverify.probes.host.shell_file import ShellFile

if TYPE_CHECKING:
    from opsverify.config.environment import Host
    from opsverify.evidence.deadline import Deadline


@dataclass(frozen=True)
class SentAlert:
    """How a test alert went."""

    message: str
    """What was sent, to be looked for: unique for each time."""
    status: int
    """The script's exit status."""
    arrived: bool | None
    """Whether it showed in time; None where there is no place to look."""
    seconds: float = 0.0
    """Until it did, or how long was waited."""


@dataclass(frozen=True)
class SendAlert(Question):
    """SENDS A TEST ALERT by the script and waits until it shows below `arrives_in`: a drill, not a look.

    Privileges: to execute the script, and to read the place of arrival.
    """

    path: str
    arrives_in: str | None
    arrival_seconds: float

    shell = ShellFile(__package__, "alert.sh")
    slow: ClassVar[bool] = True
    seconds: ClassVar[float] = 3600.0

    @property
    def title(self) -> str:
        return f"the test alert by {self.path}"

    @property
    def arguments(self) -> tuple[str, ...]:
        return self.path, str(max(1, round(self.arrival_seconds))), self.arrives_in or ""

    def parse(self, answer: Answer) -> SentAlert:
        if answer.block("notexecutable"):
            raise MissingPrivilege(f"{self.path} may not be executed by this account, so no test alert was sent")
        message, status, arrived = (answer.block(name) for name in ("message", "status", "arrived"))
        if message is None or status is None:
            raise answer.failure(self.title, "it did not end")
        code = integer(status.rest, "the script's exit status")
        if arrived is None:
            raise ProbeError(f"{self.title} was sent, but the wait for it ended early")
        there, _, seconds = arrived.rest.partition(" ")
        shown = there == "1" if self.arrives_in else None
        return SentAlert(one_line(message.rest), code, shown, integer(seconds, "the time of arrival"))


def drill_probe(target: Host, questions: frozenset[Question], deadline: Deadline) -> Mapping[Question, Any]:
    """Ask through a session of its own, so that nobody else waits for the drill, and no look at a host writes."""
    return probe(target, questions, deadline)


__all__ = ["SendAlert", "SentAlert", "drill_probe"]
