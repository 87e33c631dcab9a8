"""What runs by itself, again and again: systemd timers and crontab entries."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from opsverify.errors import ProbeError
from opsverify.probes.host.files.listing import clock
from opsverify.probes.host.logs.dates import printed_date, without_date
from opsverify.probes.host.question import Answer, Question, integer, moment, one_line, quote

MOST_SAID = 50


@dataclass(frozen=True)
class TimerFacts:
    """A systemd timer and the unit that it starts, in systemd's own words."""

    timer: str
    exists: bool
    observed_at: datetime
    active: bool = False
    enabled: bool = False
    last_run: datetime | None = None
    """None: not since the host was started."""
    unit: str = ""
    result: str = ""
    """Of the unit's last run: "success", "exit-code", "timeout", …"""
    exit_status: int | None = None
    said: tuple[str, ...] | None = ()
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

    @property
    def title(self) -> str:
        return f"the timer {self.timer}"

    def script(self) -> str:
        name = quote(self.timer if self.timer.endswith(".timer") else f"{self.timer}.timer")
        of_timer = f"-p LoadState,ActiveState,UnitFileState,LastTriggerUSec,Unit -- {name}"
        return f"""command -v systemctl >/dev/null 2>&1 || {{ echo '== nosystemd'; exit 0; }}
echo "== clock $(date +%s)"; echo "== zone $(date '+%z %Z')"
echo '== timer'
systemctl show --timestamp=unix {of_timer} 2>/dev/null || systemctl show {of_timer} || exit 5
u=$(systemctl show -p Unit --value -- {name})
echo '== unit'; systemctl show -p Result,ExecMainStatus -- "$u"
{self._said() if self.words else ""}"""

    def _said(self) -> str:
        words = " ".join(f"-e {quote(word)}" for word in self.words)
        return f"""e=$(journalctl -u "$u" -n 1 -o cat 2>&1 >/dev/null)
case $e in *'not seeing messages'*|*ermission*|*'No journal files'*|*'not found'*) echo '== hidden'; exit 0;; esac
i=$(systemctl show -p InvocationID --value -- "$u"); [ -n "$i" ] || exit 0
echo '== said'
journalctl -q -o cat -n 500 _SYSTEMD_INVOCATION_ID="$i" | grep -aF {words} | tail -n {MOST_SAID} | cut -c 1-300 |
sed 's/^/| /'
exit 0
"""

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
        service = _values(unit.lines) if unit else {}
        said = answer.block("said")
        status = service.get("ExecMainStatus", "")
        return TimerFacts(
            self.timer,
            True,
            now,
            active=values.get("ActiveState") == "active",
            enabled=values.get("UnitFileState", "").startswith("enabled"),
            last_run=_last(values.get("LastTriggerUSec", ""), zone.rest),
            unit=one_line(values.get("Unit", ""), 80),
            result=one_line(service.get("Result", ""), 40),
            exit_status=integer(status, "the exit status") if status else None,
            said=None if answer.block("hidden") else _said(said.lines if said else [], zone.rest),
        )


def _last(text: str, zone: str) -> datetime | None:
    if text.startswith("@"):
        seconds = integer(text[1:].partition(".")[0], "the timer's last run")
        return moment(seconds, "the timer's last run") if seconds else None
    if text in ("", "0", "n/a"):
        return None
    when = printed_date(text, *_here(zone))
    if when is None:  # systemd before 248, in a zone of its own
        raise ProbeError(f"the timer's last run could not be determined: {one_line(text, 60)!r} is no known time")
    return when


def _said(lines: list[str], zone: str) -> tuple[str, ...]:
    return tuple(without_date(one_line(line.removeprefix("| "), 300), *_here(zone)) for line in lines)


def _here(zone: str) -> tuple[timedelta, str]:
    """The host's offset from UTC, and what it calls its time zone."""
    east, _, name = zone.partition(" ")
    number = integer(east[1:], "the host's time zone")
    return (-1 if east.startswith("-") else 1) * timedelta(hours=number // 100, minutes=number % 100), name


def _values(lines: list[str]) -> dict[str, str]:
    return {key: value for key, separator, value in (line.partition("=") for line in lines) if separator}


@dataclass(frozen=True)
class CronFacts:
    """Where a crontab entry stands. `daemon`: whether a cron daemon runs to heed it."""

    text: str
    places: tuple[str, ...]
    """Files, or `crontab of <account>`, that hold it in a line that is no comment."""
    hidden: tuple[str, ...] = ()
    """Places that this account may not look into."""
    daemon: bool = False


@dataclass(frozen=True)
class Cron(Question):
    """Whether a crontab has a line that holds `text`; the line itself stays there, it may hold a secret.

    Looks into /etc/crontab, /etc/cron.d, the account's own crontab, and those of all others where that is permitted
    (root). Privileges: none for the first three. Source: crontab(5).
    """

    text: str

    @property
    def title(self) -> str:
        return f"the cron job {self.text}"

    def script(self) -> str:
        return f"""t={quote(self.text)}
has() {{ grep -v '^[[:space:]]*#' | grep -qF -- "$t"; }}
for f in /etc/crontab /etc/cron.d/* /var/spool/cron/crontabs/* /var/spool/cron/*; do
[ -f "$f" ] || continue
if [ -r "$f" ]; then has < "$f" && echo "== place $f"; else echo "== hidden $f"; fi
done
for d in /var/spool/cron/crontabs /var/spool/cron; do [ -d "$d" ] && [ ! -r "$d" ] && echo "== hidden $d"; done
crontab -l 2>/dev/null | has && echo "== place crontab of $(id -un)"
cat /proc/[0-9]*/comm 2>/dev/null | grep -qxE 'cron|crond|anacron|fcron' && echo '== daemon'
echo '== end'
"""

    def parse(self, answer: Answer) -> CronFacts:
        if answer.block("end") is None:
            raise answer.failure(self.title, "it ended early")
        blocks = answer.blocks()
        return CronFacts(
            self.text,
            places=tuple(one_line(block.rest) for block in blocks if block.name == "place"),
            hidden=tuple(one_line(block.rest) for block in blocks if block.name == "hidden"),
            daemon=any(block.name == "daemon" for block in blocks),
        )


__all__ = ["Cron", "CronFacts", "Timer", "TimerFacts"]
