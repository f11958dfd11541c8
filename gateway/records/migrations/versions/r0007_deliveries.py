"""The outbox of messages becomes one of whatever is to reach somebody; what was still to be told stays so."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)
_SHARED = "id, call, address, made, due, tries, delivered, error"


def upgrade() -> None:
    """Make the table, and move what is in the old one."""
    op.create_table(
        "deliveries",
        sa.Column("id", sa.String, nullable=False, comment="the same for every try, and told to the receiver"),
        sa.Column("call", sa.String, comment="null: of no single call"),
        sa.Column("kind", sa.String, nullable=False, comment="message, transcript, lead, card, alarm ..."),
        sa.Column("subject", sa.String, nullable=False, comment="of several of this kind, which: a message's id"),
        sa.Column("address", sa.Text, nullable=False, comment="it may hold a secret"),
        sa.Column(
            "content",
            sa.JSON().with_variant(postgresql.JSONB(), "postgresql"),
            comment="what is said; null: made from the rows when it is sent",
        ),
        sa.Column("urgent", sa.Boolean, nullable=False),
        sa.Column("made", _TIME, nullable=False),
        sa.Column("due", _TIME, comment="when to try; null: delivered, or given up"),
        sa.Column("until", _TIME, nullable=False, comment="when nobody needs it any more"),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("delivered", _TIME),
        sa.Column("error", sa.Text),
        sa.ForeignKeyConstraint(["call"], ["calls.id"], name="fk_deliveries_call", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_deliveries"),
    )
    op.create_index("ix_deliveries_due", "deliveries", ["due"])
    op.create_index("ix_deliveries_call", "deliveries", ["call"])
    a_day_on = (
        "made + interval '1 day'"
        if op.get_bind().dialect.name == "postgresql"
        else (
            "strftime('%Y-%m-%d %H:%M:%f000', made, '+1 day')"  # as SQLAlchemy writes times
        )
    )
    op.execute(
        f"INSERT INTO deliveries ({_SHARED}, kind, subject, urgent, until) "
        f"SELECT {_SHARED}, what, message, false, {a_day_on} FROM notices"
    )
    op.drop_table("notices")


def downgrade() -> None:
    """Back to messages alone: what else was to be told is dropped."""
    op.create_table(
        "notices",
        sa.Column("id", sa.String, nullable=False, comment="the same for every try, and told to the receiver"),
        sa.Column("call", sa.String, nullable=False),
        sa.Column("message", sa.String, nullable=False),
        sa.Column("address", sa.Text, nullable=False, comment="an apprise URL; it may hold a secret"),
        sa.Column("what", sa.String, nullable=False, comment="message, transcript"),
        sa.Column("made", _TIME, nullable=False),
        sa.Column("due", _TIME, comment="when to try; null: delivered, or given up"),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("delivered", _TIME),
        sa.Column("error", sa.Text),
        sa.ForeignKeyConstraint(["call"], ["calls.id"], name="fk_notices_call", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_notices"),
    )
    op.create_index("ix_notices_due", "notices", ["due"])
    op.execute(
        f"INSERT INTO notices ({_SHARED}, what, message) "
        f"SELECT {_SHARED}, kind, subject FROM deliveries WHERE kind IN ('message', 'transcript')"
    )
    op.drop_table("deliveries")
