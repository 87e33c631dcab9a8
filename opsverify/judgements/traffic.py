"""Which slot answers at the public address: processes are told apart by the moment at which they started. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from opsverify.probes.http.health import boot_precision

if TYPE_CHECKING:
    from opsverify.evidence.attempt import Attempt
    from opsverify.probes.http.health import HealthFacts


@dataclass(frozen=True)
class Slots:
    """What the APIs of the slots say of themselves, asked past the proxy."""

    boots: tuple[tuple[str, datetime, float], ...]
    """(slot, when a process of it started, how exactly that is known in seconds)."""
    silent: tuple[str, ...]
    """Slots of which no process is known, each with the reason."""

    def running_since(self, boot: datetime | None, answer: HealthFacts, tolerance: float) -> list[str]:
        """The slots that have a process started at `boot`, as `answer` tells it, give or take `tolerance` seconds."""
        return sorted(
            {
                slot
                for slot, names, exactness in self.boots
                if boot is not None
                and abs((boot - names).total_seconds()) <= tolerance + max(exactness, precision_seconds(answer))
            }
        )

    def of_several(self, tolerance: float) -> list[str]:
        """The slots of which more than one process answered: a few samples need not have met all of a cluster."""
        spans: dict[str, tuple[datetime, datetime, float]] = {}
        for slot, boot, exactness in self.boots:
            first, last, most = spans.get(slot, (boot, boot, exactness))
            spans[slot] = (min(first, boot), max(last, boot), max(most, exactness))
        return [slot for slot, (a, b, most) in spans.items() if (b - a).total_seconds() > tolerance + most]


def seen_slots(attempts: Iterable[tuple[str, Attempt]]) -> Slots:
    """Sort the attempts at the health of APIs, (slot, attempt), by what they tell."""
    boots, reasons = [], {}
    for slot, attempt in attempts:
        started = [boot for boot in attempt.fact.boots if boot is not None] if attempt.fact is not None else []
        boots += [(slot, boot, precision_seconds(attempt.fact)) for boot in started]
        if not started:
            reasons[slot] = attempt.failure or "its API does not say when it started"
    answering = {slot for slot, _, _ in boots}
    return Slots(tuple(boots), tuple(f"slot {slot}: {why}" for slot, why in reasons.items() if slot not in answering))


def precision_seconds(health: HealthFacts) -> float:
    """How exactly an answer tells when its process started: one that counts whole seconds only, to 1 s."""
    return boot_precision(health.uptime_seconds)
