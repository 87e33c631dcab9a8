"""What each channel was told of what is not well: reminders and recoveries must be right on every machine.

Revision ID: 0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "notices",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("environment", sa.String(255), nullable=False),
        sa.Column("channel", sa.String(60), nullable=False),
        sa.Column("nodeid", sa.Text, nullable=False),
        sa.Column("result", sa.Text, nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("runs", sa.Integer, nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True)),
        sa.Column("told_severity", sa.String(2), nullable=False),
        sa.Column("told_verdict", sa.String(20), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True)),
        sa.Column("ending", sa.Text, nullable=False),
        sa.UniqueConstraint("environment", "channel", "nodeid", name="uq_notices_subject"),
    )
