"""Logins over SSH that failed, by client: sshd's messages, summed up on the host."""

from __future__ import annotations

from dataclasses import dataclass

from opsverify.probes.host.logs.access import client, counted, ended
from opsverify.probes.host.logs.window import MOST_BYTES, LogQuestion, Source, Window, read_window
from opsverify.probes.host.question import Answer, integer, one_line


@dataclass(frozen=True)
class Intruder:
    """A client that failed to log in, how often, and as whom it got in all the same ("" where it did not)."""

    address: str
    failures: int
    accepted_as: str = ""

    def __str__(self) -> str:
        got_in = f", and got in as {self.accepted_as}" if self.accepted_as else ""
        return f"{self.address} {self.failures:,} ×{got_in}"


@dataclass(frozen=True)
class LoginFacts:
    """What an authentication log says of logins over SSH in its window."""

    window: Window
    failures: int = 0
    accepted: int = 0
    clients: tuple[Intruder, ...] = ()
    """Those that failed, the most frequent first."""


@dataclass(frozen=True)
class SshLogins(LogQuestion):
    """Failed logins over SSH per client: each wrong password, and each connection that ends without a login.

    Understands traditional syslog times (the host's zone, no year), ISO 8601 (Debian 12), and the journal of a unit.
    Privileges: to read the log (group adm on Debian), or the journal (group systemd-journal). Source: sshd(8).
    """

    source: Source
    hours: float
    shown: int
    most_bytes: int = MOST_BYTES

    def script(self) -> str:
        return self.source.plan(self.hours, self.most_bytes, "short-iso") + (
            "feed | timed '"
            + r"""
function address(s) { # the last of the line: a user may call himself "x from 192.0.2.1 port 1"
  sub(/ ssh2: [A-Z0-9-]+ [A-Z0-9]+:[A-Za-z0-9+\/=]+$/, "", s)
  if (!match(s, /[0-9A-Fa-f.:]+ port [0-9]+( ssh2)?( \[preauth\])?\]?$/)) return ""
  s = substr(s, RSTART, RLENGTH); sub(/ .*/, "", s); return s
}
/^$/ || !inside(when($0)) { next }
!match($0, /^([A-Z][a-z][a-z] [ 0-9][0-9] [0-9:]+|[0-9]+-[^ ]+) [^ ]+ sshd(-session)?(\[[0-9]+\])?: /) { next }
{
  said = substr($0, RLENGTH + 1); pid = substr($0, 1, RLENGTH); sub(/.*\[/, "", pid); sub(/\].*/, "", pid); times = 1
  if (match(said, /^message repeated [0-9]+ times: \[ /)) {
    times = substr(said, 18) + 0; said = substr(said, RLENGTH + 1)
  }
}
said ~ /^Failed / && said !~ /^Failed (none|publickey) / && (a = address(said)) != "" {
  failed[a] += times; failures += times; wrong[pid] = 1; next
}
# How a connection ends that never got in: with keys only, all that a guesser leaves.
said ~ /^(Connection (closed|reset) by|Disconnected from) (invalid|authenticating) user / && (a = address(said)) != "" {
  if (pid in wrong) delete wrong[pid]; else { failed[a]++; failures++ }
  next
}
said ~ /^Accepted / && (a = address(said)) != "" {
  accepted++; sub(/^Accepted [^ ]+ for /, "", said); sub(/ from .*/, "", said); user[a] = said
}
END {
  lines(); print "== failures " failures + 0; print "== accepted " accepted + 0
  for (a in user) if ((a in failed) && n++ < 500) print "== user " a " " user[a]
  top(failed, most, "failed"); print "== end"
}"""
            + f"' most={self.shown}\n"
        )

    def parse(self, answer: Answer) -> LoginFacts:
        window = read_window(self.source, self.hours, answer)
        if not window.exists:
            return LoginFacts(window)
        ended(answer, self.title)
        failures, accepted = answer.block("failures"), answer.block("accepted")
        users = dict(b.rest.partition(" ")[::2] for b in answer.blocks() if b.name == "user")
        ranked = [counted(block.rest) for block in answer.blocks() if block.name == "failed"]
        return LoginFacts(
            window,
            failures=integer(failures.rest if failures else "", "failed logins"),
            accepted=integer(accepted.rest if accepted else "", "logins"),
            clients=tuple(
                Intruder(client(address, count, {}).address, count, one_line(users.get(address, ""), 40))
                for count, address in ranked
            ),
        )


__all__ = ["Intruder", "LoginFacts", "SshLogins"]
