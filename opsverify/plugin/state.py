"""What the parts of the plugin share: the run of this process, and each test's aim."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

import pytest

from opsverify.environment import Environment, Target
from opsverify.evidence import Evidence
from opsverify.history.location import Location
from opsverify.history.reading import Reader
from opsverify.items import Item
from opsverify.loading import Loaded
from opsverify.reporting.text import Redactor


@dataclass(frozen=True)
class Aim:
    """One check of one target. `target` is None where the check does not apply; `excuse` then says why."""

    loaded: Loaded
    item: Item
    target: Target | None
    excuse: str = ""

    @property
    def environment(self) -> Environment:
        return self.loaded.environment


@dataclass
class Run:
    """What one pytest process knows about its run."""

    environments: list[Loaded]
    slot: str | None
    redactor: Redactor
    evidence: Evidence
    mistakes: list[str]
    now: datetime
    histories: dict[str, Location] = field(default_factory=dict)
    """Where each environment's earlier runs are kept, by its name."""
    readers: dict[Location, Reader] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """The environments' titles, and the slot that is looked at where there are several."""
        titles = []
        for loaded in self.environments:
            environment = loaded.environment
            slot = self.slot or environment.active_slot
            titles.append((environment.title or environment.name) + (f" (slot {slot})" if slot else ""))
        return " + ".join(titles)


RUN = pytest.StashKey[Run]()
AIM = pytest.StashKey[Aim]()


def is_worker(config: pytest.Config) -> bool:
    """Whether this is one of xdist's processes, which run tests and report to the one that was started."""
    return hasattr(config, "workerinput")
