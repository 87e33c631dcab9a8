"""Logs that people and small scripts write, `$(date): what happened`, a line for each thing that happened."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from opsverify.errors import MissingPrivilege
from opsverify.probes.host.files.listing import clock
from opsverify.probes.host.logs.dates import host_zone, printed_date
from opsverify.probes.host.question import KIB, Answer, Question, one_line
from opsverify.probes.host.shell_file import ShellFile

READ_BYTES = 128 * KIB


@dataclass(frozen=True)
class Line:
    """One line. `when` is None where it does not begin with a time that is known; `what` is the text after it."""

    when: datetime | None
    what: str


@dataclass(frozen=True)
class WrittenLog:
    """The lines that match, as they stand there, the last one last."""

    path: str
    exists: bool
    observed_at: datetime
    """The host's clock."""
    lines: tuple[Line, ...] = ()
    total: int = 0
    """How many lines its end has that was read, whether they match or not."""


@dataclass(frozen=True)
class WrittenLines(Question):
    """The last lines of a log that hold one of `words`, with their times. Only its end is read (128 KiB).

    Privileges: to read the log. Source: date(1), in the locales that `dates` knows.
    """

    path: str
    words: tuple[str, ...]
    newest: int = 100

    shell = ShellFile(__package__, "written.sh")

    @property
    def title(self) -> str:
        return self.path

    @property
    def arguments(self) -> tuple[str | int, ...]:
        return self.path, READ_BYTES, self.newest, *self.words

    def parse(self, answer: Answer) -> WrittenLog:
        missing = answer.block("nolog")
        if answer.block("unreadable") or (missing and "ermission denied" in missing.rest):
            raise MissingPrivilege(f"{self.path} may not be read by this account: let its group read it")
        now = clock(answer)
        if missing:
            return WrittenLog(self.path, False, now)
        zone, lines, total = answer.block("zone"), answer.block("lines"), answer.block("total")
        if zone is None or lines is None or total is None or answer.block("end") is None:
            raise answer.failure(self.path, "it ended early")
        here, name = host_zone(zone.rest)
        entries = tuple(_line(line.removeprefix("| "), here, name) for line in lines.lines)
        return WrittenLog(self.path, True, now, entries, int(total.rest) if total.rest.isdecimal() else 0)


def _line(line: str, here: timedelta, zone: str) -> Line:
    """`<date>: <what>`: the date's own colons stand between digits."""
    clean = one_line(line, 400)
    head, separator, what = clean.partition(": ")
    if not separator:
        return Line(None, clean)
    return Line(printed_date(head, here, zone), what.strip())


__all__ = ["Line", "WrittenLines", "WrittenLog"]
