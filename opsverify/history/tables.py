"""The tables of the history. A change here needs a new file in `migrations/versions` and a new `SCHEMA`.

Names are plain, so that people can ask in SQL. In PostgreSQL give the history a database or a schema of its own.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    DateTime,
    Dialect,
    Double,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)

SCHEMA = "0003"
"""The newest migration: what this code reads and writes."""

VERSION_TABLE = "opsverify_schema"
"""Alembic's own table, not by its usual name: another program's `alembic_version` may stand beside it."""


class Moment(TypeDecorator[datetime]):
    """An aware time. SQLite keeps no time zone: there it is UTC by agreement."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        return value.astimezone(UTC) if value is not None else None

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


metadata = MetaData()


def _of_run() -> Column[int]:
    return Column("run_id", Integer, ForeignKey("runs.id", ondelete="CASCADE"), nullable=False)


runs = Table(
    "runs",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("environment", String(255), nullable=False),
    Column("slot", String(60), nullable=False),
    Column("started_at", Moment, nullable=False),
    Column("finished_at", Moment, nullable=False),
    Column("exit_code", Integer, nullable=False),
    Column("partial", Boolean, nullable=False),
    Column("revision", String(64), nullable=False),
    Column("arguments", Text, nullable=False),
    Index("ix_runs_environment", "environment", "started_at"),
)

results = Table(
    "results",
    metadata,
    Column("id", Integer, primary_key=True),
    _of_run(),
    Column("nodeid", Text, nullable=False),
    Column("runbook", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("target_kind", Text, nullable=False),
    Column("severity", String(2), nullable=False),
    Column("verdict", String(20), nullable=False),
    Column("observed", Text, nullable=False),
    Column("expected", Text, nullable=False),
    Column("unit", Text, nullable=False),
    Column("value", Double),
    Column("sentence", Text, nullable=False),
    Column("seconds", Double, nullable=False),
    Index("ix_results_check", "runbook", "target", "run_id"),
    Index("ix_results_run", "run_id"),
)

measurements = Table(
    "measurements",
    metadata,
    Column("id", Integer, primary_key=True),
    _of_run(),
    Column("runbook", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("target_kind", Text, nullable=False),
    Column("about", Text, nullable=False),
    Column("value", Double, nullable=False),
    Column("unit", Text, nullable=False),
    Index("ix_measurements_check", "runbook", "target", "run_id"),
    Index("ix_measurements_run", "run_id"),
)

standings = Table(
    "standings",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("environment", String(255), nullable=False),
    Column("runbook", Text, nullable=False),
    Column("function", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("target_kind", Text, nullable=False),
    Column("seen_at", Moment, nullable=False),
    Column("spells", Text, nullable=False),
    Index("ix_standings_environment", "environment"),
)
"""How each check ended before, one row per check: told from `results`, so that nobody has to read a year of those."""

notices = Table(
    "notices",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("environment", String(255), nullable=False),
    Column("channel", String(60), nullable=False),
    Column("nodeid", Text, nullable=False),
    Column("result", Text, nullable=False),
    Column("since", Moment, nullable=False),
    Column("seen_at", Moment, nullable=False),
    Column("runs", Integer, nullable=False),
    Column("told_at", Moment),
    Column("told_severity", String(2), nullable=False),
    Column("told_verdict", String(20), nullable=False),
    Column("ended_at", Moment),
    Column("ending", Text, nullable=False),
    UniqueConstraint("environment", "channel", "nodeid", name="uq_notices_subject"),
)
