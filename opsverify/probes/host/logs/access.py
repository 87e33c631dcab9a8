"""How requests ended, by nginx's access log, summed up on the host."""

from __future__ import annotations

from dataclasses import dataclass

from opsverify.errors import ProbeError
from opsverify.probes.host.logs.combined import COMBINED, understood
from opsverify.probes.host.logs.summary import Client, client, counted, ended
from opsverify.probes.host.logs.window import MOST_BYTES, LogQuestion, Source, Window, read_window
from opsverify.probes.host.question import Answer, integer, one_line
from opsverify.probes.host.shell_file import ShellFile


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
    """Clients by the 401 and 403 that they got, the most frequent first; of these, none is left out."""
    own: int = 0
    """Requests of the suite itself, by their User-Agent, which count nowhere else."""

    @property
    def requests(self) -> int:
        return sum(count for _, count in self.statuses)

    def errors(self, group: int) -> int:
        """How many requests ended in 4xx or 5xx (`group` is 4 or 5)."""
        return sum(count for status, count in self.statuses if status // 100 == group)

    def share(self, group: int) -> float:
        """The same in percent of all; raises ProbeError where there was no request, not even our own."""
        if not self.requests and self.own:
            return 0.0
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

    shell = ShellFile(__package__, "access.sh")
    program = ShellFile(__package__, "access.awk")
    helpers = (*LogQuestion.helpers, COMBINED)

    @property
    def arguments(self) -> tuple[str | int, ...]:
        return *self.source.plan(self.hours, self.most_bytes), self.shown, self.program.text

    def parse(self, answer: Answer) -> AccessFacts:
        window = read_window(self.source, self.hours, answer)
        if not window.exists:
            return AccessFacts(window)
        ended(answer, self.title)
        understood(answer, window)
        values: dict[str, list[str]] = {}
        for block in answer.blocks():
            values.setdefault(block.name, []).append(block.rest)
        claims = dict(rest.partition(" ")[::2] for rest in values.get("behalf", ()))
        statuses = sorted((integer(s, "a status"), n) for n, s in (counted(r) for r in values.get("status", ())))
        ranked = {
            name: [(g, *counted(rest)) for g, rest in (_group(r) for r in values.get(name, ()))]
            for name in ("path", "client", "denied")
        }
        return AccessFacts(
            window,
            tuple(statuses),
            integer("".join(values.get("malformed", ())), "malformed lines"),
            tuple((g, one_line(path, 120), n) for g, n, path in ranked["path"]),
            tuple((g, client(address, n, claims)) for g, n, address in ranked["client"]),
            tuple(client(address, n, claims) for _, n, address in ranked["denied"]),
            integer("".join(values.get("own", ["0"])), "requests of our own"),
        )


def _group(rest: str) -> tuple[int, str]:
    number, _, what = rest.partition(" ")
    return integer(number, "a group of statuses"), what


__all__ = ["AccessFacts", "AccessLog"]
