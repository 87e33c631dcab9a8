"""The database of the history: opened, migrated, written and read. The only importer of Alembic.

One run is one short transaction, written when its results are complete: whatever kills the suite, and whoever else
writes at the same time, a reader sees whole runs only. SQLite keeps its default rollback journal: write-ahead logging
needs shared memory, which network file systems do not have, and gains nothing for one short transaction per run.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import (
    Connection,
    Engine,
    case,
    create_engine,
    delete,
    event,
    func,
    insert,
    inspect,
    literal,
    select,
    text,
    union_all,
)
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from opsverify.config.history_location import Location
from opsverify.evidence.executors import DaemonThreads
from opsverify.history import notices, standings
from opsverify.history.changes import check_of
from opsverify.history.records import (
    GOOD,
    KEPT_DAYS,
    Figure,
    HistoryError,
    LastResult,
    Notice,
    PastResult,
    RunRecord,
    Series,
    Subject,
)
from opsverify.history.tables import SCHEMA, VERSION_TABLE, measurements, results, runs
from opsverify.reporting.results import Outcome, Result

BUSY_SECONDS = 20
"""How long to wait for another run's transaction."""
CONNECT_SECONDS = 5
ANSWER_SECONDS = 45
"""After this a database that is silent (a frozen server, a dead network mount) is given up; more than the others."""
MIGRATION_LOCK = 7_310_579_846_201
"""Of PostgreSQL's advisory locks: any number, the same in all versions of this suite."""

T = TypeVar("T")


_MIGRATIONS = Path(__file__).with_name("migrations")


@dataclass(frozen=True)
class Schema:
    """The migrations to bring a database to, and the last of them."""

    folder: Path = _MIGRATIONS
    head: str = SCHEMA


_CURRENT = Schema()


class Store:
    """One history database. Each call opens and closes its own connection; all raise HistoryError."""

    def __init__(
        self, location: Location, schema: Schema = _CURRENT, *, answer_seconds: float = ANSWER_SECONDS
    ) -> None:
        self._location = location
        self._schema = schema
        self._answer_seconds = answer_seconds
        self._engine = _engine(location)

    def write(self, records: Sequence[RunRecord]) -> None:
        """Add runs, all or none, and remove those that are older than KEPT_DAYS. Migrates the database if needed."""

        def add(connection: Connection) -> None:
            # By the clock, and by the last run before: one clock that is years ahead must not remove what all wrote.
            last = connection.execute(select(func.max(runs.c.started_at))).scalar()
            standings.lock(connection)
            for record in records:
                _insert(connection, record)
                standings.lengthen(connection, record)
            begun = [record.started_at for record in records]
            oldest = min([*begun, last or begun[0], datetime.now(UTC)]) - timedelta(days=KEPT_DAYS)
            connection.execute(delete(runs).where(runs.c.started_at < oldest))
            standings.forget(connection, oldest)

        def write() -> None:
            self._make_file()
            self._in_current_schema(add, writes=True)

        self._bounded(write)

    def series(self, subject: Subject, runbook: str, since: datetime) -> Series:
        """Every figure measured by one check of one target since then, oldest first, whatever its verdict."""
        query = (
            select(measurements.c.about, runs.c.started_at, measurements.c.value)
            .join(runs, runs.c.id == measurements.c.run_id)
            .where(*_of(measurements, subject, runbook), runs.c.started_at >= since)
            .order_by(runs.c.started_at, measurements.c.id)
        )
        measured: Series = {}
        for about, when, value in self._read(query):
            measured.setdefault(about, []).append((when, value))
        return measured

    def last_good(self, subject: Subject, runbook: str) -> dict[str, float]:
        """The figures of the run written last in which the check passed for this target; empty if there is none."""
        bad = func.sum(case((results.c.verdict.in_(GOOD), 0), else_=1))
        measured = select(measurements.c.run_id).join(runs, runs.c.id == measurements.c.run_id)
        run = (
            select(results.c.run_id)
            .join(runs, runs.c.id == results.c.run_id)
            .where(*_of(results, subject, runbook))
            .where(results.c.run_id.in_(measured.where(*_of(measurements, subject, runbook))))
            .group_by(results.c.run_id)
            .having(bad == 0)
            .order_by(results.c.run_id.desc())  # not by time: a clock that was wrong once must not decide for ever
            .limit(1)
            .scalar_subquery()
        )
        query = (
            select(measurements.c.about, measurements.c.value)
            .join(runs, runs.c.id == measurements.c.run_id)
            .where(*_of(measurements, subject, runbook), measurements.c.run_id == run)
        )
        return dict(self._read(query))

    def last_figures(self, environment: str, of: Sequence[Result], most: int = 29) -> dict[str, tuple[float, ...]]:
        """The last figures of these checks of an environment, in the same unit, oldest first, by node id.

        Each is found by the index, however long the history is.
        """
        if not of:
            return {}
        asked = [
            select(literal(number).label("number"), results.c.run_id, results.c.value)
            .join(runs, runs.c.id == results.c.run_id)
            .where(*_of(results, Subject(environment, one.target, one.target_kind), one.runbook))
            .where(results.c.value.is_not(None), results.c.unit == one.unit)
            .where(results.c.nodeid.contains(f"::{check_of(one).function}", autoescape=True))
            .order_by(results.c.run_id.desc())
            .limit(most)
            .subquery()
            for number, one in enumerate(of)
        ]
        found: dict[str, list[float]] = {}
        whole = union_all(*(select(one) for one in asked)).subquery()
        for number, _, value in self._read(select(whole).order_by(whole.c.number, whole.c.run_id)):
            found.setdefault(of[number].nodeid, []).append(value)
        return {nodeid: tuple(values) for nodeid, values in found.items()}

    def last_results(self, environment: str) -> list[LastResult]:
        """How each check of each target of an environment ended the last time it ran."""
        newest = (
            select(func.max(results.c.id))
            .join(runs, runs.c.id == results.c.run_id)
            .where(runs.c.environment == environment)
            .group_by(results.c.nodeid, results.c.target, results.c.target_kind)
        )
        columns = (results.c.nodeid, results.c.runbook, results.c.target, results.c.verdict, runs.c.started_at)
        query = (
            select(*columns)
            .join(runs, runs.c.id == results.c.run_id)
            .where(results.c.id.in_(newest))
            .order_by(results.c.id)
        )
        return [LastResult(*row) for row in self._read(query)]

    def standings(self, environments: Sequence[str]) -> standings.Standings:
        """How each check of these environments ended before; an environment without any run is not among the keys."""
        return standings.read(self._read(standings.query(environments)))

    def environments(self) -> list[str]:
        """The names of all environments that have runs, in their order."""
        return [name for (name,) in self._read(select(runs.c.environment).distinct().order_by(runs.c.environment))]

    def past_results(self, environment: str, since: datetime) -> list[PastResult]:
        """How everything ended in every run of an environment since then, oldest first."""
        # Sentences are long, and only a waiver's is asked for.
        waiver = case((results.c.verdict == Outcome.WAIVED.value, results.c.sentence), else_="")
        columns = (results.c.runbook, results.c.target, results.c.target_kind, results.c.severity, results.c.verdict)
        query = (
            select(runs.c.started_at, *columns, waiver)
            .join(results, runs.c.id == results.c.run_id)
            .where(runs.c.environment == environment, runs.c.started_at >= since, results.c.runbook != "")
            .order_by(runs.c.started_at, results.c.id)
        )
        return [PastResult(*row) for row in self._read(query)]

    def figures(self, environment: str, runbooks: Sequence[str], since: datetime) -> list[Figure]:
        """What those checks measured of all targets of an environment since then, oldest first."""
        columns = (measurements.c.runbook, measurements.c.target, measurements.c.about, measurements.c.value)
        query = (
            select(runs.c.started_at, *columns)
            .join(measurements, runs.c.id == measurements.c.run_id)
            .where(runs.c.environment == environment, runs.c.started_at >= since)
            .where(measurements.c.runbook.in_(runbooks))
            .order_by(runs.c.started_at, measurements.c.id)
        )
        return [Figure(*row) for row in self._read(query)]

    def notices(self, environment: str) -> list[Notice]:
        """What the channels of an environment know of what is not well."""
        return [notices.read(row) for row in self._read(notices.query(environment))]

    def keep_notices(self, environment: str, kept: Sequence[Notice], gone: Sequence[Notice], now: datetime) -> None:
        """Remember what channels know now, and forget what is `gone`, all or none."""

        def write() -> None:
            self._make_file()
            self._in_current_schema(lambda c: notices.replace(c, environment, kept, gone, now), writes=True)

        self._bounded(write)

    def migrate(self) -> None:
        """Bring the database to this code's schema; raises HistoryError, and leaves it alone, when it is newer."""

        def migrate() -> None:
            self._make_file()
            self._migrate()

        self._bounded(migrate)

    # --- how -------------------------------------------------------------------------------------------------------

    def _read(self, query: Any) -> list[Any]:
        def read() -> list[Any]:
            if self._location.kind == "sqlite" and not Path(self._location.address).exists():
                return []  # nothing was written yet; reading leaves no file behind
            return self._in_current_schema(lambda connection: list(connection.execute(query)), writes=False)

        return self._bounded(read)

    def _in_current_schema(self, work: Callable[[Connection], T], *, writes: bool) -> T:
        """Do it in one transaction. The schema is looked at inside it: migrating (and its import) is the exception."""
        with _begun(self._engine, writes=writes) as connection:
            if _version(connection) == self._schema.head:
                return work(connection)
        self._migrate()
        with _begun(self._engine, writes=writes) as connection:
            return work(connection)

    def _migrate(self) -> None:
        from alembic import command
        from alembic.config import Config
        from alembic.script import ScriptDirectory

        config = Config()
        config.set_main_option("script_location", str(self._schema.folder).replace("%", "%%"))
        config.set_main_option("path_separator", "os")
        revisions = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
        with _begun(self._engine, writes=True) as connection:
            if self._location.kind == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": MIGRATION_LOCK})
            version = _version(connection)
            if version == self._schema.head:
                return  # another run was faster
            if version and version not in revisions:
                raise HistoryError(
                    f"it was written by a newer version of this suite (schema {version}, this one knows "
                    f"{self._schema.head}): update the suite, or name another history"
                )
            config.attributes.update(connection=connection, version_table=VERSION_TABLE)
            command.upgrade(config, self._schema.head)

    def _make_file(self) -> None:
        """Make the file, readable by its owner only; SQLite gives its journal the same mode."""
        if self._location.kind == "sqlite":
            path = Path(self._location.address)
            path.parent.mkdir(parents=True, exist_ok=True)
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))

    def _bounded(self, work: Callable[[], T]) -> T:
        """Call it in a thread that may be given up; every failure becomes a HistoryError that names the database."""
        future = DaemonThreads().submit(work)
        try:
            outcome: T = future.result(timeout=self._answer_seconds)
        except HistoryError as error:
            raise HistoryError(f"{self._location.label}: {error}") from None
        except TimeoutError:
            raise HistoryError(f"{self._location.label}: no answer within {self._answer_seconds:g} s") from None
        except (SQLAlchemyError, OSError) as error:
            raise HistoryError(f"{self._location.label}: {_reason(error)}") from None
        return outcome


def _engine(location: Location) -> Engine:
    """An engine whose URL holds no address: SQLAlchemy's messages cannot repeat a password."""
    address = location.address
    if location.kind == "postgresql":
        return create_engine("postgresql+psycopg://", creator=lambda: _postgres(address), poolclass=NullPool)
    if location.kind == "sqlite":
        engine = create_engine("sqlite+pysqlite://", creator=lambda: _sqlite(address), poolclass=NullPool)
        event.listen(engine, "begin", _sqlite_begin)
        return engine
    raise HistoryError("the history is switched off")


def _sqlite(path: str) -> sqlite3.Connection:
    # Python's own transactions begin late, and not at all for DDL: `_sqlite_begin` says when.
    connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
    connection.execute("PRAGMA foreign_keys = ON")
    return connection


def _sqlite_begin(connection: Connection) -> None:
    # A transaction that reads first and then writes would fail at once where another one writes: lock at the start.
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _postgres(dsn: str) -> Any:
    import psycopg
    from psycopg.conninfo import conninfo_to_dict

    bounds: dict[str, Any] = {"connect_timeout": CONNECT_SECONDS, "application_name": "opsverify"}
    given = conninfo_to_dict(dsn)
    bounds = {name: value for name, value in bounds.items() if name not in given}
    connection = psycopg.connect(dsn, autocommit=True, **bounds)
    connection.execute(f"SET lock_timeout = '{BUSY_SECONDS}s'; SET statement_timeout = '{2 * BUSY_SECONDS}s'")
    connection.autocommit = False
    return connection


def _begun(engine: Engine, *, writes: bool) -> Any:
    return engine.execution_options(writes=writes).begin()


def _version(connection: Connection) -> str | None:
    """The schema's version; None where there is none yet."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    revision = connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar()  # noqa: S608 - a constant
    return None if revision is None else str(revision)


def _insert(connection: Connection, record: RunRecord) -> None:
    key = connection.execute(
        insert(runs).values(
            environment=record.environment,
            slot=record.slot,
            started_at=record.started_at,
            finished_at=record.finished_at,
            exit_code=record.exit_code,
            partial=record.partial,
            revision=record.revision,
            arguments=record.arguments,
        )
    ).inserted_primary_key
    assert key is not None
    rows = [_result_row(key[0], result) for result in record.results]
    figures = [row for result in record.results for row in _measurement_rows(key[0], result)]
    if rows:
        connection.execute(insert(results), rows)
    if figures:
        connection.execute(insert(measurements), figures)


def _check_columns(run_id: int, result: Result) -> dict[str, Any]:
    return {
        "run_id": run_id,
        "runbook": result.runbook,
        "target": result.target,
        "target_kind": result.target_kind,
        "unit": result.unit,
    }


def _result_row(run_id: int, result: Result) -> dict[str, Any]:
    return _check_columns(run_id, result) | {
        "nodeid": result.nodeid,
        "severity": result.severity,
        "verdict": result.verdict,
        "observed": result.observed,
        "expected": result.expected,
        "value": float(result.value) if result.value else None,
        "sentence": result.sentence,
        "seconds": result.seconds,
    }


def _measurement_rows(run_id: int, result: Result) -> Iterable[dict[str, Any]]:
    for about, value in result.figures.items():
        yield _check_columns(run_id, result) | {"about": about, "value": value}


def _of(table: Any, subject: Subject, runbook: str) -> tuple[Any, ...]:
    return (
        runs.c.environment == subject.environment,
        table.c.runbook == runbook,
        table.c.target == subject.target,
        table.c.target_kind == subject.target_kind,
    )


def _reason(error: Exception) -> str:
    """The database's own word, without the statement that SQLAlchemy puts around it."""
    if isinstance(error, DBAPIError) and error.orig is not None:
        lines = str(error.orig).strip().splitlines()
        return lines[0][:300] if lines else type(error.orig).__name__
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    return type(error).__name__
