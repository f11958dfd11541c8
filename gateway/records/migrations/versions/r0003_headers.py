"""What the carrier told of a call in headers, for rules that go by it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns."""
    op.add_column(
        "calls", sa.Column("diverted_from", sa.String, comment="the number that was dialed first, as the carrier told")
    )
    comment = "A, B, C: how far the carrier vouched for the caller's number; null: not"
    op.add_column("calls", sa.Column("attestation", sa.String, comment=comment))


def downgrade() -> None:
    """Drop them."""
    for column in ("attestation", "diverted_from"):
        op.drop_column("calls", column)
