"""Who floods the API, and what scanners found, by nginx's access log; summed up on the host."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from opsverify.errors import ProbeError
from opsverify.probes.host.logs.combined import COMBINED, understood
from opsverify.probes.host.logs.summary import Client, client, counted, ended
from opsverify.probes.host.logs.window import MOST_BYTES, LogQuestion, Source, Window, read_window
from opsverify.probes.host.question import Answer, integer, moment, one_line
from opsverify.probes.host.shell_file import ShellFile


@dataclass(frozen=True)
class Peak:
    """A client's busiest minute: its requests are `client.count`."""

    client: Client
    minute: datetime


@dataclass(frozen=True)
class Find:
    """What a scanner asked for and got."""

    client: Client
    path: str


@dataclass(frozen=True)
class CallFacts:
    """How the API was called in a window."""

    window: Window
    requests: int = 0
    """All requests of the window."""
    calls: int = 0
    """Those of them to the API."""
    peaks: tuple[Peak, ...] = ()
    """The clients with the busiest minutes, the busiest first."""
    tried: int = 0
    """Requests for scanner paths, however they ended."""
    finds: tuple[Find, ...] = ()
    """Those that were answered with 2xx, the most frequent first."""


@dataclass(frozen=True)
class ApiCalls(LogQuestion):
    """The busiest minute of each client, and scanner paths that were answered with 2xx.

    `api` and `scanner_paths` are beginnings of paths; of the latter, hidden files (`/.env`) are told in any folder, and
    case, `%2e`, `%2f` and doubled slashes make no difference.

    Privileges: to read the log (group adm on Debian). Source: ngx_http_log_module, format `combined`.
    """

    source: Source
    hours: float
    shown: int
    api: str
    scanner_paths: tuple[str, ...]
    most_bytes: int = MOST_BYTES

    shell = ShellFile(__package__, "calls.sh")
    program = ShellFile(__package__, "calls.awk")
    helpers = (*LogQuestion.helpers, COMBINED)

    @property
    def arguments(self) -> tuple[str | int, ...]:
        scanned = " ".join(path.lower() for path in self.scanner_paths)
        plan = self.source.plan(self.hours, self.most_bytes)
        return *plan, self.shown, self.api, scanned, self.program.text

    def parse(self, answer: Answer) -> CallFacts:
        if any(re.search(r"^[^/]|[\s\\]", word) for word in (*self.scanner_paths, self.api)):
            raise ProbeError("scanner_paths: a path begins with a slash and holds neither spaces nor backslashes")
        window = read_window(self.source, self.hours, answer)
        if not window.exists:
            return CallFacts(window)
        ended(answer, self.title)
        understood(answer, window)
        calls, tried = answer.block("calls"), answer.block("tried")
        blocks = answer.blocks()
        return CallFacts(
            window,
            requests=window.lines,
            calls=integer(calls.rest if calls else "", "the calls"),
            peaks=tuple(_peak(block.rest) for block in blocks if block.name == "peak"),
            tried=integer(tried.rest if tried else "", "the scans"),
            finds=tuple(_find(block.rest) for block in blocks if block.name == "find"),
        )


def _peak(rest: str) -> Peak:
    count, what = counted(rest)
    address, _, when = what.partition(" ")
    return Peak(client(address, count, {}), moment(integer(when, "the busiest minute"), "the busiest minute"))


def _find(rest: str) -> Find:
    count, what = counted(rest)
    address, _, path = what.partition(" ")
    return Find(client(address, count, {}), one_line(path, 120))


__all__ = ["ApiCalls", "CallFacts", "Find", "Peak"]
