"""The part of a log that is judged: its last hours, read from the end, so that a log's age and size cost nothing.

A log is a family of files (`access.log`, `access.log.1`, `access.log.2.gz`), or the journal of a unit. From the newest
file backwards, growing chunks are looked into until one begins before the window; only then the lines are read, once,
and summed up on the host. What a bound cuts off is said: `Window.complete`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from opsverify.errors import MissingPrivilege, ProbeError
from opsverify.probes.host.question import MIB, Answer, Question, integer, moment, one_line, quote

WHEN = r"""
when='
function days(y, m, d) { # since 1970-01-01
  if (m <= 2) { y--; m += 12 }
  return 365 * y + int(y / 4) - int(y / 100) + int(y / 400) + int((153 * (m - 3) + 2) / 5) + d - 719469
}
function seconds(y, m, d, clock, east) {
  y += 0; m += 0; d += 0 # numbers: "11" <= 2
  if (y < 1970 || m < 1 || m > 12 || d < 1 || d > 31) return -1
  return 86400 * days(y, m, d) + 3600 * substr(clock, 1, 2) + 60 * substr(clock, 4, 2) + substr(clock, 7, 2) - east
}
function month(name) { return (index("JanFebMarAprMayJunJulAugSepOctNovDec", name) + 2) / 3 }
function east(z) { # of Greenwich, in seconds; a name that only this host could explain is taken for its own
  if (z ~ /^(Z|UTC|GMT)/) return 0
  if (z ~ /^[+-][0-9][0-9]:?[0-9][0-9]/) {
    sub(/:/, "", z)
    return (substr(z, 1, 1) "1") * (3600 * substr(z, 2, 2) + 60 * substr(z, 4, 2))
  }
  return offset
}
function iso(s,  z) {
  z = substr(s, 20); sub(/^[.,][0-9]+/, "", z); sub(/^ /, "", z)
  if (z !~ /^(Z|UTC|GMT|[+-][0-9][0-9]:?[0-9][0-9])/) z = ""
  return seconds(substr(s, 1, 4), substr(s, 6, 2), substr(s, 9, 2), substr(s, 12, 8), east(z))
}
function when(s,  t, p, c) { # the time of a line, in seconds since the epoch; -1 where it has none
  c = substr(s, 1, 1)
  if (c == "{") {
    if (match(s, /"time": ?[0-9]+/)) { t = substr(s, RSTART + 7, RLENGTH - 7) + 0; return t > 1e11 ? t / 1000 : t }
    if (match(s, /"time(stamp)?": ?"[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9][T ][^"]+"/)) {
      s = substr(s, RSTART, RLENGTH); sub(/^"[a-z]+": ?"/, "", s); return iso(s)
    }
    return -1
  }
  if (s ~ /^[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9][T ][0-9][0-9]:[0-9][0-9]:[0-9][0-9]/) return iso(s)
  if (s ~ /^[A-Z][a-z][a-z] [ 0-9][0-9] [0-9][0-9]:[0-9][0-9]:[0-9][0-9] /) { # syslog leaves out the year
    t = seconds(year, month(substr(s, 1, 3)), substr(s, 5, 2) + 0, substr(s, 8, 8), offset)
    if (t > now + 86400) t = seconds(year - 1, month(substr(s, 1, 3)), substr(s, 5, 2) + 0, substr(s, 8, 8), offset)
    return t
  }
  # Before the request, which nginx begins with the only quote that a client cannot write.
  if (match(s, /\[[0-9][0-9]\/[A-Z][a-z][a-z]\/[0-9][0-9][0-9][0-9]:[0-9:]+ [+-][0-9][0-9][0-9][0-9]\] "/)) {
    s = substr(s, RSTART + 1, 26)
    return seconds(substr(s, 8, 4), month(substr(s, 4, 3)), substr(s, 1, 2), substr(s, 13, 8), east(substr(s, 22)))
  }
  if (match(s, /[0-9]+\/[0-9]+\/[0-9][0-9][0-9][0-9], [0-9]+:[0-9][0-9]:[0-9][0-9] [AP]M/)) { # NestJS
    split(substr(s, RSTART, RLENGTH), p, /[\/, :]+/)
    t = p[4] % 12 + (p[7] == "PM" ? 12 : 0)
    return seconds(p[3], p[1], p[2], sprintf("%02d:%s:%s", t, p[5], p[6]), offset)
  }
  return -1
}
function top(counts, most, name,  i, k, best) { # prints and forgets the largest of counts
  for (i = 0; i < most; i++) {
    best = ""
    for (k in counts) if (best == "" || counts[k] > counts[best] || (counts[k] == counts[best] && k < best)) best = k
    if (best == "") break
    print "== " name " " counts[best] " " best; delete counts[best]
  }
}
function inside(t) { # whether a line of that time is in the window; counts it
  if (t < 0) { untimed++; return 0 }
  if (t < since) { older++; return 0 }
  if (!count++ || t < oldest) oldest = t
  if (t > newest) newest = t
  return 1
}
function lines() { printf "== lines %.0f %.0f %.0f %.0f %.0f\n", count, untimed, older, int(oldest), int(newest) }
'
clock() { # sets `now`, and `east`: this host's seconds east of Greenwich
now=$(date +%s); z=$(date +%z)
east=$(( ${z%????}1 * (3600 * (1${z#?} / 100 - 100) + 60 * (1${z#?} % 100)) ))
}
timed() { # PROGRAM [NAME=VALUE...]: awk with the functions above
program=$when$1; shift
for v do shift; set -- "$@" -v "$v"; done
awk -v now="$now" -v since="$since" -v offset="$east" -v year="$(date +%Y)" "$@" "$program"
}
"""
"""Awk for mawk, gawk and BusyBox: without intervals and mktime(). Times without a zone are the host's, by its offset
of today."""

WINDOW = (
    WHEN
    + r"""
unpacked() { # FILE: its text
case $1 in
*.gz) gzip -dc -- "$1";; *.xz) xz -dc -- "$1";; *.bz2) bzip2 -dc -- "$1";; *.zst) zstd -dc -- "$1";; *) cat -- "$1";;
esac
}
ending() { # BYTES FILE: its last lines, at most so many bytes; all of them for "all"
if [ "$1" = all ]; then unpacked "$2"; else tail -c "$1" -- "$2" | tail -n +2; fi
}
first() { # the time of the first line that has one
head -c 65536 | timed '{ t = when($0); if (t >= 0) { printf "%.0f\n", int(t); exit } }'
}
rotations() { # FILE...: "mtime size name" of those that exist, newest first
stat -c '%Y %s %n' -- "$@" 2>/dev/null | sort -rn
}
plan() { # SECONDS BYTES FILE...: sets `files` to "bytes name" lines, oldest first, that hold the window
clock; since=$((now - $1)); left=$2; shift 2
found=$(rotations "$@")
echo "== window $since $now"
if [ -z "$found" ]; then echo "== nolog $(ls -d -- "$1" 2>&1 >/dev/null)"; exit 0; fi
files=; why=short; covered=0
while read -r changed size name; do
if [ "$changed" -lt "$since" ]; then why=; break; fi
[ "$changed" -ge "$covered" ] || break
[ -r "$name" ] || { echo "== unreadable $name"; exit 0; }
case $name in
*.gz|*.xz|*.bz2|*.zst)
# It cannot be read from its end, and logs shrink to a tenth or less.
if [ $((size * 10)) -gt "$left" ]; then why=bound; break; fi
t=$(unpacked "$name" 2>/dev/null | first); left=$((left - size * 10)); take=all;;
*)
take=1048576
while :; do
[ "$take" -lt "$left" ] || take=$left
[ "$take" -lt "$size" ] || take=all
t=$(ending "$take" "$name" 2>/dev/null | first)
if [ "$take" = all ]; then left=$((left - size)); break; fi
if [ "${t:-$now}" -lt "$since" ]; then left=$((left - take)); break; fi
if [ "$take" = "$left" ]; then left=0; why=bound; break; fi
take=$((take * 2))
done;;
esac
files="$take $name
$files"
[ "$why" = bound ] && break
# Not the end yet: files written in the same second may stand in any order.
if [ -n "$t" ] && [ "$t" -lt "$since" ]; then why=; covered=$changed; continue; fi
[ "$left" -gt 0 ] || { why=bound; break; }
done <<END
$found
END
echo "== read $why"
}
feed() { # the planned lines, and some before the window
printf '%s' "$files" | while read -r take name; do ending "$take" "$name" || echo "== broken $name" >&2; echo; done
}
journal() { # SECONDS LINES UNIT FORMAT: the journal of a unit instead of files
clock; since=$((now - $1)); echo "== window $since $now"
command -v journalctl >/dev/null 2>&1 || { echo '== nosystemd'; exit 0; }
e=$(journalctl -u "$3" -n 1 -o cat 2>&1 >/dev/null)
case $e in *'not seeing messages'*|*ermission*|*'No journal files'*) echo "== hidden"; exit 0;; esac
t=$(journalctl -q -n 1 -o short-unix 2>/dev/null); t=${t%%.*}
[ "${t:-0}" -lt "$since" ] || echo '== alive'
t=$(journalctl -q -o short-unix 2>/dev/null | head -n 1); t=${t%%.*}
[ -n "$(journalctl -q -u "$3" -n 1 -o cat 2>/dev/null)" ] || { echo '== nolog No such file'; exit 0; }
n=$(journalctl -q -u "$3" --since "@$since" -n "$2" -o cat 2>/dev/null | wc -l)
why=; [ "${t:-$now}" -le "$since" ] || why=short; [ "$n" -lt "$2" ] || why=bound
echo "== read $why"
}
"""
)

EDGE = timedelta(minutes=5)
"""A log whose first line comes so soon after the window's beginning covers it."""


@dataclass(frozen=True)
class Source:
    """Where a log is: `path`, whose name may hold a `*`, or the systemd `unit` whose journal it is."""

    path: str | None = None
    unit: str | None = None

    @property
    def name(self) -> str:
        return self.path or f"the journal of {self.unit}"

    @property
    def files(self) -> str:
        """Its family of files, as arguments for a shell. Only `*` is special in a name."""
        base = "*".join(quote(part) if part else "" for part in (self.path or "").split("*"))
        return f"{base} {base}.[0-9]* {base}-[0-9]*"

    def plan(self, hours: float, most_bytes: int, form: str = "cat") -> str:
        """Shell that prepares `feed`, and prints what it covers. `form` is the journal's output format."""
        seconds = round(hours * 3600)
        if self.unit is None:
            return f"plan {seconds} {most_bytes} {self.files}\n"
        unit, lines = quote(self.unit), most_bytes // 200
        return (
            f"journal {seconds} {lines} {unit}\n"
            f'feed() {{ journalctl -q -u {unit} --since "@$since" -n {lines} -o {form}; }}\n'
        )


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
    def told(self) -> str:
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
    if "== broken" in answer.errors:
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


MOST_BYTES = 64 * MIB
"""How much of one log is read at most: a second or so of a server's processor."""

__all__ = ["MOST_BYTES", "WHEN", "WINDOW", "Source", "Window", "read_window"]


class LogQuestion(Question):
    """What every question about the window of a log has in common; subclasses have a field `source`."""

    source: Source

    helpers = (WINDOW,)
    slow: ClassVar[bool] = True
    seconds: ClassVar[float] = 15.0

    @property
    def title(self) -> str:
        return self.source.name
