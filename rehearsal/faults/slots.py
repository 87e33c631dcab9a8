"""Blue and green."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import TYPE_CHECKING

from rehearsal.faults.fault import ALERT, fault
from rehearsal.faults.scenes import RETIRED, SWITCHING

if TYPE_CHECKING:
    from rehearsal.whole import Rehearsal


@fault("Traffic goes to the idle slot.", {"traffic-slot[public]": ALERT})
def traffic_on_wrong_slot(whole: Rehearsal) -> Iterator[None]:
    whole.proxy.switch("green")
    yield
    whole.proxy.switch("blue")


@fault(
    "The idle slot's release has a migration that was not applied.",
    {"idle-slot-ready[checkout-green]": ALERT, "migrations-applied[checkout-green]": ALERT},
    scene=SWITCHING,
)
def idle_slot_not_migrated(whole: Rehearsal) -> Iterator[None]:
    pending = whole.layout.checkout_of("green") / "backend/prisma/migrations/20260101000000_add_awards"
    pending.mkdir()
    (pending / "migration.sql").write_text("CREATE TABLE awards (id text);\n")
    yield
    shutil.rmtree(pending)


@fault(
    "The backend of the retired slot was started again.", {"retired-slot-stopped[backend-green]": ALERT}, scene=RETIRED
)
def retired_slot_runs(whole: Rehearsal) -> Iterator[None]:
    whole.backends["green"].start()
    yield
    whole.backends["green"].stop()
