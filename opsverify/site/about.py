"""What the history does not hold: how an environment is called, whose calendar counts, which limits it has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import TypeAdapter, ValidationError

from opsverify.config.bands import AtLeast, AtMost
from opsverify.config.deadlines import TIME_ZONES, is_known_country, is_known_time_zone, respond_by
from opsverify.config.environment import CheckOverride
from opsverify.config.items import Item
from opsverify.config.loading import one_setting
from opsverify.errors import ConfigurationError

_DEFAULT_COUNTRY = "JP"


@dataclass(frozen=True)
class About:
    """An environment beside its history. `items` are the runbook's, by id, as the environment overrides them."""

    name: str
    title: str
    country: str
    timezone: str
    items: Mapping[str, Item]

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    def due(self, severity: str, found: datetime) -> datetime:
        """By when somebody must respond to what was found then."""
        return respond_by(severity, found, self.country, self.timezone)

    def limit(self, item: str) -> float | None:
        """The figure of an item's band behind which it alerts; None where it has no band."""
        band = self.items[item].band if item in self.items else None
        if isinstance(band, AtMost):
            return band.alert_above
        return band.alert_below if isinstance(band, AtLeast) else None

    def setting(self, item: str, name: str) -> Any:
        """One of an item's settings."""
        return self.items[item].settings[name]


def about(name: str, path: Path, items: Mapping[str, Item]) -> About:
    """What is said of an environment, by its file where that is here; else the defaults of a file that says nothing.

    Only what is needed is read: variables that hold secrets need not be set. Raises ConfigurationError.
    """
    if not path.is_file():
        return About(name, name, _DEFAULT_COUNTRY, TIME_ZONES[_DEFAULT_COUNTRY], items)
    country = str(one_setting(path, "country") or _DEFAULT_COUNTRY)
    timezone = str(one_setting(path, "timezone") or TIME_ZONES.get(country, ""))
    mistakes = []
    if not is_known_country(country):
        mistakes.append(f"{path}: country: found {country!r}, allowed a country whose public holidays are known")
    if not is_known_time_zone(timezone):
        mistakes.append(f"{path}: timezone: found {timezone!r}, allowed an IANA time zone, Asia/Tokyo")
    changed = dict(items)
    try:
        overrides = TypeAdapter(dict[str, CheckOverride]).validate_python(one_setting(path, "checks") or {})
        changed |= {key: items[key].overridden(one) for key, one in overrides.items() if key in items}
    except ConfigurationError as error:
        mistakes += error.mistakes
    except (ValidationError, ValueError):
        mistakes.append(f"{path}: checks: found a value that does not fit; pytest --env says which")
    if mistakes:
        raise ConfigurationError(mistakes)
    return About(name, str(one_setting(path, "title") or name), country, timezone, changed)
