"""Logins over SSH that failed, by client: sshd's messages, summed up on the host."""

from __future__ import annotations

from dataclasses import dataclass

from opsverify.probes.host.logs.summary import client, counted, ended
from opsverify.probes.host.logs.window import MOST_BYTES, LogQuestion, Source, Window, read_window
from opsverify.probes.host.question import Answer, integer, one_line
from opsverify.probes.host.shell_file import ShellFile


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
    """Failed logins over SSH per client: each wrong password, and each connection without one that is refused or ends.

    Understands traditional syslog times (the host's zone, no year), ISO 8601 (Debian 12), and the journal of a unit.
    Privileges: to read the log (group adm on Debian), or the journal (group systemd-journal). Source: sshd(8),
    fail2ban's filter `sshd`.
    """

    source: Source
    hours: float
    shown: int
    most_bytes: int = MOST_BYTES

    shell = ShellFile(__package__, "logins.sh")
    program = ShellFile(__package__, "logins.awk")

    @property
    def arguments(self) -> tuple[str | int, ...]:
        return *self.source.plan(self.hours, self.most_bytes), self.shown, self.program.text

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
