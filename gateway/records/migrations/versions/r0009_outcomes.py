"""What became of leads."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "lead_outcomes",
        sa.Column("call", sa.String, nullable=False),
        sa.Column("outcome", sa.String, nullable=False, comment="good, bad, spam, won"),
        sa.Column("why", sa.Text, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["call"], ["calls.id"], name="fk_lead_outcomes_call", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("call", name="pk_lead_outcomes"),
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_table("lead_outcomes")
