"""nginx's access log (combined format, with or without X-Forwarded-For after it), summed up on the host."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

from opsverify.errors import ProbeError
from opsverify.probes.host.logs.window import MOST_BYTES, LogQuestion, Source, Window, read_window
from opsverify.probes.host.question import Answer, integer, one_line

PARSE = r"""
function parsed(s,  q, e, f, r) { # sets status, client, path and forwarded; whether s is a line of the format
  q = index(s, "\""); if (!q) return 0
  client = substr(s, 1, index(s, " ") - 1)
  if (client !~ /^[0-9A-Fa-f.:]+$/) return 0
  s = substr(s, q + 1); e = index(s, "\" "); if (!e) return 0
  split(substr(s, 1, e - 1), r, " ")
  split(substr(s, e + 2), f, " "); status = f[1]
  if (status !~ /^[1-5][0-9][0-9]$/ || f[2] !~ /^([0-9]+|-)$/) return 0
  # Only the path: what follows may hold a token.
  path = r[2]; sub(/[?#;].*/, "", path); if (path !~ /^\//) path = "(no path)"
  path = substr(path, 1, 120)
  forwarded = ""; if (match(s, /"[0-9A-Fa-f.:, ]+"$/)) forwarded = substr(s, RSTART + 1, RLENGTH - 2)
  return 1
}
function foreign(t) { malformed++; if (t >= since) strange++ }
function format() {
  print "== malformed " malformed + 0; print "== strange " strange + 0; print "== understood " understood + 0
}
"""


@dataclass(frozen=True)
class Client:
    """A client, by the address that connected, and how often."""

    address: str
    count: int
    forwarded_for: str = ""
    """For whom it says, in X-Forwarded-For, that it asks: anybody can claim that, so it is shown and not counted."""

    def __str__(self) -> str:
        claim = f", as it says for {self.forwarded_for}" if self.forwarded_for else ""
        return f"{self.address} {self.count:,} ×{claim}"


@dataclass(frozen=True)
class AccessFacts:
    """What an access log says of its window."""

    window: Window
    statuses: tuple[tuple[int, int], ...] = ()
    """(status, how many requests ended with it), ascending."""
    malformed: int = 0
    """Lines that are no access log's, in and around the window; they count nowhere else."""
    paths: tuple[tuple[int, str, int], ...] = ()
    """(4 or 5, path, how many such errors), the most frequent first, without queries."""
    clients: tuple[tuple[int, Client], ...] = ()
    """(4 or 5, the client that got so many of them), the most frequent first."""
    denied: tuple[Client, ...] = ()
    """Clients by the 401 and 403 that they got, the most frequent first."""

    @property
    def requests(self) -> int:
        return sum(count for _, count in self.statuses)

    def errors(self, group: int) -> int:
        """How many requests ended in 4xx or 5xx (`group` is 4 or 5)."""
        return sum(count for status, count in self.statuses if status // 100 == group)

    def share(self, group: int) -> float:
        """The same in percent of all; raises ProbeError where there was no request."""
        if not self.requests:
            raise ProbeError(f"{self.window.source} holds no request of the last {self.window.hours:g} h to judge")
        return 100 * self.errors(group) / self.requests


@dataclass(frozen=True)
class AccessLog(LogQuestion):
    """How requests ended, with the paths and clients that erred most.

    Privileges: to read the log (group adm on Debian). Source: ngx_http_log_module, format `combined`.
    """

    source: Source
    hours: float
    shown: int
    most_bytes: int = MOST_BYTES

    def script(self) -> str:
        return self.source.plan(self.hours, self.most_bytes) + (
            "feed | timed '"
            + PARSE
            + r"""
/^$/ { next }
!parsed($0) { foreign(when($0)); next }
{ understood++ }
inside(when($0)) {
  statuses[status]++; if (forwarded != "") behalf[client] = forwarded
  c = substr(status, 1, 1); if (c == 4) { p4[path]++; c4[client]++ } else if (c == 5) { p5[path]++; c5[client]++ }
  if (status == 401 || status == 403) denied[client]++
}
END {
  lines(); format()
  for (s in statuses) print "== status " statuses[s] " " s
  top(p4, most, "path 4"); top(p5, most, "path 5")
  top(c4, most, "client 4"); top(c5, most, "client 5"); top(denied, most, "denied 4")
  for (c in behalf) if (behalf[c] != "" && said++ < 500) print "== behalf " c " " behalf[c]
  print "== end"
}"""
            + f"' most={self.shown}\n"
        )

    def parse(self, answer: Answer) -> AccessFacts:
        window = read_window(self.source, self.hours, answer)
        if not window.exists:
            return AccessFacts(window)
        ended(answer, self.title)
        understood(answer, window)
        found: dict[str, list[str]] = {}
        for block in answer.blocks():
            found.setdefault(block.name, []).append(block.rest)
        claims = dict(rest.partition(" ")[::2] for rest in found.get("behalf", ()))
        statuses = sorted((integer(s, "a status"), n) for n, s in (counted(r) for r in found.get("status", ())))
        ranked = {
            name: [(g, *counted(rest)) for g, rest in (_group(r) for r in found.get(name, ()))]
            for name in ("path", "client", "denied")
        }
        return AccessFacts(
            window,
            tuple(statuses),
            integer("".join(found.get("malformed", ())), "malformed lines"),
            tuple((g, one_line(path, 120), n) for g, n, path in ranked["path"]),
            tuple((g, client(address, n, claims)) for g, n, address in ranked["client"]),
            tuple(client(address, n, claims) for _, n, address in ranked["denied"]),
        )


def ended(answer: Answer, title: str) -> None:
    """Raise ProbeError unless a summary came whole."""
    if answer.block("end") is None:
        raise answer.failure(title, "its summary was cut off")


def understood(answer: Answer, window: Window) -> None:
    """Raise ProbeError where there are lines, and not one of them, or of those in the window, is of the format."""
    blocks = [answer.block(name) for name in ("malformed", "strange", "understood")]
    malformed, strange, well = (integer(block.rest if block else "0", "the lines of a format") for block in blocks)
    # A line without a time may be older than the window: then it proves nothing against a log that was understood.
    unknown = strange if well else malformed
    if unknown and not window.lines:
        raise ProbeError(
            f"{window.source} could not be understood: none of its last {unknown} lines is of nginx's format combined "
            "(log_format), with the client's address at the beginning"
        )


def counted(rest: str) -> tuple[int, str]:
    """`COUNT WHAT` as numbers and text."""
    number, _, what = rest.partition(" ")
    return integer(number, "a count"), what


def client(address: str, count: int, claims: dict[str, str]) -> Client:
    """A client as a log names it; raises ProbeError for what is no address."""
    try:
        ipaddress.ip_address(address)
    except ValueError:
        address = one_line(address, 45) or "?"
    return Client(address, count, one_line(claims.get(address, ""), 100))


def _group(rest: str) -> tuple[int, str]:
    number, _, what = rest.partition(" ")
    return integer(number, "a group of statuses"), what


__all__ = ["PARSE", "AccessFacts", "AccessLog", "Client", "client", "counted", "ended"]
