"""What an environment file may say about who is told of what, where and when: the section `notify`."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, SecretStr, StringConstraints, model_validator

from opsverify.config import addresses
from opsverify.config.items import Chapter, ItemId, Severity
from opsverify.config.model import Address, Model, Name, Owner, Reason, Seconds, web_address

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
_CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)|24:00")


def _clock(value: str) -> str:
    if not _CLOCK.fullmatch(value):
        raise ValueError("a time of day from 00:00 to 24:00")
    return value


def _secret_address(value: SecretStr) -> SecretStr:
    web_address(value.get_secret_value())
    return value


def _heartbeat(value: SecretStr) -> SecretStr:
    return _secret_address(value) if value.get_secret_value() else value


def _apprise(value: SecretStr) -> SecretStr:
    text = value.get_secret_value()
    if not re.match(r"[a-z][a-z0-9+.-]*://.", text, re.IGNORECASE):
        raise ValueError("a URL of Apprise, such as mailtos://… or slack://…")
    if re.search(r"[\s\x00-\x1f\x7f]|%(?![0-9A-Fa-f]{2})", text):
        raise ValueError(f"a URL of Apprise whose pieces are percent-encoded ({addresses.ENCODE})")
    # A password with an @ or a / of its own ends too early: what follows would be contacted, and shown.
    if text.partition("?")[0].count("@") > 1 and text.lower().startswith(("mailto", "http", "json", "xml", "form")):
        raise ValueError(f"a URL of Apprise whose user and password are percent-encoded ({addresses.ENCODE})")
    return value


Clock = Annotated[str, AfterValidator(_clock)]
Pattern = Annotated[str, StringConstraints(min_length=1, max_length=121)]
"""A target's, host's or group's name, in which * stands for anything and ? for one character."""


def is_pattern(target: str) -> bool:
    """Whether it names targets by a pattern."""
    return "*" in target or "?" in target


class Channel(Model):
    """One way by which a message leaves: exactly one of apprise, webhook and script."""

    apprise: Annotated[SecretStr, AfterValidator(_apprise)] | None = Field(
        None, description="A URL of Apprise (requirements-notify.txt), its secrets as ${VAR}: mailtos://…, slack://…"
    )
    webhook: Annotated[SecretStr, AfterValidator(_secret_address)] | None = Field(
        None, description="An address to which the message is posted as JSON."
    )
    headers: dict[str, SecretStr] = Field(default_factory=dict, description="More request headers, for a webhook.")
    ca_file: Path | None = Field(None, description="For a webhook: trust this CA (PEM) instead of the system's.")
    script: Annotated[str, StringConstraints(pattern=r"^/[^\x00\n]*$")] | None = Field(
        None, description="A program on this machine, called with the message: /srv/mycats/scripts/send-alert.sh."
    )

    @model_validator(mode="after")
    def _one_way(self) -> Channel:
        if sum(way is not None for way in (self.apprise, self.webhook, self.script)) != 1:
            raise ValueError("exactly one of apprise, webhook and script")
        if (self.headers or self.ca_file) and self.webhook is None:
            raise ValueError("headers and ca_file for a webhook only")
        return self


class Selection(Model):
    """Some findings: those that every given key names; no key names all."""

    checks: tuple[ItemId, ...] = Field((), description="These checks only.")
    targets: tuple[Pattern, ...] = Field(
        (), description="These targets, or what lies on these hosts; * is anything, ? one character."
    )

    @cached_property
    def _names(self) -> frozenset[str]:
        return frozenset(target for target in self.targets if not is_pattern(target))

    @cached_property
    def _patterns(self) -> tuple[str, ...]:
        # A group's name may be a range, web[1:9]: brackets mean nothing here.
        return tuple(target.replace("[", "[[]") for target in self.targets if is_pattern(target))

    def matches(self, check: str, names: tuple[str, ...]) -> bool:
        """Whether a finding of this check is among them; `names` are its target's and that target's host's."""
        by_name = not self.targets or any(
            name in self._names or any(fnmatchcase(name, pattern) for pattern in self._patterns) for name in names
        )
        return by_name and (not self.checks or check in self.checks)

    def standing_for(self, members: Mapping[str, Collection[str]]) -> Self:
        """The same, where groups stand for their members, too."""
        targets = [one for target in self.targets for one in (target, *sorted(members.get(target, ())))]
        return self.model_copy(update={"targets": tuple(targets)})


class Route(Selection):
    """Which findings go to which channels; what several routes name goes to the channels of all of them."""

    channels: tuple[Name, ...] = Field(description="By their names under channels; none: these findings go nowhere.")
    severities: tuple[Severity, ...] = Field((), description="Of these severities only.")
    chapters: tuple[Chapter, ...] = Field((), description="Of checks of these chapters of the runbook only.")


class QuietHours(Model):
    """When nobody is disturbed for less than a P1."""

    start: Clock = Field(description="A time of day: 22:00.")
    end: Clock = Field(description="Before start: on the next day.")
    days: tuple[Day, ...] = Field((), description="The days on which they start; none: every day.")

    @model_validator(mode="after")
    def _some_time(self) -> QuietHours:
        if self.start == self.end:
            raise ValueError("an end that is not the start (00:00 to 24:00 is the whole day)")
        return self

    def cover(self, now: datetime, zone: str) -> bool:
        """Whether an aware time is among them, by that time zone's clock."""
        return recurring(self.start, self.end, self.days, now, zone)


class Maintenance(Selection):
    """When findings are expected: every week by times of day, or once by dates."""

    start: str = Field(description="02:00, every day or on days; or once: 2026-12-05 22:00, in the environment's zone.")
    end: str = Field(description="As start; a time of day before start is on the next day.")
    days: tuple[Day, ...] = Field((), description="The days on which it starts, where start is a time of day.")
    owner: Owner = Field(description="Who answers for it: a person or a team.")
    reason: Reason = Field(description="Why findings are expected.")

    @model_validator(mode="after")
    def _both_ends_alike(self) -> Maintenance:
        if all(map(_CLOCK.fullmatch, (self.start, self.end))):
            if self.start == self.end:
                raise ValueError("an end that is not the start (00:00 to 24:00 is the whole day)")
            return self
        try:
            start, end = map(_moment, (self.start, self.end))
        except ValueError:
            raise ValueError(
                "start and end as times of day, 22:00, or as dates with a time, 2026-12-05 22:00"
            ) from None
        if (start.tzinfo is None) != (end.tzinfo is None):
            raise ValueError("start and end both with a time zone, or both without one")
        if end <= start:
            raise ValueError("an end after the start")
        if self.days:
            raise ValueError("no days beside dates")
        return self

    def cover(self, now: datetime, zone: str) -> bool:
        """Whether an aware time is in it."""
        if _CLOCK.fullmatch(self.start):
            return recurring(self.start, self.end, self.days, now, zone)
        start, end = (_in(_moment(text), zone) for text in (self.start, self.end))
        return start <= now < end


def recurring(start: str, end: str, days: tuple[str, ...], now: datetime, zone: str) -> bool:
    """Whether an aware time is between two times of day, of which the second may be on the day after one of `days`."""
    local = now.astimezone(ZoneInfo(zone))
    time, today, yesterday = f"{local:%H:%M}", DAYS[local.weekday()], DAYS[local.weekday() - 1]
    on_today, on_yesterday = (not days or day in days for day in (today, yesterday))
    if start < end:
        return on_today and start <= time < end
    return (on_today and time >= start) or (on_yesterday and time < end)


def _moment(text: str) -> datetime:
    if len(text) <= len("2026-12-05"):
        raise ValueError("a date without a time")
    return datetime.fromisoformat(text)


def _in(moment: datetime, zone: str) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(zone))


Hours = Annotated[float, Field(ge=0, le=24 * 400, allow_inf_nan=False)]


class RemindHours(Model):
    """After how many hours a finding that lasts is told again, by severity; 0: never."""

    P1: Hours = Field(default=1, description="Hours until a P1 is told again.")
    P2: Hours = Field(default=4, description="Hours until a P2 is told again.")
    P3: Hours = Field(default=24, description="Hours until a P3 is told again.")
    P4: Hours = Field(default=168, description="Hours until a P4 is told again.")

    def of(self, severity: str) -> timedelta | None:
        """As a time; None for never."""
        hours: float = getattr(self, severity)
        return timedelta(hours=hours) if hours else None


class Notify(Model):
    """Who is told of a change of state, on which channel, and when."""

    channels: dict[Name, Channel] = Field(
        default_factory=dict, description="By name: the ways by which messages leave."
    )
    routes: tuple[Route, ...] = Field((), description="What none of them names goes to every channel.")
    after: dict[ItemId, Annotated[int, Field(ge=1, le=100)]] = Field(
        default_factory=dict, description="By check: runs in a row that must fail before it is told; a P1 at once."
    )
    remind_hours: RemindHours = Field(default_factory=RemindHours, description="When what lasts is told again.")
    quiet_hours: tuple[QuietHours, ...] = Field((), description="When nobody is disturbed for less than a P1.")
    maintenance: tuple[Maintenance, ...] = Field((), description="When findings are expected, and nobody is told.")
    report_url: Address | None = Field(None, description="Where people find the report; every message names it.")
    heartbeat: Annotated[SecretStr, AfterValidator(_heartbeat)] | None = Field(
        None, description="An address that is pinged after each run, as ${VAR}: https://hc-ping.com/…; empty: none."
    )
    seconds: Seconds = Field(30, description="Deadline of each attempt to deliver a message.")

    @model_validator(mode="after")
    def _something(self) -> Notify:
        if not self.channels and self.heartbeat is None:
            raise ValueError("at least one of channels and heartbeat")
        return self

    def quiet(self, now: datetime, zone: str) -> bool:
        """Whether an aware time is among the quiet hours."""
        return any(hours.cover(now, zone) for hours in self.quiet_hours)

    def standing_for(self, members: Mapping[str, Collection[str]]) -> Notify:
        """The same, where groups of hosts, and targets on them, stand for each of their members."""
        routes = tuple(route.standing_for(members) for route in self.routes)
        maintenance = tuple(window.standing_for(members) for window in self.maintenance)
        return self.model_copy(update={"routes": routes, "maintenance": maintenance})

    def windows(self, now: datetime, zone: str) -> tuple[Maintenance, ...]:
        """The maintenance that is going on at an aware time."""
        return tuple(window for window in self.maintenance if window.cover(now, zone))


__all__ = ["Channel", "Maintenance", "Notify", "QuietHours", "RemindHours", "Route", "Selection", "is_pattern"]
