"""What checks may ask for as arguments: every noun, and what belongs to the check itself."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import pytest

import opsverify.vocabulary  # noqa: F401 - registers the nouns
from opsverify.environment import Environment, Target
from opsverify.errors import NotApplicable
from opsverify.expect import Expect
from opsverify.history.reading import History, Reader
from opsverify.items import Item
from opsverify.nouns import NOUNS, Noun
from opsverify.plugin.state import AIM, RUN, Aim


@pytest.fixture
def target(request: pytest.FixtureRequest) -> Target | None:
    """The target that this check is aimed at, as its environment file describes it."""
    aim: Aim = request.param
    return aim.target


@pytest.fixture
def environment(request: pytest.FixtureRequest) -> Environment:
    """The environment that this check is aimed at."""
    aim: Aim = request.node.stash[AIM]
    return aim.environment


@pytest.fixture
def settings(request: pytest.FixtureRequest) -> Mapping[str, Any]:
    """The item's settings from runbook.yaml, as the environment overrides them."""
    aim: Aim = request.node.stash[AIM]
    return aim.item.settings


@pytest.fixture
def items(request: pytest.FixtureRequest) -> Mapping[str, Item]:
    """Every item of the runbook as this environment wants it, by id."""
    items: Mapping[str, Item] = request.node.stash[AIM].loaded.items
    return items


@pytest.fixture
def now(request: pytest.FixtureRequest) -> datetime:
    """The moment at which this run began, UTC: the same for all checks."""
    return request.config.stash[RUN].now


@pytest.fixture
def expect(request: pytest.FixtureRequest) -> Expect:
    """Judges what it is given against the item's band, or as a plain yes/no; see opsverify.expect.Expect."""
    return Expect(request.node.stash[AIM].item)


@pytest.fixture
def history(request: pytest.FixtureRequest) -> History:
    """What earlier runs measured of this check's target; see opsverify.history.reading.History."""
    run, aim = request.config.stash[RUN], request.node.stash[AIM]
    location = run.histories[aim.environment.name]
    reader = run.readers.setdefault(location, Reader(location))
    return History(reader, aim.environment.name, aim.target.name, aim.target.kind)


def _fixture(noun: Noun) -> Any:
    def hand_over(request: pytest.FixtureRequest, target: Target) -> Any:
        aim = request.node.stash[AIM]
        try:
            return noun.fact(request.config.stash[RUN].evidence, aim.environment, target, aim.item.settings)
        except NotApplicable as error:
            pytest.skip(str(error))

    hand_over.__doc__ = noun.doc
    hand_over.__name__ = noun.name
    return pytest.fixture(name=noun.name)(hand_over)


for _noun in NOUNS.values():
    globals()[f"noun_{_noun.name}"] = _fixture(_noun)
