"""By when somebody must respond: the runbook's times, counted in the country's business days."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsverify.config.deadlines import is_business_day, is_known_country, is_known_time_zone, respond_by
from opsverify.config.items import Severity

TOKYO = ZoneInfo("Asia/Tokyo")
moments = st.datetimes(
    datetime(2020, 1, 1), datetime(2035, 1, 1), timezones=st.sampled_from([UTC, TOKYO, ZoneInfo("America/New_York")])
)


def in_tokyo(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=TOKYO)


@pytest.mark.parametrize(
    ("severity", "result", "due"),
    [
        ("P1", "2026-03-02 10:00", "2026-03-02 11:00"),
        ("P1", "2026-03-01 23:30", "2026-03-02 00:30"),  # a Sunday night is no excuse
        ("P2", "2026-03-02 22:00", "2026-03-03 02:00"),
        ("P3", "2026-03-02 10:00", "2026-03-03 10:00"),  # Monday → Tuesday
        ("P3", "2026-03-06 17:59", "2026-03-09 17:59"),  # Friday → Monday
        ("P3", "2026-03-07 12:00", "2026-03-10 00:00"),  # Saturday: counts from Monday 00:00
        ("P3", "2026-03-08 23:59", "2026-03-10 00:00"),
        ("P3", "2026-03-19 09:00", "2026-03-23 09:00"),  # before 春分の日, a Friday
        ("P3", "2026-05-01 09:00", "2026-05-07 09:00"),  # before 憲法記念日 … 振替休日 (the 6th)
        ("P3", "2026-05-04 09:00", "2026-05-08 00:00"),  # found in the middle of them
        ("P4", "2026-05-01 09:00", "2026-05-08 09:00"),
    ],
)
def test_the_runbooks_times_in_japan(severity: str, result: str, due: str) -> None:
    assert respond_by(severity, in_tokyo(result), "JP") == in_tokyo(due)


@pytest.mark.parametrize(
    ("severity", "result", "due"),
    [
        ("P1", "2026-03-29T00:30:00+00:00", "2026-03-29T03:30:00+02:00"),  # the clocks change at 01:00 UTC
        ("P3", "2026-03-27T09:00:00+01:00", "2026-03-30T09:00:00+02:00"),
        ("P4", "2026-10-22T09:00:00+02:00", "2026-10-29T09:00:00+01:00"),
        ("P4", "2026-03-22T02:30:00+01:00", "2026-03-29T03:30:00+02:00"),  # 02:30 does not exist that day
        ("P3", "2026-04-02T12:00:00+02:00", "2026-04-07T12:00:00+02:00"),  # Easter
    ],
)
def test_clocks_that_change(severity: str, result: str, due: str) -> None:
    deadline = respond_by(severity, datetime.fromisoformat(result), "DE", "Europe/Berlin")
    assert deadline.isoformat() == due


@given(st.sampled_from(Severity), moments)
def test_a_deadline_is_later_and_in_the_countrys_time(severity: Severity, result: datetime) -> None:
    due = respond_by(severity, result, "JP")
    assert due > result
    assert due.utcoffset() == timedelta(hours=9)
    assert datetime.fromisoformat(due.isoformat()) == due


@given(moments)
def test_one_business_day_is_exactly_that(result: datetime) -> None:
    due, local = respond_by(Severity.P3, result, "JP"), result.astimezone(TOKYO)
    assert is_business_day(due.date(), "JP")
    working = [d for d in days(local.date(), due.date()) if is_business_day(d, "JP")]
    if is_business_day(local.date(), "JP"):
        assert due.time() == local.time()
        assert working == [local.date(), due.date()]
    else:
        assert due.time() == time(0)
        assert len(working) == 2


@given(st.sampled_from(Severity), moments, st.timedeltas(timedelta(0), timedelta(days=10)))
def test_what_is_found_later_is_never_due_earlier(severity: Severity, result: datetime, later: timedelta) -> None:
    # In UTC: adding to a wall clock can go back in time where clocks change.
    result = result.astimezone(UTC)
    assert respond_by(severity, result + later, "JP") >= respond_by(severity, result, "JP")


def days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def test_the_weekend_is_the_countrys_own() -> None:
    friday = date(2026, 6, 5)
    assert not is_business_day(friday, "AE") or not is_business_day(friday, "SA")
    assert is_business_day(date(2026, 6, 7), "SA")  # Sunday
    assert not is_business_day(friday, "SA")


def test_what_is_known() -> None:
    from holidays import list_supported_countries

    assert "JP" in list_supported_countries()
    assert is_known_country("JP")
    assert is_known_country("DE")
    assert not is_known_country("ZZ")
    assert not is_known_country("DEU")  # two letters
    assert is_known_time_zone("Europe/Berlin")
    for name in ("", "Asia", "../etc/passwd", "Mars/Olympus", "/etc/localtime", "Asia/Tokyo\0", "é"):
        assert not is_known_time_zone(name)


def test_each_country_has_its_own_calendar(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("opsverify.config.deadlines._calendars", {})  # not those of earlier tests
    for _ in range(2):
        assert not is_business_day(date(2026, 11, 23), "JP")  # 勤労感謝の日, a Monday
        assert is_business_day(date(2026, 11, 23), "DE")


def test_a_time_without_a_time_zone_is_a_bug() -> None:
    with pytest.raises(ValueError, match="^a time without a time zone$"):
        respond_by("P1", datetime(2026, 3, 2), "JP")
