"""Callbacks, each with how it stands."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "bookings",
        sa.Column("id", sa.String, nullable=False),
        sa.Column("call", sa.String, nullable=False),
        sa.Column("number", sa.String, nullable=False, comment="whom to call, E.164"),
        sa.Column("at", _TIME, nullable=False, comment="when they are called, or called next"),
        sa.Column("by", _TIME, nullable=False, comment="when they must have been"),
        sa.Column("made", _TIME, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("consent", sa.Text, nullable=False, comment="the words by which they agreed"),
        sa.Column("team", sa.String, nullable=False, comment="whose people call; empty: by hand"),
        sa.Column("zone", sa.String, nullable=False),
        sa.Column("language", sa.String, nullable=False),
        sa.Column("most", sa.Integer, nullable=False, comment="runs at most"),
        sa.Column("every", sa.Float, nullable=False, comment="seconds from one run to the next"),
        sa.Column("tries", sa.Integer, nullable=False, comment="runs so far"),
        sa.Column("sequence", sa.Integer, nullable=False, comment="of the appointment, for calendars"),
        sa.Column("breached", sa.Float, nullable=False, comment="when somebody was told that it is late; 0: never"),
        sa.Column("ended", sa.Float, nullable=False, comment="0: not yet"),
        sa.Column("why", sa.Text, nullable=False),
        sa.Column("member", sa.String, nullable=False, comment="who has talked with them"),
        sa.Column("lease", _TIME, comment="until when a control makes its call; null: none has to"),
        sa.Column("telling", sa.String, nullable=False, comment="what is still to be told"),
        sa.ForeignKeyConstraint(["call"], ["calls.id"], name="fk_bookings_call", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_bookings"),
    )
    for column in ("call", "number", "at", "made", "state"):
        op.create_index(f"ix_bookings_{column}", "bookings", [column])


def downgrade() -> None:
    """Drop it."""
    op.drop_table("bookings")
