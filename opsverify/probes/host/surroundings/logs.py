"""Files that are logs."""

from __future__ import annotations

from dataclasses import dataclass

from opsverify.probes.host.question import Answer, Question
from opsverify.probes.host.shell_file import ShellFile
from opsverify.probes.host.surroundings.hidden import ended, hidden


@dataclass(frozen=True)
class LogsSeen:
    """`readable` and `unreadable` lie where logs do; a process holds `open` ones open for writing."""

    readable: tuple[str, ...]
    unreadable: tuple[str, ...] = ()
    open: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()

    def has(self, path: str) -> bool:
        """Whether it was seen, readable or not."""
        return path in self.readable or path in self.unreadable or path in self.open


@dataclass(frozen=True)
class LogFiles(Question):
    """The log files of nginx, PostgreSQL, sshd and others below /var/log, and those that processes hold open.

    Privileges: the group adm to list them all; which ones others hold open needs root. Source: proc(5), /proc/PID/fd.
    """

    shell = ShellFile(__package__, "logs.sh")

    def parse(self, answer: Answer) -> LogsSeen:
        ended(answer, "the logs")

        def named(name: str) -> tuple[str, ...]:
            return tuple(block.rest for block in answer.blocks() if block.name == name)

        return LogsSeen(named("log"), named("unreadable"), named("open"), hidden(answer))


__all__ = ["LogFiles", "LogsSeen"]
