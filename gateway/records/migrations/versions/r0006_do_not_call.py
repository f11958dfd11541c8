"""Numbers that are never called again."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "do_not_call",
        sa.Column("number", sa.String, nullable=False, comment="E.164"),
        sa.Column("at", _TIME, nullable=False, comment="since when"),
        sa.Column("why", sa.Text, nullable=False),
        sa.Column("call", sa.String, comment="in which it was said; null: none"),
        sa.Column("by", sa.String, nullable=False, comment="caller, or an operator's name"),
        sa.Column("removed", _TIME, comment="when it was taken off; null: it is on"),
        sa.Column("removed_by", sa.String),
        sa.PrimaryKeyConstraint("number", name="pk_do_not_call"),
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_table("do_not_call")
