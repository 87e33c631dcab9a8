"""Whether a log is written, and how far back it is kept; whatever is in it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from opsverify.errors import MissingPrivilege, ProbeError
from opsverify.evidence.age import age
from opsverify.probes.host.files.listing import clock
from opsverify.probes.host.logs.window import LogQuestion, Source
from opsverify.probes.host.question import Answer, integer, moment, one_line
from opsverify.probes.host.shell_file import ShellFile


@dataclass(frozen=True)
class LogStateFacts:
    """A log's ends. Ages are counted from `observed_at`, the host's clock."""

    source: str
    exists: bool
    observed_at: datetime
    files: int = 0
    newest: str = ""
    """The name of the file that holds the last entry, or the one that is written now; only files have one."""
    size_bytes: int | None = None
    """Of the file that is written now."""
    last: datetime | None = None
    """Its last entry, or where entries have no times that are known, when it was last written."""
    first: datetime | None = None
    """The first entry of the oldest file that is kept, or when that was last written."""

    @property
    def silent_hours(self) -> float | None:
        """Since its last entry; None where it has none. Raises ProbeError for one that is still to come."""
        if self.last is None:
            return None
        return age(self.observed_at, self.last, f"the last entry of {self.source}") / timedelta(hours=1)

    @property
    def kept_days(self) -> float | None:
        """Since its first entry; None where it has none."""
        return None if self.first is None else (self.observed_at - self.first).total_seconds() / 86400


@dataclass(frozen=True)
class LogState(LogQuestion):
    """The last entry of a log, and its first one with all rotated files.

    Privileges: to read the log, or the journal (group systemd-journal). Source: stat(1), journalctl(1).
    """

    source: Source

    shell = ShellFile(__package__, "log_state.sh")

    @property
    def arguments(self) -> tuple[str, ...]:
        return self.source.arguments

    def parse(self, answer: Answer) -> LogStateFacts:
        name = self.source.name
        if answer.block("nosystemd"):
            raise ProbeError(f"{name} could not be read: the host has no systemd")
        if answer.block("hidden"):
            raise MissingPrivilege(f"{name} may not be read by this account: add it to the group systemd-journal")
        unreadable = answer.block("unreadable")
        if unreadable:
            raise MissingPrivilege(
                f"{one_line(unreadable.rest)} may not be read by this account: let its group read it"
            )
        missing = answer.block("nolog")
        if missing and "ermission denied" in missing.rest:
            raise MissingPrivilege(f"{name} may not be looked for by this account: let it enter that folder")
        if missing:
            now = answer.block("clock") or answer.block("window")
            text = now.rest.split(" ")[-1] if now else ""
            return LogStateFacts(name, False, moment(integer(text, "the host's clock"), "the host's clock"))
        files, newest = answer.block("files"), answer.block("newest")
        if files is None or (newest is None and self.source.path is not None):
            raise answer.failure(name)
        size, _, file = (newest.rest if newest else "").partition(" ")
        holder = answer.block("holder")
        return LogStateFacts(
            name,
            True,
            clock(answer),
            files=integer(files.rest.strip(), "the number of files"),
            newest=one_line(holder.rest if holder else file),
            size_bytes=integer(size, "the size of the log") if size else None,
            last=_time(answer, "last"),
            first=_time(answer, "first"),
        )


def _time(answer: Answer, name: str) -> datetime | None:
    block = answer.block(name)
    return moment(integer(block.rest, f"the {name} entry"), f"the {name} entry") if block else None


__all__ = ["LogState", "LogStateFacts"]
