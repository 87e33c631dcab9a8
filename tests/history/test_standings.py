"""What is remembered of each check is what its results say: written by runs, migrated, shared and forgotten."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from opsverify.config.history_location import Location, locate
from opsverify.history.changes import Check, Spell
from opsverify.history.records import HistoryError
from opsverify.history.store import Schema, Store
from tests.pace import HANGS

from .conftest import Rows, result, run
from .test_store import held, writer

NOW = datetime.now(UTC)
DISK = Check("disk-usage", "test_x", "app1", "hosts")


def spells(store: Store, check: Check = DISK, environment: str = "production") -> list[tuple[str, int]]:
    return [(verdict, runs) for verdict, runs, _ in store.standings([environment])[environment][check]]


def ended(verdict: str, **more: Any) -> Any:
    return run(result(verdict), **more)


def no_check() -> Any:
    return result("broken", runbook="", nodeid="checks/test_x.py")


def test_nothing_is_known_before_the_first_run(location: Location) -> None:
    assert Store(location).standings(["production"]) == {}


def test_runs_in_a_row_are_counted(location: Location) -> None:
    store = Store(location)
    for day, verdict in enumerate(["normal", "alert", "alert", "waived", "blocked", "normal"]):
        store.write([ended(verdict, started=NOW + timedelta(days=day))])
    (environment,) = store.standings(["production", "staging"]).values()
    assert environment == {
        DISK: (
            Spell("normal", 1, NOW),
            Spell("alert", 2, NOW + timedelta(days=1)),
            Spell("waived", 1, NOW + timedelta(days=3)),
            Spell("blocked", 1, NOW + timedelta(days=4)),
            Spell("normal", 1, NOW + timedelta(days=5)),
        )
    }


def test_what_did_not_judge_it_leaves_it_as_it_was(location: Location) -> None:
    store = Store(location)
    store.write([ended("alert")])
    store.write([run(result("normal", target="app2"))])
    store.write([ended("not applicable")])
    store.write([ended("normal", environment="staging")])
    assert spells(store) == [("alert", 1)]
    assert spells(store, environment="staging") == [("normal", 1)]


def test_a_run_that_did_not_end_tells_only_what_it_judged(location: Location) -> None:
    store = Store(location)
    store.write([replace(run(result("undetermined"), result("alert", target="app2")), partial=True)])
    assert list(store.standings(["production"])["production"]) == [DISK._replace(target="app2")]


def test_it_is_forgotten_with_the_runs(location: Location, rows: Rows) -> None:
    store = Store(location)
    store.write([run(result(target="gone"), started=NOW - timedelta(days=401))])
    for _ in range(2):
        store.write([ended("alert", started=NOW)])
    assert rows("SELECT target, environment FROM standings") == [("app1", "production")]
    assert spells(store) == [("alert", 2)]


def test_two_that_write_at_once_are_both_counted(location: Location) -> None:
    writers = [writer(location, 6, 20) for _ in range(4)]
    for process in writers:
        _, errors = process.communicate(timeout=HANGS)
        assert process.returncode == 0, errors
    counted = Store(location).standings(["production"])["production"]
    assert {tuple(runs for _, runs, _ in one) for one in counted.values()} == {(24,)}
    assert len(counted) == 20


def test_an_older_database_learns_it_from_its_results(location: Location, rows: Rows) -> None:
    store = Store(location)
    story = ["normal", "alert", "alert", "not applicable", "undetermined", "alert", "normal", "warning"]
    for day, verdict in enumerate(story):
        record = run(result(verdict), result("waived", target="app2"), no_check(), started=NOW + timedelta(days=day))
        store.write([record, ended("alert", environment="staging")])
    store.write([replace(run(result("blocked"), result("alert", target="app2")), partial=True)])
    written = store.standings(["production", "staging"])
    seen = rows("SELECT runbook, target, environment, seen_at FROM standings ORDER BY 1, 2, 3")
    with store._engine.begin() as connection:
        for table in ("standings", "notices"):
            connection.exec_driver_sql(f"DROP TABLE {table}")
        connection.exec_driver_sql("UPDATE opsverify_schema SET version_num = '0001'")
    assert store.standings(["production", "staging"]) == written
    assert rows("SELECT runbook, target, environment, seen_at FROM standings ORDER BY 1, 2, 3") == seen


def test_one_that_does_not_answer_is_given_up(tmp_path: Path) -> None:
    location = locate(None, tmp_path)  # in PostgreSQL a reader waits for no writer
    Store(location).write([ended("normal")])
    with held(location), pytest.raises(HistoryError, match=r"no answer within 0.5 s"):
        Store(location, Schema(), answer_seconds=0.5).standings(["production"])
