"""Callers whom teams have missed, and the days whose digests were told; a callback that reached nobody ends as missed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)
_ENDINGS = "served, abandoned, rejected, callback, message, lost"
_ENDINGS_NOW = "served, abandoned, rejected, callback, message, missed, lost"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "missed",
        sa.Column("call", sa.String, nullable=False),
        sa.Column("team", sa.String, nullable=False),
        sa.Column("at", _TIME, nullable=False, comment="when the call ended"),
        sa.Column("told", _TIME, comment="when the team was told"),
        sa.Column("escalated", _TIME, comment="when somebody else was, or needn't be"),
        sa.Column("dealt", _TIME, comment="when somebody said that they have dealt with it"),
        sa.Column("dealt_by", sa.String),
        sa.ForeignKeyConstraint(["call"], ["calls.id"], name="fk_missed_call", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("call", name="pk_missed"),
    )
    for column in ("team", "at"):
        op.create_index(f"ix_missed_{column}", "missed", [column])
    op.create_table(
        "digests",
        sa.Column("team", sa.String, nullable=False),
        sa.Column("day", sa.String, nullable=False, comment="of the plan's zone, such as 2026-11-28"),
        sa.Column("told", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("team", "day", name="pk_digests"),
    )
    _comment(_ENDINGS_NOW, _ENDINGS)


def downgrade() -> None:
    """Drop them."""
    _comment(_ENDINGS, _ENDINGS_NOW)
    op.drop_table("digests")
    op.drop_table("missed")


def _comment(now: str, before: str) -> None:
    # SQLite keeps no comments.
    if op.get_bind().dialect.name == "postgresql":
        op.alter_column("calls", "ending", comment=now, existing_comment=before)
