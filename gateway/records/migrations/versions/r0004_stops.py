"""The stops of a call's way, the legs it rang, its waiting, its messages, and whom messages are told to."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)
_ENDINGS = "served, abandoned, rejected, callback, lost"
_ENDINGS_NOW = "served, abandoned, rejected, callback, message, lost"


def upgrade() -> None:
    """Make the tables."""
    _stops_and_legs()
    _messages()
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
    _comment(_ENDINGS_NOW, _ENDINGS)


def downgrade() -> None:
    """Drop them."""
    _comment(_ENDINGS, _ENDINGS_NOW)
    for table in ("notices", "messages", "waits", "legs", "stops"):
        op.drop_table(table)


def _stops_and_legs() -> None:
    _of_a_call(
        "stops",
        sa.Column("number", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("route", sa.String),
        sa.Column("act", sa.String, comment="talk, choose, wait, ring, record"),
        sa.Column("because", sa.String, comment="what led here"),
        key=("number",),
    )
    _of_a_call(
        "legs",
        sa.Column("leg", sa.String, nullable=False),
        sa.Column("at", _TIME, nullable=False, comment="the first that was heard of it"),
        sa.Column("named", _TIME),
        sa.Column("member", sa.String, comment="in the plan's people; null: a bare number"),
        sa.Column("number", sa.String),
        sa.Column("ringing", _TIME),
        sa.Column("answered", _TIME),
        sa.Column("over", _TIME),
        sa.Column("how", sa.String, comment="failed, left, dropped"),
        sa.Column("status", sa.Integer, comment="SIP's; null: none"),
        sa.Column("reason", sa.Text),
        key=("leg",),
    )
    _of_a_call(
        "waits",
        sa.Column("team", sa.String, nullable=False),
        sa.Column("event", sa.String, nullable=False, comment="entered, left"),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("why", sa.Text),
        key=("team", "event", "at"),
    )


def _messages() -> None:
    _of_a_call(
        "messages",
        sa.Column("id", sa.String, nullable=False),
        sa.Column("at", _TIME, nullable=False, comment="the first that was heard of it"),
        sa.Column("left", _TIME, comment="when it was stored"),
        sa.Column("file", sa.String, comment="its name in the messages' directory"),
        sa.Column("seconds", sa.Float),
        sa.Column("size", sa.Integer, comment="bytes"),
        sa.Column("because", sa.String, comment="what led to it: closed, full, unanswered ..."),
        sa.Column("team", sa.String),
        sa.Column("transcribed", _TIME),
        sa.Column("transcript", sa.Text),
        sa.Column("done", _TIME),
        sa.Column("done_by", sa.String),
        key=("id",),
    )
    op.create_index("ix_messages_at", "messages", ["at"])


def _of_a_call(name: str, *columns: sa.Column[object], key: tuple[str, ...]) -> None:
    op.create_table(
        name,
        sa.Column("call", sa.String, nullable=False),
        *columns,
        sa.ForeignKeyConstraint(["call"], ["calls.id"], name=f"fk_{name}_call", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("call", *key, name=f"pk_{name}"),
    )


def _comment(now: str, before: str) -> None:
    # SQLite keeps no comments.
    if op.get_bind().dialect.name == "postgresql":
        op.alter_column("calls", "ending", comment=now, existing_comment=before)
