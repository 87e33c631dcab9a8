"""September 2026 of an environment whose clocks are UTC, run by run, in a real database of either kind."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from opsverify.config.history_location import Location
from opsverify.history.records import RunRecord
from opsverify.history.store import Store
from opsverify.reporting.results import Result
from tests.history.conftest import location, postgres, result, server  # noqa: F401 - fixtures

ROOT = Path(__file__).parents[2]
BEGIN = datetime(2026, 9, 1, tzinfo=UTC)
NOW = datetime(2026, 10, 1, tzinfo=UTC)
"""Thirty days later: the last 30 days are that September."""
WAIVER = "waived by =platform team until 2026-12-31 23:59 UTC: <b>OPS-1</b>"


def _night(day: int) -> list[Result]:
    """What the run at 02:00 of that day finds: everything is well but for what the tests are about."""
    told = [
        result(runbook="api-health", severity="P1", target="main"),
        result(runbook="api-response-time", target="main", figures={"": float(day)}, unit="ms"),
        result(
            "waived" if 20 <= day <= 22 else "normal",
            runbook="memory-usage",
            sentence=f"{WAIVER}; observed {day} %, expected less",
        ),
        result("undetermined" if day == 5 else "normal", runbook="cpu-usage"),
        result("alert" if day in (11, 13, 15) else "normal", runbook="inode-usage"),
        result(runbook="service-active", severity="P1", target="backend"),
        result("alert" if day == 25 else "normal", runbook="service-active", severity="P1", target="frontend"),
        result("not applicable", runbook="container-health", target="", sentence="no containers"),
        result(runbook="certificate-expiry", target="public", figures={"": 60.0 - day}),
    ]
    if not 15 <= day <= 18:
        told.append(result(runbook="disk-usage", figures={"/": 50 + day / 2}))
    if day in (2, 9, 30):
        told.append(result(runbook="statistics-fresh", severity="P3", target="primary"))
    return told


def _record(started: datetime, *results: Result) -> RunRecord:
    return RunRecord("production", "", started, started + timedelta(minutes=3), 0, False, "abc", "", results)


def september() -> list[RunRecord]:
    """Thirty nights, and an outage of the API on the 10th that two runs by hand saw begin and end."""
    nights = [_record(BEGIN + timedelta(days=day - 1, hours=2), *_night(day)) for day in range(1, 31)]
    outage = [
        _record(
            BEGIN + timedelta(days=9, hours=hour), result(verdict, runbook="api-health", severity="P1", target="main")
        )
        for hour, verdict in ((9, "alert"), (12, "normal"))
    ]
    return [*nights, *outage]


@pytest.fixture
def history(location: Location) -> Location:  # noqa: F811
    """That September."""
    Store(location).write(september())
    return location


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder of the suite, with one environment."""
    folder = tmp_path / "suite"
    (folder / "checks").mkdir(parents=True)
    shutil.copy(ROOT / "checks" / "runbook.yaml", folder / "checks")
    (folder / "environments").mkdir()
    (folder / "environments" / "production.yaml").write_text(
        "title: My <Cats>\ntimezone: UTC\nchecks: {disk-usage: {band: {alert_above: 95}}}\n"
        "databases: {primary: {dsn: '${NOT_SET}'}}\n"
    )
    return folder


def url(location: Location) -> str:  # noqa: F811
    """What --history takes."""
    return location.address if location.kind == "postgresql" else f"sqlite:///{location.address}"
