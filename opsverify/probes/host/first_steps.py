"""What somebody who is called at night looks at first (runbook chapter 障害対応フロー), as text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from opsverify.errors import ProbeError
from opsverify.probes.host.question import KIB, Answer, Question, quote
from opsverify.probes.host.shell import MAIN_PIDS, units

LINES = 100
MINUTES = 10
"""As the runbook has them: `tail -100`, `--since "10 minutes ago"`."""


@dataclass(frozen=True)
class Excerpt(Question):
    """The text of one first step. Read only; not redacted: whoever shows it must.

    `of` is a systemd unit (state, journal), a pid file (process), the path of a log (log; a * in it: the newest file),
    or "" (processes, space). Privileges: to read the log; the group adm or systemd-journal for the journal.
    Source: systemctl(1), journalctl(1), ps(1), tail(1), free(1), df(1).
    """

    kind: Literal["state", "journal", "process", "log", "processes", "space"]
    of: str = ""

    helpers = (MAIN_PIDS,)
    seconds: ClassVar[float] = 6.0
    max_bytes: ClassVar[int] = 64 * KIB

    @property
    def title(self) -> str:
        return {
            "state": f"systemctl status {self.of}",
            "journal": f"journal of {self.of}, the last {MINUTES} minutes",
            "process": f"the process of {self.of}",
            "log": f"the last {LINES} lines of {self.of}",
            "processes": "the busiest processes",
            "space": "memory and disks",
        }[self.kind]

    def script(self) -> str:
        of = quote(self.of)
        # Without arguments: those of a process may hold a secret that no rule knows.
        columns = "pid,ppid,user,pcpu,pmem,etime,stat,comm"
        match self.kind:
            case "state":
                return f"systemctl status --no-pager --full --lines=0 -- {' '.join(map(quote, units(self.of)))}; exit 0"
            case "journal":
                names = " ".join(f"-u {quote(name)}" for name in units(self.of))
                return f'journalctl --no-pager -q -o short-iso {names} --since "{MINUTES} minutes ago" -n 400'
            case "process":
                return f'p=$(file_pid {of}) || exit 4; ps -o {columns} -p "$p"; exit 0'
            case "log":
                newest = of.replace("*", "'*'")  # `of` stands in single quotes where it holds one
                return f'f=$(ls -t -- {newest} | head -n 1); [ -n "$f" ] || exit 4; tail -n {LINES} -- "$f"'
            case "processes":
                # BusyBox's ps knows neither these columns nor --sort, but its top shows the same.
                return (
                    f'p=$(ps -eo {columns} --sort=-pcpu 2>/dev/null) || p=$(top -bn1)\nprintf "%s\\n" "$p" | head -n 20'
                )
            case "space":
                return "free -h 2>/dev/null || head -n 5 /proc/meminfo; df -h 2>/dev/null; exit 0"

    def parse(self, answer: Answer) -> str:
        if answer.status != 0 and not answer.output:
            raise answer.failure(self.title)
        if not answer.text.strip():
            raise ProbeError(answer.complaint("nothing was said"))
        return answer.text


__all__ = ["Excerpt"]
