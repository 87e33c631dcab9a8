"""What channels were told is the same for every machine that shares a history."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from opsverify.history.records import Notice
from opsverify.history.store import Schema, Store

from .conftest import Location, Rows, result, run

NOW = datetime(2026, 11, 30, 2, 30, tzinfo=UTC)


def notice(channel: str = "team", **more: object) -> Notice:
    found = result("alert", sentence="近い ' \"", respond_by="2026-12-01T10:00:00+09:00")
    return replace(Notice(channel, found, NOW, NOW), **more)  # type: ignore[arg-type]


def test_a_notice_is_read_back_by_whoever_shares_the_history(location: Location) -> None:
    kept = notice(told_at=NOW, told_severity="P2", told_verdict="alert", runs=3, ended_at=NOW, ending="waived")
    Store(location).keep_notices("production", [kept, notice("pager")], [], NOW)
    assert Store(location).notices("production") == [kept, notice("pager")]
    assert Store(location).notices("staging") == []


def test_what_is_told_takes_the_place_of_what_was_and_what_has_ended_goes(location: Location, rows: Rows) -> None:
    store = Store(location)
    store.keep_notices("production", [notice(), notice("pager")], [], NOW)
    store.keep_notices("production", [notice(runs=2)], [notice("pager")], NOW)
    assert store.notices("production") == [notice(runs=2)]
    store.keep_notices("staging", [], [notice()], NOW)
    assert rows("SELECT count(*) FROM notices") == [(1,)]


def test_what_nobody_has_seen_for_long_goes(location: Location) -> None:
    store = Store(location)
    store.keep_notices("production", [notice(), notice("pager", seen_at=NOW + timedelta(days=300))], [], NOW)
    store.keep_notices("production", [], [], NOW + timedelta(days=500))
    assert [one.channel for one in store.notices("production")] == ["pager"]


def test_a_history_of_an_earlier_version_gets_the_table_and_keeps_its_runs(location: Location, rows: Rows) -> None:
    Store(location, Schema(head="0001")).migrate()
    store = Store(location)
    assert store.notices("production") == []
    store.write([run(result())])
    store.keep_notices("production", [notice()], [], NOW)
    assert rows("SELECT count(*) FROM runs") == [(1,)]


def test_reading_makes_no_file(tmp_path: Path) -> None:
    from opsverify.config.history_location import locate

    place = locate(None, tmp_path)
    assert Store(place).notices("production") == []
    assert not Path(place.address).exists()
    Store(place).keep_notices("production", [notice()], [], NOW)
    with closing(sqlite3.connect(place.address)) as connection:
        assert connection.execute("SELECT version_num FROM opsverify_schema").fetchall() == [("0003",)]
