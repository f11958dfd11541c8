"""Calls with their attempts, turns and switches; leads, tickets and callbacks; the events already written."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# A revision names its types itself: the schema's may change after it.
_TIME = sa.DateTime(timezone=True)
_JSON = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")


def upgrade() -> None:
    """Make the first tables."""
    _calls()
    _of_a_call(
        "attempts",
        sa.Column("epoch", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("dispatched", _TIME),
        sa.Column("dispatch", sa.String),
        sa.Column("taken", _TIME),
        sa.Column("job", sa.String),
        key=("epoch",),
    )
    _of_a_call(
        "turns",
        sa.Column("seq", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("speaker", sa.String, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("interrupted", sa.Boolean, nullable=False),
        sa.Column("latencies", _JSON, nullable=False, comment="seconds, by LiveKit's names"),
        key=("seq", "at"),
    )
    _of_a_call(
        "switches",
        sa.Column("at", _TIME, nullable=False),
        sa.Column("agent", sa.String),
        sa.Column("reason", sa.Text),
        key=("at",),
    )
    _paper("leads")
    _paper("tickets")
    _of_a_call(
        "callbacks",
        sa.Column("number", sa.String, nullable=False, comment="empty: the caller's own"),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("promised", sa.Text),
        sa.Column("promised_at", _TIME),
        key=("number",),
    )
    op.create_table(
        "applied",
        sa.Column("event", sa.String, nullable=False, comment="the stream's id of an event that is in the rows"),
        sa.Column("at", _TIME, nullable=False, comment="when it was written"),
        sa.PrimaryKeyConstraint("event", name="pk_applied"),
    )
    op.create_index("ix_applied_at", "applied", ["at"])


def downgrade() -> None:
    """Drop everything: the records are gone."""
    for table in ("applied", "callbacks", "tickets", "leads", "switches", "turns", "attempts", "calls"):
        op.drop_table(table)


def _calls() -> None:
    op.create_table(
        "calls",
        sa.Column("id", sa.String, nullable=False, comment="sip.callID of the inbound leg"),
        sa.Column("started", _TIME, nullable=False, comment="the first that was heard of the call"),
        sa.Column("opened", _TIME, comment="routed by control"),
        sa.Column("answered", _TIME),
        sa.Column("ended", _TIME),
        sa.Column("ending", sa.String, comment="served, abandoned, rejected, callback, lost"),
        sa.Column("dialed", sa.String),
        sa.Column("caller", sa.String),
        sa.Column("room", sa.String),
        sa.Column("trunk", sa.String),
        sa.Column("route", sa.String),
        sa.Column("plan", sa.String, comment="version of the dial plan that routed it"),
        sa.Column("agent", sa.String),
        sa.Column("pool", sa.String),
        sa.Column("rejected", _TIME),
        sa.Column("reject_status", sa.Integer),
        sa.Column("reject_reason", sa.Text),
        sa.Column("hung_up", _TIME),
        sa.Column("hung_up_by", sa.String, comment="caller, agent, network, gateway; null: unknown"),
        sa.Column("hung_up_reason", sa.Text),
        sa.Column("sip_at", _TIME),
        sa.Column("sip_status", sa.Integer, comment="null: unknown"),
        sa.Column("sip_text", sa.Text),
        sa.Column("codec", sa.String),
        sa.PrimaryKeyConstraint("id", name="pk_calls"),
    )
    for column in ("started", "dialed", "caller"):
        op.create_index(f"ix_calls_{column}", "calls", [column])


def _of_a_call(name: str, *columns: sa.Column[object], key: tuple[str, ...] = ()) -> None:
    op.create_table(
        name,
        sa.Column("call", sa.String, nullable=False),
        *columns,
        sa.ForeignKeyConstraint(["call"], ["calls.id"], name=f"fk_{name}_call", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("call", *key, name=f"pk_{name}"),
    )


def _paper(name: str) -> None:
    _of_a_call(
        name,
        sa.Column("created", _TIME, nullable=False),
        sa.Column("updated", _TIME, nullable=False),
        sa.Column("complete", sa.Boolean, nullable=False),
        sa.Column("fields", _JSON, nullable=False, comment="fact by name"),
        sa.Column("told", _JSON, nullable=False, comment="when each fact was told, seconds since the epoch"),
    )
    op.create_index(f"ix_{name}_created", name, ["created"])
