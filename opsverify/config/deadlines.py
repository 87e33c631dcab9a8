"""By when somebody must respond to a failure: the runbook's times (chapter 障害対応), from the severity.

    P1  1 hour
    P2  4 hours
    P3  1 business day: the same local time on the next business day. What is found on a day that is none counts from
        the start (00:00) of the next business day, so it is due when that day ends.
    P4  1 week: the same local time seven days later

Business days are those of the environment's country: neither its weekend nor a public holiday (`holidays`).
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from opsverify.config.items import Severity

if TYPE_CHECKING:
    from holidays import HolidayBase

TIME_ZONES = {"JP": "Asia/Tokyo"}
"""The country that environments have by default needs no time zone key; all others must say theirs."""

RESPONSE_TIMES: dict[Severity, tuple[int, str]] = {
    Severity.P1: (1, "hour"),
    Severity.P2: (4, "hour"),
    Severity.P3: (1, "business day"),
    Severity.P4: (7, "day"),
}
_calendars: dict[str, HolidayBase] = {}


def respond_by(severity: Severity | str, found_at: datetime, country: str, timezone: str | None = None) -> datetime:
    """The moment, in the country's time zone, by which somebody must respond to what was found at `found_at` (aware).

    `timezone` is an IANA name; None is allowed for the countries of TIME_ZONES. Raises ValueError for a naive time,
    KeyError for a country without a known time zone, NotImplementedError for one whose holidays are not known.
    """
    if found_at.tzinfo is None:
        raise ValueError("a time without a time zone")
    zone = ZoneInfo(timezone or TIME_ZONES[country])
    level = Severity(severity)
    number, unit = RESPONSE_TIMES[level]
    if unit == "hour":
        return (found_at.astimezone(UTC) + timedelta(hours=number)).astimezone(zone)
    local = found_at.astimezone(zone)
    if unit == "day":
        return _at(local.date() + timedelta(days=number), local.timetz(), zone)
    day, moment = local.date(), local.timetz()
    if not is_business_day(day, country):
        day, moment = _next_business_day(day, country), time.min
    return _at(_next_business_day(day, country), moment, zone)


def is_business_day(day: date, country: str) -> bool:
    """Whether people work on that day in that country."""
    return bool(_calendar(country).is_working_day(day))


def is_known_country(country: str) -> bool:
    """Whether the holidays of a country (ISO 3166, two letters) are known."""
    if country in TIME_ZONES:
        return True  # spares every start the import
    from holidays import list_supported_countries

    return country in list_supported_countries(include_aliases=False)


def is_known_time_zone(name: str) -> bool:
    """Whether it is a time zone's IANA name, Asia/Tokyo."""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # OSError: the name of a folder of time zones, "Asia"
        return False
    return True


def _next_business_day(day: date, country: str) -> date:
    day += timedelta(days=1)
    while not is_business_day(day, country):
        day += timedelta(days=1)
    return day


def _at(day: date, moment: time, zone: ZoneInfo) -> datetime:
    """That time on that day. One that a change of clocks leaves out becomes the moment it would have been."""
    return datetime.combine(day, moment.replace(tzinfo=zone)).astimezone(UTC).astimezone(zone)


def _calendar(country: str) -> HolidayBase:
    # Imported with the first P3 failure: it takes longer than everything else here together.
    if country not in _calendars:
        from holidays import country_holidays

        _calendars[country] = country_holidays(country)
    return _calendars[country]
