"""The exit code: what a deployment pipeline trusts. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from opsverify.reporting.change import State
from opsverify.reporting.results import Outcome, Result

LEVELS = ("P1", "P2", "P3", "P4", "warning")
NEW = "new"

OK, FAILED, NOTHING_JUDGED = 0, 1, 5


@dataclass(frozen=True)
class FailOn:
    """What `--fail-on` says."""

    level: str = "P4"
    """One of LEVELS."""
    only_new: bool = False
    """Whether what earlier runs found as well lets a run through."""

    @classmethod
    def parse(cls, text: str) -> FailOn:
        """From a level, `new`, or both with a comma between them; raises ValueError, which says what is allowed."""
        words = text.split(",")
        levels = [word for word in words if word != NEW]
        if len(levels) > 1 or words.count(NEW) > 1 or not set(levels) <= set(LEVELS):
            raise ValueError(f"{', '.join(LEVELS)}, {NEW}, or {NEW} and one of the others, as {NEW},P2")
        return cls(levels[0] if levels else cls.level, NEW in words)


def decides(result: Result, fail_on: FailOn) -> bool:
    """Whether this one result alone makes the run fail."""
    if result.outcome is Outcome.BROKEN:
        return True  # a check that broke proves nothing, and its severity says nothing about why
    if fail_on.only_new and result.change is not None and result.change.state is State.KNOWN:
        return False  # where nothing is known of what came before, everything counts as new
    if result.outcome is Outcome.WARNING:
        return fail_on.level == "warning"
    return result.outcome.failed and (fail_on.level == "warning" or result.severity <= fail_on.level)


def exit_code(results: Iterable[Result], fail_on: FailOn, pytests: int, *, partial: bool = False) -> int:
    """The exit code of a run: 0 all well, 1 something decides against it, 5 nothing was judged.

    `pytests` is pytest's own: usage errors, interruptions and internal errors (2 to 4) stand. A run that did not get
    to its end (`partial`) is never 0.
    """
    if pytests not in (OK, FAILED, NOTHING_JUDGED):
        return pytests
    judged = list(results)
    if any(decides(result, fail_on) for result in judged):
        return FAILED
    if partial:
        return pytests or FAILED
    if not any(result.outcome.judged for result in judged):
        return FAILED if any(result.outcome.failed for result in judged) else NOTHING_JUDGED
    return OK
