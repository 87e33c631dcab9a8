"""What the systemd journal holds of errors: of one unit, or of the whole system."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from opsverify.errors import MissingPrivilege, ProbeError
from opsverify.probes.host.logs.complaints import Complaint, Complaints
from opsverify.probes.host.logs.window import PRINTED, WHEN, WINDOW, Window
from opsverify.probes.host.question import MIB, Answer, Question, integer, moment, one_line
from opsverify.probes.host.shell import JOURNAL, unit_name
from opsverify.probes.host.shell_file import ShellFile

MOST_ENTRIES = 1000
ERROR = 3
"""Priority `err` of syslog(3); smaller is worse."""


@dataclass(frozen=True)
class JournalFacts:
    """The errors in a journal. `complete` is False where there were more than are read: `errors` are the newest."""

    window: Window
    errors: Complaints
    complete: bool


@dataclass(frozen=True)
class JournalErrors(Question):
    """Journal entries of priority err and worse; of a `unit`, also systemd's own word that it failed.

    Privileges: membership in systemd-journal (or adm): without, only one's own entries show, which is
    MissingPrivilege. Source: journalctl(1), systemd.journal-fields(7).
    """

    hours: float
    unit: str | None = None

    shell = ShellFile(__package__, "journal.sh")
    helpers = (WHEN, PRINTED, WINDOW, JOURNAL)
    slow: ClassVar[bool] = True
    max_bytes: ClassVar[int] = MIB

    @property
    def title(self) -> str:
        return f"the journal of {self.unit}" if self.unit else "the system journal"

    @property
    def arguments(self) -> tuple[str | int, ...]:
        unit = (self.unit, unit_name(self.unit)) if self.unit else ("", "")
        return round(self.hours * 3600), MOST_ENTRIES, *unit

    def parse(self, answer: Answer) -> JournalFacts:
        if answer.block("nosystemd"):
            raise ProbeError(f"{self.title} could not be read: the host has no systemd")
        if answer.block("nojournal"):
            raise ProbeError(f"{self.title} could not be read: the host keeps no journal")
        if answer.block("hidden"):
            raise MissingPrivilege(f"{self.title} may not be read by this account: add it to the group systemd-journal")
        asked, entries, unit = answer.block("window"), answer.block("entries"), answer.block("unit")
        if unit and "LoadState=not-found" in unit.rest:
            raise ProbeError(f"{self.title} could not be read: the host has no such unit")
        whole = answer.block("end") is not None
        if asked is None or entries is None or not (whole or answer.truncated):
            raise answer.failure(self.title)
        since, until = (_time(text) for text in [*asked.rest.split(" "), ""][:2])
        oldest, newest = (_time(block.rest) if block else None for block in map(answer.block, ("oldest", "newest")))
        if oldest is None or newest is None or since is None or until is None:
            raise ProbeError(f"{self.title} could not be judged: it holds no entry at all")
        lists = [block.lines for block in (entries, answer.block("failures")) if block is not None]
        if not whole:
            lists[-1] = lists[-1][:-1]
        # Newest first, so that what a bound cuts off is the oldest.
        read = [self._entry(line) for lines in lists for line in lines if line]
        complete = whole and all(len(lines) < MOST_ENTRIES for lines in lists)
        silent = newest < since
        window = Window(
            self.title,
            self.hours,
            True,
            since,
            until,
            first=oldest if oldest > since else since,
            last=newest,
            lines=0 if silent else 1,
            short=oldest > since,
        )
        return JournalFacts(window, _grouped([entry for entry in read if entry is not None]), complete)

    def _entry(self, line: str) -> Complaint | None:
        """An error; None for an entry that is none."""
        try:
            entry = json.loads(line)
            when = moment(int(entry["__REALTIME_TIMESTAMP"]) / 1e6, "an entry's time")
            priority = int(entry.get("PRIORITY", ERROR))
        except (ValueError, TypeError, KeyError, AttributeError):
            raise ProbeError(f"{self.title} could not be understood: an entry is no journal's JSON") from None
        message, program = _text(entry.get("MESSAGE")), _text(entry.get("SYSLOG_IDENTIFIER"))
        failed = _text(entry.get("_PID")) == "1" and "Failed with result" in message
        if priority > ERROR and not failed:
            return None
        text = re.sub(r"\?\S*", "?…", one_line(message, 300))
        return Complaint(f"{one_line(program, 40)}: {text}" if program else text, 1, when)


def _text(value: Any) -> str:
    """A field; the journal writes what is not UTF-8 as a list of bytes, and what is too long as null."""
    if isinstance(value, list):
        return bytes(b for b in value if isinstance(b, int) and 0 <= b < 256).decode("utf-8", "replace")
    return "" if value is None else str(value)


def _grouped(entries: list[Complaint]) -> Complaints:
    groups: dict[str, Complaint] = {}
    for entry in entries:
        key = re.sub(r"[0-9a-fA-F-]*[0-9][0-9a-fA-F-]*", "#", entry.text)
        seen = groups.get(key)
        groups[key] = Complaint(seen.text, seen.count + 1, seen.newest) if seen else entry
    return Complaints(tuple(groups.values()))


def _time(text: str) -> datetime | None:
    return moment(integer(text, "a journal's time"), "a journal's time") if text else None


__all__ = ["JournalErrors", "JournalFacts"]
