"""What is seen of a run while its evidence is collected: a line that changes, or one every ten seconds in a log."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from opsverify.evidence.progress import Running

if TYPE_CHECKING:
    from _pytest.terminal import TerminalReporter

    from opsverify.reporting.text import Redactor

FIRST_SECONDS = 1.0
"""What ends sooner needs no line."""
LOG_SECONDS = 10.0
TERMINAL_SECONDS = 0.2
SLOW_SECONDS = 3.0
"""From here on a target is named."""
_NAMED = 3


class Shown:
    """Writes to pytest's terminal."""

    def __init__(self, terminal: TerminalReporter, redactor: Redactor) -> None:
        self._terminal = terminal
        self._redactor = redactor
        self._live = terminal.isatty
        self._count = 0
        self._began = self._last = 0.0
        self._wrote = False

    def begins(self, count: int) -> None:
        self._count = count
        self._began = self._last = time.monotonic()

    def shows(self, done: int, running: Sequence[Running]) -> None:
        now = time.monotonic()
        every = TERMINAL_SECONDS if self._live else LOG_SECONDS
        if now - self._began < FIRST_SECONDS or now - self._last < every:
            return
        self._last = now
        text = self._redactor.printable(line(self._count, done, now - self._began, running), 500)
        if not self._live:
            self._terminal.write_line(text)
            return
        width = self._terminal._tw.fullwidth - 1
        self._terminal.rewrite(text if len(text) <= width else text[: width - 1] + "…", erase=True)
        self._wrote = True

    def ends(self) -> None:
        if self._wrote:
            self._terminal.rewrite("", erase=True)


def line(count: int, done: int, seconds: float, running: Sequence[Running]) -> str:
    """`evidence: 412 of 1,000 probes have ended, about 20 s left · host app7 (12 s) …`, with what is slow."""
    parts = [f"evidence: {done:,} of {count:,} probes have ended"]
    if done and done < count:
        # By the pace so far; and never less than nothing, nor more than what runs may still take at the end.
        left = (count - done) * seconds / done
        if len(running) == count - done:
            left = min(left, max(one.left for one in running))
        parts[0] += f", about {left:.0f} s left"
    slow = [one for one in running if one.phase or one.seconds >= SLOW_SECONDS]
    slow.sort(key=lambda one: not one.phase)
    named = [f"{one.target} ({f'{one.phase}, ' if one.phase else ''}{one.seconds:.0f} s)" for one in slow[:_NAMED]]
    if len(slow) > _NAMED:
        named.append(f"{len(slow) - _NAMED:,} more")
    return " · ".join([*parts, *([", ".join(named)] if named else [])])
