"""An emergency stop that is none."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from typing import TYPE_CHECKING

from rehearsal.faults.fault import ALERT, fault
from rehearsal.faults.scenes import STOPPED

if TYPE_CHECKING:
    from rehearsal.whole import Rehearsal


@fault("A backend was left running.", {"application-stopped[backend-green]": ALERT}, scene=STOPPED)
def backend_left_running(whole: Rehearsal) -> Iterator[None]:
    whole.backends["green"].start()
    yield
    whole.backends["green"].stop()


@fault(
    "Only the wrapper that the pid file names was killed: Node.js goes on serving.",
    {"application-stopped[backend-blue]": ALERT},
    scene=STOPPED,
)
def wrapper_killed(whole: Rehearsal) -> Iterator[None]:
    backend = whole.backends["blue"]
    backend.start()
    ended = subprocess.Popen(["true"])
    ended.wait()
    backend.pid_file.write_text(f"{ended.pid}\n")
    yield
    backend.stop()


@fault("PostgreSQL was left running.", {"database-stopped[postgresql]": ALERT}, scene=STOPPED)
def database_left_running(whole: Rehearsal) -> Iterator[None]:
    whole.postgres.start()
    yield
    whole.postgres.stop()


@fault(
    "Users get the proxy's error instead of the maintenance page.", {"maintenance-page[public]": ALERT}, scene=STOPPED
)
def maintenance_page_missing(whole: Rehearsal) -> Iterator[None]:
    whole.proxy.maintenance(on=False)
    yield
    whole.proxy.maintenance(on=True)
