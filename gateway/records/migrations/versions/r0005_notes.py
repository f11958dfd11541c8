"""What the gateway notes of a call: which providers served it, and when its caller was told to hold on."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "notes",
        sa.Column("call", sa.String, nullable=False),
        sa.Column("kind", sa.String, nullable=False, comment="engine, held"),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "about",
            sa.JSON().with_variant(postgresql.JSONB(), "postgresql"),
            nullable=False,
            comment="what the event told",
        ),
        sa.ForeignKeyConstraint(["call"], ["calls.id"], name="fk_notes_call", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("call", "kind", "at", name="pk_notes"),
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_table("notes")
