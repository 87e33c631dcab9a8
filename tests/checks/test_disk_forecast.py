"""disk-forecast: real file systems, and a history that says how they grew."""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsverify.config.history_location import locate
from opsverify.errors import ProbeError
from opsverify.history.store import Store
from opsverify.judgements.forecast import FAR, trend
from tests.history.conftest import result, run

NOW = datetime.now(UTC)
CHECK = "test_disk_forecast[here]"


@pytest.fixture
def judge(project, tmp_path):
    """Judge this machine's root file system after `days` days, each of which added `per_day` percent."""
    size = os.statvfs("/")
    used = 100 * (size.f_blocks - size.f_bfree) / (size.f_blocks - size.f_bfree + size.f_bavail)
    limit = used + 20

    def judge(days: int, per_day: float):
        url = f"sqlite:///{tmp_path}/history.db"
        store = Store(locate(url, tmp_path))
        for ago in range(days, 0, -1):
            figures = {"/": used - ago * per_day}
            store.write(
                [run(result(environment="own", target="here", figures=figures), environment="own",
                     started=NOW - timedelta(days=ago))]
            )  # fmt: skip
        project.environment(
            "own",
            "hosts: {here: {connection: 'local://', only_filesystems: [/]}}\n"
            f"checks: {{disk-usage: {{band: {{below: {limit}, alert_above: {limit}}}}}}}\n",
        )
        ran = project.run("--env", "own", "-k", "disk_forecast or cpu", f"--history={url}")
        assert CHECK in ran.cases, ran.output
        return ran.properties(CHECK)

    return judge


@pytest.mark.parametrize(
    ("per_day", "verdict", "text"),
    [
        (10, "alert", r"/ (2|1\.\d) days"),
        (2, "warning", r"/ (10|9\.\d|10\.\d) days"),
        (0.1, "normal", r"/ (19\d|20\d)(\.\d)? days"),
        (-1, "normal", r"/ 365 days \(or more, or never"),
        (0, "normal", "/ 365 days"),
    ],
)  # fmt: skip
def test_what_grows_is_told_in_time(judge, per_day, verdict, text):
    message = judge(10, per_day)
    assert message["verdict"] == verdict, message
    assert re.match(text, message["observed"])
    assert "% a day over 9 days" in message["observed"]


def test_a_short_history_is_told_and_no_failure(judge):
    message = judge(3, 10)
    assert message["verdict"] == "not applicable"
    assert message["sentence"] == "history too short: disk-usage was measured on 3 day(s), a trend needs 7"


def test_one_night_is_no_trend():
    days = [(NOW - timedelta(days=20 - n), 50.0 + (30 if n in (3, 9, 15) else 0)) for n in range(20)]
    matches = trend(days, 7)
    assert matches is not None
    assert abs(matches.per_day) < 0.01


def test_many_runs_on_one_day_count_once():
    days = [(NOW - timedelta(days=10 - n), float(n)) for n in range(10)]
    matches = trend([*days, *[(NOW - timedelta(days=1, seconds=n), 9.0) for n in range(500)]], 7)
    assert matches is not None
    assert matches.per_day == pytest.approx(1, abs=0.05)
    assert matches.days_until(19, 9) == pytest.approx(10, abs=0.5)
    assert matches.days_until(5, 9) == 0


def test_an_hour_of_runs_is_too_short():
    assert trend([(NOW - timedelta(minutes=n), float(n)) for n in range(60)], 7) is None
    assert trend([(NOW - timedelta(days=30), 1.0), (NOW, 90.0)], 7) is None


@given(
    st.lists(
        st.tuples(st.datetimes(timezones=st.just(UTC), min_value=datetime(2000, 1, 1)), st.floats(0, 100)), max_size=40
    )
)
def test_any_series_has_a_trend_or_none(series):
    matches = trend(series, 7)
    if matches is not None:
        assert 0 <= matches.days_until(90, 50) <= FAR
        assert matches.slowest <= matches.per_day <= matches.fastest
        earliest, latest = matches.span_until(90, 50)
        assert 0 <= earliest <= matches.days_until(90, 50) <= latest <= FAR


def forecast(judged, *filesystems):
    series = {"/": [(NOW - timedelta(days=n), 50.0) for n in range(10)], "/new": [(NOW, 99.0)]}
    history = SimpleNamespace(series=lambda item, days: series)
    return judged("resources", "disk-forecast", filesystems=filesystems, history=history)


def mounted(mount, used: float | None = 50.0):
    return SimpleNamespace(mount=mount, used_percent=used, problem=None if used else "stale file handle")


def test_what_has_no_trend_yet_is_named(judged):
    seen = forecast(judged, mounted("/"), mounted("/new", 99.0)).worst
    assert seen.observed.endswith("over 9 days; history too short: /new)")


def test_what_could_not_be_measured_is_not_left_out(judged):
    with pytest.raises(ProbeError, match="could be measured: /gone: stale file handle"):
        forecast(judged, mounted("/"), mounted("/gone", None))
