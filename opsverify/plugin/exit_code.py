"""The exit code: what a deployment pipeline trusts. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from opsverify.reporting.results import Outcome, Result

LEVELS = ("P1", "P2", "P3", "P4", "warning")

OK, FAILED, NOTHING_JUDGED = 0, 1, 5


def decides(result: Result, fail_on: str) -> bool:
    """Whether this one result alone makes the run fail at level `fail_on` (one of LEVELS)."""
    if result.outcome is Outcome.BROKEN:
        return True  # a check that broke proves nothing, and its severity says nothing about why
    if result.outcome is Outcome.WARNING:
        return fail_on == "warning"
    return result.outcome.failed and (fail_on == "warning" or result.severity <= fail_on)


def exit_code(results: Iterable[Result], fail_on: str, pytests: int, *, partial: bool = False) -> int:
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
