"""What somebody who is called at night looks at first (runbook chapter 障害対応フロー), as text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from opsverify.errors import ProbeError
from opsverify.probes.host.question import KIB, Answer, Question
from opsverify.probes.host.service import Engine
from opsverify.probes.host.shell import ENGINE, MAIN_PIDS, PATTERN, units
from opsverify.probes.host.shell_file import ShellFile

LINES = 100
MINUTES = 10
"""As the runbook has them: `tail -100`, `--since "10 minutes ago"`."""


@dataclass(frozen=True)
class Excerpt(Question):
    """The text of one first step. Read only; not redacted: whoever shows it must.

    `of` is a systemd unit (state, journal), a pid file (process), the path of a log (log; a * in it: the newest file),
    a container (container, printed), or "" (processes, space). Privileges: to read the log; the group adm or
    systemd-journal for the journal; for a container those of `ContainerState`.
    Source: systemctl(1), journalctl(1), ps(1), tail(1), free(1), df(1), docker-ps(1), docker-logs(1).
    """

    kind: Literal["state", "journal", "process", "container", "printed", "log", "processes", "space"]
    of: str = ""
    engine: Engine = "any"

    shell = ShellFile(__package__, "first_steps.sh")
    helpers = (ENGINE, MAIN_PIDS, PATTERN)
    seconds: ClassVar[float] = 6.0
    max_bytes: ClassVar[int] = 64 * KIB

    @property
    def title(self) -> str:
        return {
            "state": f"systemctl status {self.of}",
            "journal": f"journal of {self.of}, the last {MINUTES} minutes",
            "process": f"the process of {self.of}",
            "container": f"the container {self.of}",
            "printed": f"the last {LINES} lines of container {self.of}",
            "log": f"the last {LINES} lines of {self.of}",
            "processes": "the busiest processes",
            "space": "memory and disks",
        }[self.kind]

    @property
    def arguments(self) -> tuple[str, ...]:
        of = units(self.of) if self.kind in ("state", "journal") else (self.of, self.engine)
        return self.kind, str(MINUTES), str(LINES), *of

    def parse(self, answer: Answer) -> str:
        if answer.status != 0 and not answer.output:
            raise answer.failure(self.title)
        if not answer.text.strip():
            raise ProbeError(answer.complaint("nothing was said"))
        return answer.text


__all__ = ["Excerpt"]
