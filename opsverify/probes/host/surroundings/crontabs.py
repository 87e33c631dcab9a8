"""What cron runs."""

from __future__ import annotations

from dataclasses import dataclass

from opsverify.probes.host.question import Answer, Question
from opsverify.probes.host.shell_file import ShellFile
from opsverify.probes.host.surroundings.hidden import ended, hidden
from opsverify.probes.host.surroundings.units import MENTIONED


@dataclass(frozen=True)
class CronJob:
    """A line of a crontab. `files`: those that it mentions, `logs`: those that its output goes to."""

    crontab: str
    when: str
    files: tuple[str, ...]
    logs: tuple[str, ...]


@dataclass(frozen=True)
class CrontabsSeen:
    """`hidden`: the crontabs that could not be read."""

    jobs: tuple[CronJob, ...]
    hidden: tuple[str, ...] = ()


@dataclass(frozen=True)
class Crontabs(Question):
    """The lines of every crontab that may be read: when, which files they mention, and where their output goes.

    Privileges: none for /etc/crontab and /etc/cron.d; crontabs of other accounts need root. Source: crontab(5).
    """

    shell = ShellFile(__package__, "crontabs.sh")
    helpers = (MENTIONED,)

    def parse(self, answer: Answer) -> CrontabsSeen:
        ended(answer, "the crontabs")
        jobs = []
        for block in answer.blocks():
            if block.name == "job":
                told: dict[str, list[str]] = {}
                for line in block.lines:
                    key, _, rest = line.partition(" ")
                    told.setdefault(key, []).append(rest)
                files = tuple(word for word in told.get("word", []) if "/" in word or "." in word)
                logs = tuple(log for log in dict.fromkeys(told.get("log", [])) if log != "/dev/null")
                jobs.append(CronJob(block.rest, "".join(told.get("when", [])[:1]), files, logs))
        return CrontabsSeen(tuple(jobs), hidden(answer))


__all__ = ["CronJob", "Crontabs", "CrontabsSeen"]
