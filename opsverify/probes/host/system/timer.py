"""systemd timers, and how what they started last ended."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from opsverify.errors import ProbeError
from opsverify.probes.host.files.listing import clock
from opsverify.probes.host.logs.dates import host_zone, printed_date, without_date
from opsverify.probes.host.question import Answer, Question, decimal, integer, moment, one_line
from opsverify.probes.host.shell import JOURNAL
from opsverify.probes.host.shell_file import ShellFile

MOST_LINES = 50


@dataclass(frozen=True)
class TimerFacts:
    """A systemd timer and the unit that it starts, in systemd's own words."""

    timer: str
    exists: bool
    observed_at: datetime
    active: bool = False
    elapsed: bool = False
    """It is active, but has no next run: all that it was set to has passed."""
    enabled: bool = False
    last_run: datetime | None = None
    """None: not since the host was started, `up_seconds` ago."""
    up_seconds: float = 0.0
    unit: str = ""
    result: str = ""
    """Of the unit's last run: "success", "exit-code", "timeout", …"""
    exit_status: int | None = None
    output: tuple[str, ...] | None = ()
    """The lines of that run's output that hold one of the words asked for, without the dates before them; None where
    its journal may not be read."""


@dataclass(frozen=True)
class Timer(Question):
    """Whether a timer runs, when it last did, how that ended, and what was said then, of lines that hold a word.

    Privileges: none; for what was said, to read the journal (group systemd-journal). Source: systemctl(1) show,
    journalctl(1), systemd.exec(5) ("$INVOCATION_ID").
    """

    timer: str
    words: tuple[str, ...] = ()

    shell = ShellFile(__package__, "timer.sh")
    helpers = (JOURNAL,)

    @property
    def title(self) -> str:
        return f"the timer {self.timer}"

    @property
    def arguments(self) -> tuple[str | int, ...]:
        return self.timer if self.timer.endswith(".timer") else f"{self.timer}.timer", MOST_LINES, *self.words

    def parse(self, answer: Answer) -> TimerFacts:
        if answer.block("nosystemd"):
            raise ProbeError(f"{self.title} could not be determined: the host has no systemd")
        timer, unit, zone = answer.block("timer"), answer.block("unit"), answer.block("zone")
        values = _values(timer.lines) if timer else {}
        if not values.get("LoadState") or zone is None:
            raise answer.failure(self.title, "systemctl said nothing")
        now = clock(answer)
        if values["LoadState"] == "not-found":
            return TimerFacts(self.timer, False, now)
        up = answer.block("up")
        service = _values(unit.lines) if unit else {}
        output = answer.block("said")
        status = service.get("ExecMainStatus", "")
        return TimerFacts(
            self.timer,
            True,
            now,
            active=values.get("ActiveState") == "active",
            elapsed=values.get("SubState") == "elapsed",
            enabled=values.get("UnitFileState", "").startswith("enabled"),
            last_run=_last(values.get("LastTriggerUSec", ""), zone.rest),
            up_seconds=decimal(up.rest if up else "", "the time since the host started"),
            unit=one_line(values.get("Unit", ""), 80),
            result=one_line(service.get("Result", ""), 40),
            exit_status=integer(status, "the exit status") if status else None,
            output=None if answer.block("hidden") else _said(output.lines if output else [], zone.rest),
        )


def _last(text: str, zone: str) -> datetime | None:
    if text.startswith("@"):
        seconds = integer(text[1:].partition(".")[0], "the timer's last run")
        return moment(seconds, "the timer's last run") if seconds else None
    if text in ("", "0", "n/a"):
        return None
    when = printed_date(text, *host_zone(zone))
    if when is None:  # systemd before 248, in a zone of its own
        raise ProbeError(f"the timer's last run could not be determined: {one_line(text, 60)!r} is no known time")
    return when


def _said(lines: list[str], zone: str) -> tuple[str, ...]:
    here, name = host_zone(zone)
    return tuple(without_date(one_line(line.removeprefix("| "), 300), here, name) for line in lines)


def _values(lines: list[str]) -> dict[str, str]:
    return {key: value for key, separator, value in (line.partition("=") for line in lines) if separator}


__all__ = ["Timer", "TimerFacts"]
