"""The application's log: pino's JSON lines, mixed with coloured text and blocks of several lines."""

from __future__ import annotations

from dataclasses import dataclass

from opsverify.probes.host.logs.access import counted, ended
from opsverify.probes.host.logs.complaints import Complaint, Complaints
from opsverify.probes.host.logs.window import MOST_BYTES, LogQuestion, Source, Window, read_window
from opsverify.probes.host.question import Answer, integer, moment, one_line

KINDS_KEPT = 200
NONE = Complaints()


@dataclass(frozen=True)
class ApplicationFacts:
    """The errors in the application's log."""

    window: Window
    errors: Complaints = NONE


@dataclass(frozen=True)
class ApplicationLog(LogQuestion):
    """Entries of level error and fatal (pino: 50 and more), ERROR and FATAL in text, and `prisma:error` blocks.

    PM2 and syslog may write something before an entry. A block has no time of its own: it belongs to the entry that
    follows it. Of an entry, its message, context and path are shown, without queries. Privileges: to read the log, or
    the journal (group systemd-journal). Source: pino's API ("Logger levels"), NestJS's ConsoleLogger.
    """

    source: Source
    hours: float
    most_bytes: int = MOST_BYTES

    def script(self) -> str:
        return self.source.plan(self.hours, self.most_bytes) + (
            "feed | timed '"
            + r"""
function field(name,  v) { # of the JSON line, as it is written there
  if (!match($0, "\"" name "\": ?\"([^\"\\\\]|\\\\.)*\"")) return ""
  v = substr($0, RSTART, RLENGTH - 1); sub(/^"[^"]*": ?"/, "", v); gsub(/\\n/, " ", v); gsub(/\\"/, "\"", v)
  return v
}
function note(t, text,  key) { # alike but for numbers and ids is the same
  gsub(/[?][^ "]*/, "?...", text); gsub(/[ \t]+/, " ", text); text = substr(text, 1, 300); key = text
  gsub(/[0-9a-fA-F-]*[0-9][0-9a-fA-F-]*/, "#", key)
  if (!(key in count_of)) { if (kinds >= kept) { more++; return } kinds++ }
  count_of[key]++; sample[key] = text; when_of[key] = t
}
function loud(s) { return s ~ /(^|[^A-Za-z_])(ERROR|FATAL)([^A-Za-z_]|$)/ }
function flush(t) { if (block != "" && t >= since) note(t, block); block = "" }
{ gsub(/\033\[[0-9;]*m/, ""); t = when($0) }
# PM2 and syslog write before an entry when and where they got it; text that complains stays text, whatever it quotes.
!/^\{/ && match($0, /\{"/) && !loud(substr($0, 1, RSTART - 1)) {
  rest = substr($0, RSTART)
  if (rest ~ /^\{.*"level": ?["0-9]/) { $0 = rest; own = when($0); if (own >= 0) t = own }
}
/^[ \r]*$/ { next }
t < 0 {
  inside(t)
  if ($0 ~ /^prisma:error/) { flush(seen ? seen : now); block = $0; follows = 1 }
  else if (block != "") { if (length(block) < 300) block = block " " $0 }
  else if (!follows && ($0 ~ /^((Uncaught|Unhandled) )?[A-Za-z]*(Error|Exception)[: ]/ || loud($0))) block = $0
  next
}
{ flush(t); seen = t; follows = 0 }
!inside(t) { next }
/^\{/ {
  level = ""; if (match($0, /"level": ?("[A-Za-z]+"|[0-9]+)/)) level = tolower(substr($0, RSTART + 8, RLENGTH - 8))
  gsub(/[" ]/, "", level)
  # Numbers only: to mawk, "info" + 0 is infinite.
  if (level !~ /^(error|fatal)$/ && !(level ~ /^[0-9]+$/ && level + 0 >= 50)) next
  text = field("message"); if (text == "") text = field("msg"); if (text == "") text = "(no message)"
  if (field("context") != "") text = "[" field("context") "] " text
  if (field("path") != "") text = text " " field("path")
  note(t, text); follows = 1; next
}
# A stack trace that follows belongs to it.
loud($0) {
  sub(/^.*(AM|PM|Z|[+-][0-9][0-9]:?[0-9][0-9]) +/, ""); note(t, $0); follows = 1
}
END {
  flush(now); lines(); print "== more " more + 0
  for (k in count_of) printf "== error %d %.0f %s\n", count_of[k], int(when_of[k]), sample[k]
  print "== end"
}"""
            + f"' kept={KINDS_KEPT}\n"
        )

    def parse(self, answer: Answer) -> ApplicationFacts:
        window = read_window(self.source, self.hours, answer)
        if not window.exists:
            return ApplicationFacts(window)
        ended(answer, self.title)
        more = answer.block("more")
        found = [_complaint(block.rest) for block in answer.blocks() if block.name == "error"]
        found.sort(key=lambda complaint: (complaint.newest, complaint.text), reverse=True)
        return ApplicationFacts(window, Complaints(tuple(found), integer(more.rest if more else "", "more errors")))


def _complaint(rest: str) -> Complaint:
    count, what = counted(rest)
    when, _, text = what.partition(" ")
    return Complaint(one_line(text, 300), count, moment(integer(when, "an error's time"), "an error's time"))


__all__ = ["ApplicationFacts", "ApplicationLog"]
