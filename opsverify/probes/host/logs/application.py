"""The application's log: JSON lines, mixed with coloured text and blocks of several lines."""

from __future__ import annotations

from dataclasses import dataclass

from opsverify.probes.host.logs.complaints import Complaint, Complaints
from opsverify.probes.host.logs.summary import counted, ended
from opsverify.probes.host.logs.window import MOST_BYTES, LogQuestion, Source, Window, read_window
from opsverify.probes.host.question import Answer, integer, moment, one_line
from opsverify.probes.host.shell_file import ShellFile

KINDS_KEPT = 200
NONE = Complaints()


@dataclass(frozen=True)
class ApplicationFacts:
    """The errors in the application's log."""

    window: Window
    errors: Complaints = NONE
    own: int = 0
    """Errors that requests of the suite itself met, which are none of `errors`."""
    unlevelled: int = 0
    """JSON entries that have no level: whether they are errors is not known."""


@dataclass(frozen=True)
class ApplicationLog(LogQuestion):
    """Entries of level error and worse, ERROR and FATAL in text, `prisma:error` blocks, and ends of Node.js.

    A level is a JSON entry's own `level` or `severity`, or what other loggers call it: pino's and bunyan's numbers from
    50, syslog's up to 3, or a name. PM2 and syslog may write something before an entry. A block has no time of its own:
    it belongs to the entry that follows it. Of an entry, its message, context and path are shown, without queries.
    Privileges: to read the log, or the journal (group systemd-journal), or to ask the engine of a container.
    Source: pino's API ("Logger levels"), RFC 5424 (6.2.1), Google Cloud's LogSeverity, NestJS's ConsoleLogger, Node.js
    itself for how it ends.
    """

    source: Source
    hours: float
    most_bytes: int = MOST_BYTES

    shell = ShellFile(__package__, "application.sh")
    program = ShellFile(__package__, "application.awk")

    @property
    def arguments(self) -> tuple[str | int, ...]:
        return *self.source.plan(self.hours, self.most_bytes), KINDS_KEPT, self.program.text

    def parse(self, answer: Answer) -> ApplicationFacts:
        window = read_window(self.source, self.hours, answer)
        if not window.exists:
            return ApplicationFacts(window)
        ended(answer, self.title)
        more = answer.block("more")
        errors = [_complaint(block.rest) for block in answer.blocks() if block.name == "error"]
        errors.sort(key=lambda complaint: (complaint.newest, complaint.text), reverse=True)
        own, unlevelled = answer.block("own"), answer.block("unlevelled")
        return ApplicationFacts(
            window,
            Complaints(tuple(errors), integer(more.rest if more else "", "more errors")),
            integer(own.rest if own else "0", "errors of our own"),
            integer(unlevelled.rest if unlevelled else "0", "entries without a level"),
        )


def _complaint(rest: str) -> Complaint:
    count, what = counted(rest)
    when, _, text = what.partition(" ")
    return Complaint(one_line(text, 300), count, moment(integer(when, "an error's time"), "an error's time"))


__all__ = ["ApplicationFacts", "ApplicationLog"]
