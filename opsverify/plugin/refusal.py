"""A run that is refused says all that is wrong, at once: what was found first hides nothing that would be found later.

What refuses a run is decided elsewhere, and stays so: a run of a few checks is not refused for what others miss. But
where it is refused, somebody opens the file, and shall have to open it once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import opsverify.facts  # noqa: F401 - registers the facts
from opsverify.config.loading import Reading, load_items, read_environment
from opsverify.config.mistakes import in_order
from opsverify.errors import ConfigurationError
from opsverify.plugin import faults as breaking
from opsverify.plugin.default_environment import chosen
from opsverify.plugin.meeting import unmet
from opsverify.plugin.startup import VARIABLES, environment_files, location_of, runbook, unusable_channels, wrong_slot
from opsverify.reporting.text import Redactor
from opsverify.reporting.traceability import Check, read_checks

if TYPE_CHECKING:
    from rehearsal.faults import Fault


def refused(config: pytest.Config, error: ConfigurationError) -> pytest.UsageError:
    """The usage error of a run that these mistakes refuse, with all others that the environments have."""
    try:
        mistakes = _all(config, list(error.mistakes))
    except ConfigurationError:  # no runbook, no such environment: it is what was told
        mistakes = list(error.mistakes)
    # Names and values are somebody's: no secret, and no other line than its own.
    return pytest.UsageError("\n".join(Redactor().printable(one, 2000) for one in mistakes))


def _all(config: pytest.Config, told: list[str]) -> list[str]:
    """Those told that are about no environment's file, then those of each, in the order of its keys."""
    path = runbook(config)
    items, paths = load_items(path), environment_files(config, chosen(config).names)
    checks = read_checks(path.parent, items)
    of_files: list[str] = []
    for file in paths:
        own = [line for line in told if line.startswith(f"{file}: ")]
        told = [line for line in told if line not in own]
        try:
            reading = read_environment(file, items, _variables(config, file), breaking.changes(_faults(config)))
        except ConfigurationError as error:
            of_files += [*own, *error.mistakes]
            continue
        more = [*own, *reading.mistakes, *_later(config, file, reading, checks)]
        of_files += in_order(more, file, reading.tree)
    return list(dict.fromkeys([*told, *of_files]))


def _later(config: pytest.Config, path: Path, reading: Reading, checks: list[Check]) -> Iterator[str]:
    """What would be found when the file itself is right."""
    rest = reading.rest
    if rest is None:
        return
    slot = config.option.slot
    wrong = wrong_slot(rest, slot)
    if wrong and not reading.incomplete:  # else what is left out may have that slot
        yield wrong
    url = rest.environment.history
    try:
        location_of(config, path, url and url.get_secret_value())
    except ConfigurationError as error:
        yield from error.mistakes
    if not config.option.no_notify:
        yield from unusable_channels(rest)
    yield from unmet(rest, checks, None if wrong else slot, reading.incomplete)


def _variables(config: pytest.Config, path: Path) -> dict[str, str]:
    """What a rehearsal that was started provides; of one that was not, what it would look like."""
    if VARIABLES in config.stash:
        return config.stash[VARIABLES]
    from rehearsal import foreseen

    return foreseen.variables(path)


def _faults(config: pytest.Config) -> Sequence[Fault]:
    try:
        return breaking.chosen(config)
    except ConfigurationError:
        return []
