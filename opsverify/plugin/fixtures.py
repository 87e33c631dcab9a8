"""What checks may ask for as arguments: every fact, and what belongs to the check itself."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import pytest

import opsverify.facts  # noqa: F401 - registers the facts
from opsverify.config.environment import Environment, Target
from opsverify.config.items import Item
from opsverify.errors import NotApplicable
from opsverify.facts.registry import FACTS, Fact
from opsverify.history.reading import History, Reader
from opsverify.judgements.expect import Expect
from opsverify.plugin.state import CASE, RUN, Case


@pytest.fixture
def target(request: pytest.FixtureRequest) -> Target | None:
    """The target that this check is aimed at, as its environment file describes it."""
    case: Case = request.param
    return case.target


@pytest.fixture
def environment(request: pytest.FixtureRequest) -> Environment:
    """The environment that this check is aimed at."""
    case: Case = request.node.stash[CASE]
    return case.environment


@pytest.fixture
def settings(request: pytest.FixtureRequest) -> Mapping[str, Any]:
    """The item's settings from runbook.yaml, as the environment overrides them."""
    case: Case = request.node.stash[CASE]
    return case.item.settings


@pytest.fixture
def items(request: pytest.FixtureRequest) -> Mapping[str, Item]:
    """Every item of the runbook as this environment wants it, by id."""
    items: Mapping[str, Item] = request.node.stash[CASE].loaded.items
    return items


@pytest.fixture
def now(request: pytest.FixtureRequest) -> datetime:
    """The moment at which this run began, UTC: the same for all checks."""
    return request.config.stash[RUN].now


@pytest.fixture
def expect(request: pytest.FixtureRequest) -> Expect:
    """Judges what it is given against the item's band, or as a plain yes/no; see opsverify.judgements.expect.Expect."""
    return Expect(request.node.stash[CASE].item)


@pytest.fixture
def history(request: pytest.FixtureRequest) -> History:
    """What earlier runs measured of this check's target; see opsverify.history.reading.History."""
    run, case = request.config.stash[RUN], request.node.stash[CASE]
    location = run.histories[case.environment.name]
    reader = run.readers.setdefault(location, Reader(location))
    return History(reader, case.environment.name, case.target.name, case.target.kind)


def _fixture(fact: Fact) -> Any:
    def hand_over(request: pytest.FixtureRequest, target: Target) -> Any:
        case = request.node.stash[CASE]
        try:
            return fact.value(request.config.stash[RUN].evidence, case.environment, target, case.item.settings)
        except NotApplicable as error:
            pytest.skip(str(error))

    hand_over.__doc__ = fact.doc
    hand_over.__name__ = fact.name
    return pytest.fixture(name=fact.name)(hand_over)


for _fact in FACTS.values():
    globals()[f"fact_{_fact.name}"] = _fixture(_fact)
