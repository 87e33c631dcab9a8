"""What is written is read back, whole runs only, by whoever writes beside it and whatever kills it."""

from __future__ import annotations

import os
import random
import shutil
import signal
import socket
import sqlite3
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest

from opsverify.config.history_location import Location, locate
from opsverify.history.comparing import MOST_MEASURED
from opsverify.history.records import HistoryError, Subject
from opsverify.history.store import Schema, Store
from opsverify.history.tables import SCHEMA, metadata
from opsverify.reporting.results import Result
from tests.pace import HANGS

from .conftest import PASSWORD, Rows, result, run

ROOT = Path(__file__).parents[2]
APP1 = Subject("production", "app1", "hosts")
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


def test_a_run_is_read_back(location: Location, rows: Rows) -> None:
    store = Store(location)
    when = datetime(2026, 3, 1, 12, 0, 0, 5, tzinfo=UTC) + timedelta(days=(datetime.now(UTC) - LONG_AGO).days - 9600)
    message = result(
        "warning", figures={"/": 81.5, "/var": 12.0}, value="81.5", observed="/ 81.5 %", sentence="近い ' \""
    )
    store.write([run(message, started=when)])
    assert store.series(APP1, "disk-usage", LONG_AGO) == {"/": [(when, 81.5)], "/var": [(when, 12.0)]}
    assert store.last_good(APP1, "disk-usage") == {"/": 81.5, "/var": 12.0}
    (last,) = store.last_results("production")
    assert (last.runbook, last.target, last.verdict, last.started_at) == ("disk-usage", "app1", "warning", when)
    assert rows("SELECT environment, slot, exit_code, arguments FROM runs") == [
        ("production", "blue", 0, "--env production")
    ]
    assert rows("SELECT observed, value, sentence, unit FROM results") == [("/ 81.5 %", 81.5, "近い ' \"", "%")]


def test_nothing_is_known_before_the_first_run(location: Location) -> None:
    store = Store(location)
    assert store.series(APP1, "disk-usage", LONG_AGO) == {}
    assert store.last_good(APP1, "disk-usage") == {}
    assert store.last_results("production") == []
    if location.kind == "sqlite":
        assert not Path(location.address).exists()


def test_figures_come_oldest_first_and_since(location: Location) -> None:
    store, now = Store(location), datetime.now(UTC)
    for days in (3, 40, 1, 20):
        store.write([run(result(figures={"/": days}), started=now - timedelta(days=days))])
    values = [value for _, value in store.series(APP1, "disk-usage", now - timedelta(days=30))["/"]]
    assert values == [20, 3, 1]


def test_the_last_figures_of_many_checks_are_one_question(location: Location) -> None:
    store = Store(location)

    def measured(runbook: str, value: float, **more: Any) -> Result:
        return result(runbook=runbook, value=repr(value), nodeid=f"t.py::test_{runbook}[app1]", **more)

    for night in range(5):
        one = measured("disk-usage", 10.0 + night, unit="%")
        store.write([run(one, measured("load", -night, unit="")), run(one, environment="staging")])
    store.write([run(measured("disk-usage", 9000, unit="MB"), measured("load", 7, unit="", target="app2"))])
    store.write([run(result("blocked", runbook="disk-usage", unit="%", nodeid="t.py::test_disk-usage[app1]"))])
    disk, load = measured("disk-usage", 1, unit="%"), measured("load", 1, unit="")
    never = measured("never-asked", 1)
    found = store.last_figures("production", [load, disk, never], most=3)
    assert found == {disk.nodeid: (12.0, 13.0, 14.0), load.nodeid: (-2.0, -3.0, -4.0)}
    assert store.last_figures("production", []) == {}
    many = [result(runbook=f"c{n}", nodeid=f"t.py::test_c{n}[app1]", unit="%") for n in range(MOST_MEASURED)]
    assert store.last_figures("production", many) == {}


def test_environments_targets_and_kinds_are_kept_apart(location: Location) -> None:
    store = Store(location)
    store.write([run(result(figures={"/": 1}))])
    store.write([run(result(figures={"/": 2}, environment="rehearsal"), environment="rehearsal")])
    store.write([run(result(figures={"/": 3}, target="app2"), result(figures={"/": 4}, target_kind="databases"))])
    store.write([run(result(figures={"/": 5}, runbook="inode-usage"))])
    assert store.last_good(APP1, "disk-usage") == {"/": 1}
    assert store.last_good(Subject("rehearsal", "app1", "hosts"), "disk-usage") == {"/": 2}
    assert store.last_good(Subject("production", "app2", "hosts"), "disk-usage") == {"/": 3}
    assert store.last_good(Subject("production", "app1", "databases"), "disk-usage") == {"/": 4}
    assert len(store.series(APP1, "disk-usage", LONG_AGO)["/"]) == 1


def test_all_of_an_environment_is_read_at_once(location: Location) -> None:
    store, now = Store(location), datetime.now(UTC)
    assert store.environments() == []
    for days in (3, 40, 1):
        waived = result("waived", target="app2", sentence="waived by ops")
        store.write([run(result("alert", sentence="long"), waived, started=now - timedelta(days=days))])
    store.write([run(result(figures={"/": 5}), environment="a-other", started=now)])
    store.write([run(result(figures={"/": 1, "/var": 2}), result(runbook="node-env", figures={"x": 3}), started=now)])
    assert store.environments() == ["a-other", "production"]
    told = store.past_results("production", now - timedelta(days=30))
    assert [(one.runbook, one.target, one.verdict, one.waiver) for one in told] == [
        *2 * [("disk-usage", "app1", "alert", ""), ("disk-usage", "app2", "waived", "waived by ops")],
        ("disk-usage", "app1", "normal", ""),
        ("node-env", "app1", "normal", ""),
    ]
    assert [one.started_at for one in told] == sorted(one.started_at for one in told)
    figures = store.figures("production", ["disk-usage"], now - timedelta(days=30))
    assert [(one.target, one.about, one.value) for one in figures] == [("app1", "/", 1), ("app1", "/var", 2)]


@pytest.mark.parametrize("verdict", ["alert", "undetermined", "blocked", "broken", "waived", "not applicable"])
def test_a_run_that_did_not_pass_never_lowers_the_baseline(location: Location, verdict: str) -> None:
    store = Store(location)
    store.write([run(result(figures={"cats": 100}))])
    store.write([run(result(verdict, figures={"cats": 0}))])
    assert store.last_good(APP1, "disk-usage") == {"cats": 100}
    assert [value for _, value in store.series(APP1, "disk-usage", LONG_AGO)["cats"]] == [100, 0]


def test_a_baseline_needs_every_check_of_the_item_to_pass_and_something_measured(location: Location) -> None:
    store = Store(location)
    store.write([run(result(figures={"cats": 100}))])
    store.write([run(result(figures={"cats": 50}), result("alert", nodeid="checks/test_x.py::test_y[app1]"))])
    store.write([run(result())])
    assert store.last_good(APP1, "disk-usage") == {"cats": 100}
    store.write([run(result("warning", figures={"cats": 99}))])
    assert store.last_good(APP1, "disk-usage") == {"cats": 99}


def test_a_clock_that_was_wrong_once_does_not_decide_for_ever(location: Location) -> None:
    store, now = Store(location), datetime.now(UTC)
    store.write([run(result(figures={"cats": 1}), started=now + timedelta(days=3650))])
    store.write([run(result(figures={"cats": 2}), started=now)])
    assert store.last_good(APP1, "disk-usage") == {"cats": 2}


def test_one_clock_that_is_years_ahead_removes_nothing(location: Location, rows: Rows) -> None:
    store, now = Store(location), datetime.now(UTC)
    for days in (800, 500, 0):  # as if the third were wrong: what it finds is gone by its own clock
        store.write([run(result(), started=now - timedelta(days=days))])
    assert rows("SELECT count(*) FROM runs") == [(3,)]
    store.write([run(result(), started=now)])
    assert rows("SELECT count(*) FROM runs") == [(2,)]


def test_old_runs_go_with_all_that_hangs_on_them(location: Location, rows: Rows) -> None:
    store, now = Store(location), datetime.now(UTC)
    store.write([run(result(figures={"/": 1}), started=now - timedelta(days=401))])
    store.write([run(result(figures={"/": 2}), started=now - timedelta(days=399))])
    for _ in range(2):  # the second is what shows that the clock of the first was right
        store.write([run(result(figures={"/": 3}), started=now)])
    for table in ("runs", "results", "measurements"):
        assert rows(f"SELECT count(*) FROM {table}") == [(3,)]


def test_one_bad_record_leaves_nothing_of_the_others(location: Location, rows: Rows) -> None:
    store = Store(location)
    store.write([run(result())])
    with pytest.raises(HistoryError):
        store.write([run(result()), run(result(severity=None))])
    assert rows("SELECT count(*) FROM runs") == [(1,)]


# --- schema --------------------------------------------------------------------------------------------------------


def future(folder: Path) -> Schema:
    """The migrations with one more, as a later version of this suite would have."""
    shutil.copytree(ROOT / "opsverify/history/migrations", folder)
    (folder / "versions" / "r9999_later.py").write_text(
        "import sqlalchemy as sa\nfrom alembic import op\n\n"
        f"revision = '9999'\ndown_revision = '{SCHEMA}'\n\n\n"
        "def upgrade() -> None:\n"
        "    op.add_column('runs', sa.Column('host', sa.String(60), nullable=False, server_default='unknown'))\n"
        "    op.execute(\"UPDATE runs SET host = 'told'\")\n"
    )
    return Schema(folder, "9999")


def test_an_older_database_is_migrated_with_its_data(location: Location, rows: Rows, tmp_path: Path) -> None:
    Store(location).write([run(result(figures={"/": 1}))])
    later = Store(location, future(tmp_path / "later"))
    assert later.last_good(APP1, "disk-usage") == {"/": 1}
    assert rows("SELECT host FROM runs") == [("told",)]
    later.write([run(result(figures={"/": 2}))])
    assert later.last_good(APP1, "disk-usage") == {"/": 2}
    assert rows("SELECT version_num FROM opsverify_schema") == [("9999",)]


def test_a_newer_database_is_refused_and_left_alone(location: Location, rows: Rows, tmp_path: Path) -> None:
    Store(location, future(tmp_path / "later")).write([run(result(figures={"/": 1}))])
    store = Store(location)
    for attempt in (
        lambda: store.write([run(result())]),
        lambda: store.last_good(APP1, "disk-usage"),
        store.migrate,
    ):
        with pytest.raises(
            HistoryError, match=rf"newer version of this suite \(schema 9999, this one knows {SCHEMA}\)"
        ):
            attempt()
    assert rows("SELECT count(*) FROM runs") == [(1,)]
    assert rows("SELECT version_num FROM opsverify_schema") == [("9999",)]


def test_a_migration_that_fails_changes_nothing(location: Location, rows: Rows, tmp_path: Path) -> None:
    Store(location).write([run(result(figures={"/": 1}))])
    schema = future(tmp_path / "later")
    script = schema.folder / "versions" / "r9999_later.py"
    script.write_text(script.read_text() + "    op.execute('SELECT nonsense FROM nowhere')\n")
    with pytest.raises(HistoryError, match=r"nonsense|nowhere"):
        Store(location, schema).write([run(result())])
    assert Store(location).last_good(APP1, "disk-usage") == {"/": 1}
    assert rows("SELECT version_num FROM opsverify_schema") == [(SCHEMA,)]


def test_the_migrations_build_what_the_code_uses(location: Location) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext
    from alembic.script import ScriptDirectory

    store = Store(location)
    store.migrate()
    with store._engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": "opsverify_schema"})
        assert compare_metadata(context, metadata) == []
    assert ScriptDirectory(str(ROOT / "opsverify/history/migrations")).get_heads() == [SCHEMA]


def test_alembic_is_left_alone_where_the_schema_is_right(tmp_path: Path) -> None:
    location = locate(None, tmp_path)
    Store(location).write([run(result())])
    code = (
        "import sys; from pathlib import Path; from datetime import datetime, UTC\n"
        "from opsverify.config.history_location import locate; from opsverify.history.store import Store\n"
        "from tests.history.conftest import run, result\n"
        f"Store(locate(None, Path({str(tmp_path)!r}))).write([run(result())])\n"
        "print('alembic' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], env=environment(), capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "False", done.stderr


# --- many at once, and sudden ends -------------------------------------------------------------------------------

WRITER = """
import os, sys
from pathlib import Path
from opsverify.config.history_location import locate
from opsverify.history.store import Store
from tests.history.conftest import run, result

store = Store(locate(os.environ["HISTORY"], Path("/")))
runs, results = int(sys.argv[1]), int(sys.argv[2])
done = 0
while done < runs or not runs:
    store.write([run(*(result(target=f"t{n}", figures={"/": n}) for n in range(results)))])
    done += 1
    print(done, flush=True)
"""


def environment(**more: str) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), **more}


def url(location: Location) -> str:
    return location.address if location.kind == "postgresql" else f"sqlite:///{location.address}"


def writer(location: Location, runs: int, results: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(runs), str(results)],
        env=environment(HISTORY=url(location)), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def whole_runs(rows: Rows, results: int) -> int:
    """How many runs there are, every one of them with all its results."""
    runs = rows("SELECT count(*) FROM runs")[0][0]
    for table in ("results", "measurements"):
        matches = rows(f"SELECT run_id, count(*) FROM {table} GROUP BY run_id")
        assert len(matches) == runs
        assert {n for _, n in matches} <= {results}
    return int(runs)


def test_four_writers_at_once_lose_nothing(location: Location, rows: Rows) -> None:
    writers = [writer(location, 8, 20) for _ in range(4)]  # the first of them also make the tables
    for process in writers:
        _, errors = process.communicate(timeout=HANGS)
        assert process.returncode == 0, errors
    assert whole_runs(rows, 20) == 32


def test_a_writer_killed_at_any_moment_leaves_whole_runs_only(tmp_path: Path) -> None:
    location = locate(None, tmp_path)
    chance, most = random.Random(2026), 0
    ask = partial(asked, location.address)
    for attempt in range(20):
        if attempt % 5 == 4:  # also while the tables are made
            Path(location.address).unlink(missing_ok=True)
            most = 0
        process = writer(location, 0, 150)
        assert process.stdout is not None
        assert process.stderr is not None
        with process.stdout, process.stderr:
            if attempt % 5 == 4:
                deadline = time.monotonic() + HANGS
                while not Path(location.address).exists() and time.monotonic() < deadline:
                    time.sleep(0.002)
                time.sleep(chance.uniform(0, 0.12))
            else:
                assert process.stdout.readline(), process.stderr.read()
                time.sleep(chance.uniform(0, 0.06))
            process.send_signal(signal.SIGKILL)
            process.wait()
        Store(location).migrate()  # whoever comes next opens it as it is
        assert ask("PRAGMA integrity_check") == [("ok",)]
        assert ask("PRAGMA foreign_key_check") == []
        matches = whole_runs(ask, 150)
        assert matches >= most
        most = matches
    Store(location).write([run(result())])


def asked(path: str, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(query).fetchall()


# --- files and servers that do not do as they should ---------------------------------------------------------------


def test_the_file_is_its_owners_alone(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        Store(locate("sqlite:///deep/er/h.db", tmp_path)).write([run(result())])
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "deep/er/h.db").stat().st_mode) == 0o600


def test_a_file_that_is_no_database_is_told_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "reports" / "history.db"
    path.parent.mkdir()
    path.write_text("not a database, and longer than a header of a hundred bytes would be " * 3)
    before = path.read_bytes()
    with pytest.raises(HistoryError, match=f"{path}: file is not a database"):
        Store(locate(None, tmp_path)).write([run(result())])
    assert path.read_bytes() == before


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "reports").write_text("a file where the folder should be")
    with pytest.raises(HistoryError, match=r"Not a directory|File exists"):
        Store(locate(None, tmp_path)).write([run(result())])


_WRITES_ON = """
import sys
from pathlib import Path
from opsverify.config.history_location import locate
from opsverify.history.records import HistoryError
from opsverify.history.store import Store
from tests.history.conftest import result, run

store = Store(locate(f"sqlite:///{sys.argv[1]}/h.db", Path("/")))
store.write([run(result(figures={"cats": 1}))])
{break}
try:
    store.write([run(*[result(target=f"app{i}", figures={"cats": i}) for i in range(2000)])])
except HistoryError as error:
    print(error)
{mend}
print(len(store.last_results("production")))
store.write([run(result(figures={"cats": 2}))])
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts file systems")
@pytest.mark.parametrize(
    ("breaks", "mends", "reason"),
    [
        ("Path(sys.argv[1], 'x').write_bytes(bytes(16384))", "Path(sys.argv[1], 'x').unlink()", "disk is full"),
        ("mount('-o', 'remount,ro')", "mount('-o', 'remount,rw')", "Read-only file system"),
    ],
    ids=["full", "read-only"],
)
def test_a_disk_that_takes_nothing_keeps_what_was_written(breaks: str, mends: str, reason: str, tmp_path: Path) -> None:
    code = _WRITES_ON.replace("{break}", breaks).replace("{mend}", mends)
    code = f"""
import subprocess, sys
def mount(*options): subprocess.run(["mount", *options, sys.argv[1]], check=True)
mount("-t", "tmpfs", "-o", "size=128k", "none")
{code}"""
    command = ["unshare", "--mount", sys.executable, "-c", code, str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=HANGS)
    if "mount" in done.stderr and "permitted" in done.stderr:
        pytest.skip("no file system can be mounted here")
    assert (done.returncode, done.stderr) == (0, "")
    error, results = done.stdout.splitlines()
    assert reason in error
    assert results == "1"


@contextmanager
def held(location: Location) -> Iterator[None]:
    """Somebody else keeps the database locked."""
    if location.kind == "sqlite":
        with closing(sqlite3.connect(location.address, isolation_level=None)) as connection:
            connection.execute("BEGIN EXCLUSIVE")
            yield
    else:
        with psycopg.connect(location.address) as connection:
            connection.execute("LOCK TABLE runs")
            yield


def test_a_locked_database_is_waited_for_only_so_long(location: Location) -> None:
    Store(location).write([run(result())])
    with held(location), pytest.raises(HistoryError, match=r"no answer within 0.5 s"):
        Store(location, answer_seconds=0.5).write([run(result())])


def test_a_silent_server_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"postgresql://u:{PASSWORD}@127.0.0.1:{silent.getsockname()[1]}/h"
        with pytest.raises(HistoryError, match=r"no answer within 0.5 s") as caught:
            Store(locate(address, Path("/")), answer_seconds=0.5).write([run(result())])
    assert PASSWORD not in str(caught.value)


def test_a_wrong_password_is_told_and_not_shown(server: str) -> None:
    with pytest.raises(HistoryError, match="password authentication failed") as caught:
        Store(locate(f"{server.replace(PASSWORD, 'wr0ng-one')}/postgres", Path("/"))).write([run(result())])
    assert "wr0ng-one" not in str(caught.value)
