"""The part of a log that is judged: its last hours, read from the end, so that a log's age and size cost nothing.

A log is a family of files (`access.log`, `access.log.1`, `access.log.2.gz`), the journal of a unit, or what a
container printed. From the newest file backwards, growing chunks are looked into until one begins before the window;
only then the lines are read, once, and summed up on the host. What a bound cuts off is said: `Window.complete`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from opsverify.errors import MissingPrivilege, ProbeError
from opsverify.probes.host.question import MIB, Answer, Question, integer, moment, one_line
from opsverify.probes.host.service import Engine
from opsverify.probes.host.shell import ENGINE, JOURNAL, PATTERN
from opsverify.probes.host.shell_file import AwkFunctions, ShellFile

WHEN = AwkFunctions(__package__, "when.awk")
PRINTED = AwkFunctions(__package__, "printed.awk")
WINDOW = ShellFile(__package__, "window.sh")

MOST_BYTES = 64 * MIB
"""How much of one log is read at most: a second or so of a server's processor."""

EDGE = timedelta(minutes=5)
"""A log whose first line comes so soon after the window's beginning covers it."""


@dataclass(frozen=True)
class Source:
    """Where a log is: `path`, whose name may hold a `*`, the systemd `unit` whose journal it is, or the `container`."""

    path: str | None = None
    unit: str | None = None
    container: str | None = None
    engine: Engine = "any"

    @property
    def name(self) -> str:
        return self.path or (f"the journal of {self.unit}" if self.unit else f"the log of container {self.container}")

    @property
    def arguments(self) -> tuple[str, str]:
        """How the shell functions of window.sh are told of it."""
        if self.container is not None:
            return self.engine, self.container
        return ("unit", self.unit) if self.unit is not None else ("file", self.path or "")

    def plan(self, hours: float, most_bytes: int) -> tuple[str | int, ...]:
        """The arguments of `plan` in window.sh, which prepares `feed` and prints what that covers."""
        return round(hours * 3600), most_bytes, *self.arguments


@dataclass(frozen=True)
class Window:
    """Which part of a log was read."""

    source: str
    hours: float
    """As asked for."""
    exists: bool
    since: datetime
    """The beginning of what was asked for, by the host's clock; `until` is its end, the moment of reading."""
    until: datetime
    first: datetime | None = None
    """The first entry inside the window; `last` the newest. None: there is none."""
    last: datetime | None = None
    lines: int = 0
    """How many entries are in the window, whatever they say."""
    bounded: bool = False
    """More than the bound of bytes would have had to be read."""
    alive: bool = False
    """A journal that others wrote to meanwhile: that one unit had nothing to say proves nothing against it."""
    short: bool = False
    """There is nothing older than `first`: the log is young, or its past was not kept."""

    @property
    def covered_hours(self) -> float:
        """How far back the reading went."""
        if not self.bounded and not self.short:
            return self.hours
        return (self.until - (self.first or self.until)).total_seconds() / 3600

    @property
    def complete(self) -> bool:
        """Whether all of the window was read."""
        return self.exists and (self.covered_hours * 3600 >= self.hours * 3600 - EDGE.total_seconds())

    @property
    def silent(self) -> bool:
        """Whether nothing was written in all this time."""
        return self.lines == 0 and not self.alive

    @property
    def in_words(self) -> str:
        """`the last 24 h`, or `the last 3.2 h of 24 h (…)`."""
        if self.complete:
            return f"the last {self.hours:g} h"
        why = "more than may be read" if self.bounded else "it begins only then"
        return f"the last {self.covered_hours:.1f} h of {self.hours:g} h ({why})"


def read_window(source: Source, hours: float, answer: Answer) -> Window:
    """The window from an answer to `Source.plan` and a `lines()` of the awk behind it.

    A log that does not exist is a fact. Raises MissingPrivilege for one that may not be read, ProbeError for one that
    has no times that are understood.
    """
    what = source.name
    asked = answer.block("window")
    if asked is None:
        raise answer.failure(what)
    since, until = (moment(integer(n, "the host's clock"), "the host's clock") for n in _two(asked.rest, what))
    if answer.block("nosystemd"):
        raise ProbeError(f"{what} could not be read: the host has no systemd")
    if answer.block("hidden"):
        raise MissingPrivilege(f"{what} may not be read by this account: add it to the group systemd-journal")
    denied = answer.block("unreadable")
    if denied is not None:
        raise MissingPrivilege(f"{one_line(denied.rest)} may not be read by this account: let its group read it")
    missing = answer.block("nolog")
    if missing is not None:
        if "ermission denied" in missing.rest:
            raise MissingPrivilege(f"{what} may not be looked for by this account: let it enter that folder")
        return Window(what, hours, False, since, until)
    read, lines = answer.block("read"), answer.block("lines")
    if read is None or lines is None:
        reason = f"its summary is longer than {len(answer.output):,} bytes" if answer.truncated else "it ended early"
        raise answer.failure(what, reason)
    if f"{answer.mark} broken" in answer.errors:
        raise ProbeError(f"{what} could not be read whole: {answer.complaint('a part of it was unreadable')}")
    numbers = lines.rest.split(" ")
    if len(numbers) != 5:
        raise ProbeError(f"{what} could not be determined: its summary is malformed")
    count, untimed, older, first, last = (integer(n, f"the lines of {what}") for n in numbers)
    if untimed and not count and not older:
        raise ProbeError(f"{what} could not be judged: none of its {untimed} lines begins with a time that is known")
    times = [moment(t, f"the times in {what}") for t in (first, last)] if count else [None, None]
    return Window(
        what,
        hours,
        True,
        since,
        until,
        first=times[0],
        last=times[1],
        lines=count,
        bounded=read.rest == "bound",
        alive=answer.block("alive") is not None,
        short=read.rest == "short",
    )


def _two(text: str, what: str) -> tuple[str, str]:
    one, _, other = text.partition(" ")
    if not other:
        raise ProbeError(f"{what} could not be determined: the host told no time")
    return one, other


class LogQuestion(Question):
    """What every question about the window of a log has in common; subclasses have a field `source`.

    `plan` of window.sh prepares its `feed`, the lines of the window; `timed` runs an awk program over them.
    """

    source: Source

    helpers: ClassVar[tuple[ShellFile, ...]] = (WHEN, PRINTED, WINDOW, ENGINE, JOURNAL, PATTERN)
    slow: ClassVar[bool] = True
    seconds: ClassVar[float] = 15.0

    @property
    def title(self) -> str:
        return self.source.name


__all__ = ["MOST_BYTES", "PRINTED", "WHEN", "WINDOW", "LogQuestion", "Source", "Window", "read_window"]
