"""What the parts of the plugin share: the run of this process, and each test's aim."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

import pytest

from opsverify.config.environment import Environment, Target
from opsverify.config.history_location import Location
from opsverify.config.items import Item
from opsverify.config.loading import Loaded
from opsverify.evidence.collect import Evidence
from opsverify.history.reading import Reader
from opsverify.reporting.text import Redactor


@dataclass(frozen=True)
class Case:
    """One check of one target. Where it does not apply `excuse` says why; `target` is None where there is none."""

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
CASE = pytest.StashKey[Case]()


def is_worker(config: pytest.Config) -> bool:
    """Whether this is one of xdist's processes, which run tests and report to the one that was started."""
    return hasattr(config, "workerinput")


def looks_ahead(config: pytest.Config) -> bool:
    """Whether this is no run: nothing is reported, and nothing is kept."""
    return bool(config.option.plan or config.option.preflight or config.option.explain)


def contacts_nothing(config: pytest.Config) -> bool:
    """Whether no target may be asked anything, nor a rehearsal be started."""
    return bool(config.option.plan or config.option.explain)
