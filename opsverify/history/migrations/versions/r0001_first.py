"""The first tables: runs, their results, and the figures measured.

Revision ID: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def _of_run() -> sa.Column[int]:
    return sa.Column("run_id", sa.Integer, sa.ForeignKey("runs.id", ondelete="CASCADE"), nullable=False)


def upgrade() -> None:
    op.create_table(
        "runs",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("environment", sa.String(255), nullable=False),
        sa.Column("slot", sa.String(60), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("exit_code", sa.Integer, nullable=False),
        sa.Column("partial", sa.Boolean, nullable=False),
        sa.Column("revision", sa.String(64), nullable=False),
        sa.Column("arguments", sa.Text, nullable=False),
    )
    op.create_index("ix_runs_environment", "runs", ["environment", "started_at"])
    op.create_table(
        "results",
        sa.Column("id", sa.Integer, primary_key=True),
        _of_run(),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("nodeid", "runbook", "target", "target_kind")),
        sa.Column("severity", sa.String(2), nullable=False),
        sa.Column("verdict", sa.String(20), nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("observed", "expected", "unit")),
        sa.Column("value", sa.Double),
        sa.Column("sentence", sa.Text, nullable=False),
        sa.Column("seconds", sa.Double, nullable=False),
    )
    op.create_index("ix_results_check", "results", ["runbook", "target", "run_id"])
    op.create_index("ix_results_run", "results", ["run_id"])
    op.create_table(
        "measurements",
        sa.Column("id", sa.Integer, primary_key=True),
        _of_run(),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("runbook", "target", "target_kind", "about")),
        sa.Column("value", sa.Double, nullable=False),
        sa.Column("unit", sa.Text, nullable=False),
    )
    op.create_index("ix_measurements_check", "measurements", ["runbook", "target", "run_id"])
    op.create_index("ix_measurements_run", "measurements", ["run_id"])
