"""How each check ended before, one row per check, told from the results that are there.

Revision ID: 0002
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

NEWEST = 1_000_000
"""So many results are looked at, in seconds: a run waits for this, and gives a database up that takes longer."""

SPELLS = 32

runs = sa.table(
    "runs", sa.column("id"), sa.column("environment"), sa.column("started_at", sa.DateTime(True)), sa.column("partial")
)
results = sa.table(
    "results", *(sa.column(name) for name in ("id", "run_id", "runbook", "nodeid", "target", "target_kind", "verdict"))
)
columns = ("environment", "runbook", "function", "target", "target_kind")


def upgrade() -> None:
    standings = op.create_table(
        "standings",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("environment", sa.String(255), nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in columns[1:]),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("spells", sa.Text, nullable=False),
    )
    op.create_index("ix_standings_environment", "standings", ["environment"])
    rows = [
        {**dict(zip(columns, check, strict=True)), "seen_at": seen_at, "spells": json.dumps(spells)}
        for check, (seen_at, spells) in _told().items()
    ]
    if rows:
        op.bulk_insert(standings, rows)


def _told() -> dict[tuple[str, ...], tuple[datetime, list[Any]]]:
    connection = op.get_bind()
    known = {
        key: (environment, began, began.replace(tzinfo=began.tzinfo or UTC).astimezone(UTC).isoformat(), partial)
        for key, environment, began, partial in connection.execute(sa.select(*runs.c))
    }
    newest = connection.execute(sa.select(sa.func.max(results.c.id))).scalar() or 0
    query = (
        sa.select(*(results.c[name] for name in ("run_id", "runbook", "nodeid", "target", "target_kind", "verdict")))
        .where(results.c.id > newest - NEWEST, results.c.runbook != "", results.c.verdict != "not applicable")
        .order_by(results.c.id)
    )
    told: dict[tuple[str, ...], tuple[datetime, list[Any]]] = {}
    rows = connection.execute(query, execution_options={"yield_per": 10_000})
    for run, runbook, nodeid, target, target_kind, verdict in rows:
        environment, began, iso, partial = known[run]
        if partial and verdict in ("undetermined", "blocked", "broken"):
            continue
        check = (environment, runbook, nodeid.partition("[")[0].rpartition("::")[2], target, target_kind)
        spells = told[check][1] if check in told else []
        if spells and spells[-1][0] == verdict:
            spells[-1][1:] = [spells[-1][1] + 1, min(spells[-1][2], iso)]
        else:
            spells = [*spells, [verdict, 1, iso]][-SPELLS:]
        told[check] = (began, spells)
    return told
