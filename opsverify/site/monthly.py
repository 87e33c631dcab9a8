"""The compliance report of one month of one environment. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from opsverify.history.availability import Shares, availability, shares
from opsverify.history.compliance import Month, Status, Verified, status, verified
from opsverify.history.repairs import Response, Spell, response
from opsverify.site.about import About
from opsverify.site.figures import Promise

_FOUND = "; observed "
"""What a waived result's sentence goes on with behind the waiver: figures that differ from run to run."""


@dataclass(frozen=True)
class Line:
    """What became of one promise in the month. `responses` count what its runs were first to find."""

    promise: Promise
    verified: Verified
    shares: Shares
    available: float | None
    status: Status
    responses: dict[Response, int]
    waivers: Sequence[str]
    """Who answers for it, until when and why, each once."""


@dataclass(frozen=True)
class Report:
    """A month. `until` is its end, or now where it is not over."""

    month: Month
    until: datetime
    over: bool
    lines: Sequence[Line]

    @property
    def statuses(self) -> dict[Status, int]:
        """How many promises there are of each status, those that there are."""
        counted = Counter(line.status for line in self.lines)
        return {one: counted[one] for one in Status if counted[one]}


def report(month: Month, promises: Sequence[Promise], about: About, now: datetime) -> Report:
    """The report of a month that has begun."""
    start, end = month.start(about.zone), month.following.start(about.zone)
    until = min(end, now)
    lines = [_line(promise, month, start, until, about, now) for promise in promises]
    return Report(month, until, end <= now, lines)


def _line(promise: Promise, month: Month, start: datetime, until: datetime, about: About, now: datetime) -> Line:
    of = shares(promise.segments, start, until)
    within = [one for one in promise.findings if start <= one.when < until]
    checked = verified(within, promise.schedule, month, about.zone, now)
    found = [spell for spell in promise.failures if start <= spell.began < until]
    answered = Counter(_response(spell, about, now) for spell in found)
    waivers = sorted({one.waiver.partition(_FOUND)[0] for one in within if one.waiver})
    return Line(
        promise, checked, of, availability(of), status(of, checked), {one: answered[one] for one in Response}, waivers
    )


def _response(spell: Spell, about: About, now: datetime) -> Response:
    return response(spell, about.due(spell.severity, spell.began), now)
