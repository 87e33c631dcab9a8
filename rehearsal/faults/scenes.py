"""The states of the system, beyond serving, in which a run may find it: each with the checks that belong to it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from rehearsal.faults.fault import Scene, nothing
from rehearsal.layout import SLOTS_APART_SECONDS

if TYPE_CHECKING:
    from rehearsal.parts.backend import Backend
    from rehearsal.parts.frontend import Frontend
    from rehearsal.parts.postgres import Postgres
    from rehearsal.whole import Rehearsal


def emergency_stop(whole: Rehearsal) -> Iterator[None]:
    """Stop everything but the proxy, which shows the maintenance page."""
    parts: list[Frontend | Backend | Postgres] = [*whole.frontends.values(), *whole.backends.values(), whole.postgres]
    for part in parts:
        part.stop()
    whole.proxy.maintenance(on=True)
    yield
    whole.proxy.maintenance(on=False)
    for part in reversed(parts):
        if not part.alive():
            part.start()
            time.sleep(SLOTS_APART_SECONDS)


def stop_green(whole: Rehearsal) -> Iterator[None]:
    """Stop the slot that is retired."""
    parts = (whole.frontends["green"], whole.backends["green"])
    for part in parts:
        part.stop()
    yield
    for part in parts:
        if not part.alive():
            part.start()


STOPPED = Scene("stopped", "everything stopped, a maintenance page shown", emergency_stop, markers="stopped")
DRILL = Scene("drill", "the system as it serves, asked by -m drill", nothing, markers="drill")
SWITCHING = Scene("switching", "the system as it serves, asked about its idle slot", nothing, slot="green")
RETIRED = Scene("retired", "slot green retired and stopped", stop_green, changes={"retired_slots": ["green"]})
