"""Faults: ways in which the rehearsal is really broken, and exactly which checks must turn for each.

`pytest --env rehearsal --fault NAME` breaks a rehearsal of the run's own; `--fault list` lists them. In a test::

    with rehearsal.private() as whole, faults.broken(whole, [faults.FAULTS["table-dropped"]]):
        ...

Each area is a module; a fault is a generator function that does, yields, and undoes. tests/faults proves that each
turns what it declares and nothing else.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rehearsal.faults import (  # noqa: F401 - importing an area declares its faults
    backups,
    configuration,
    database,
    documents,
    edge,
    logs,
    machines,
    maintenance,
    processes,
    release,
    resources,
    security,
    slots,
    stopped,
)
from rehearsal.faults.fault import Fault, Scene, catalogue, stepping

if TYPE_CHECKING:
    from rehearsal.whole import Rehearsal

__all__ = ["FAULTS", "Fault", "Scene", "broken"]

FAULTS: Mapping[str, Fault] = catalogue()


@contextlib.contextmanager
def broken(whole: Rehearsal, faults: Sequence[Fault], scene: Scene | None = None) -> Iterator[None]:
    """Bring the system into the faults' scene (else `scene`) and apply them for the length of the block.

    The timer of health checks stands still meanwhile, having run once: when it comes by would be chance. What the
    running parts log meanwhile is taken back.
    """
    whole.health_checks.stop()
    whole.health_checks.check()
    with contextlib.ExitStack() as undoing:
        layout = whole.layout
        for log in (layout.app_log, layout.access_log, layout.health_check_log, layout.alert_spool):
            undoing.callback(_cut, log, log.stat().st_size if log.exists() else 0)
        staged = faults[0].scene if faults else scene
        if staged is not None:
            undoing.enter_context(stepping(staged.enter, whole))
        for fault in faults:
            if fault.do is None:
                raise ValueError(f"{fault.name} cannot be rehearsed: {fault.proof} proves it")
            undoing.enter_context(stepping(fault.do, whole))
        yield


def _cut(log: Path, size: int) -> None:
    if log.exists() and log.stat().st_size > size:
        with log.open("r+b") as file:
            file.truncate(size)
