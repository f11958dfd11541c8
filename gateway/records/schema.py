"""The tables, in SQLAlchemy Core: the same on SQLite and PostgreSQL. Alembic's revisions are held against this."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeEngine

from gateway.records import model

METADATA = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
    }
)


class Instant(TypeDecorator[float]):
    """A time: seconds since the epoch (UTC) here, a timestamp in the database, to the microsecond."""

    impl = DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[datetime]:
        """PostgreSQL keeps the zone; SQLite keeps text, in UTC."""
        return dialect.type_descriptor(DateTime(timezone=dialect.name != "sqlite"))

    def process_bind_param(self, value: float | None, dialect: Dialect) -> datetime | None:
        """Seconds to a timestamp."""
        if value is None:
            return None
        at = datetime.fromtimestamp(value, UTC)
        return at.replace(tzinfo=None) if dialect.name == "sqlite" else at

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> float | None:
        """A timestamp to seconds."""
        if value is None:
            return None
        return (value.replace(tzinfo=UTC) if value.tzinfo is None else value).timestamp()


_JSON = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")


def _call(*, primary: bool = True) -> Column[str]:
    return Column("call", String, ForeignKey("calls.id", ondelete="CASCADE"), primary_key=primary)


CALLS = Table(
    model.Table.CALLS,
    METADATA,
    Column("id", String, primary_key=True, comment="sip.callID of the inbound leg"),
    Column("started", Instant, nullable=False, index=True, comment="the first that was heard of the call"),
    Column("opened", Instant, comment="routed by control"),
    Column("answered", Instant),
    Column("ended", Instant),
    Column("ending", String, comment="served, abandoned, rejected, callback, message, missed, lost"),
    Column("dialed", String, index=True),
    Column("caller", String, index=True),
    Column("diverted_from", String, comment="the number that was dialed first, as the carrier told"),
    Column("attestation", String, comment="A, B, C: how far the carrier vouched for the caller's number; null: not"),
    Column("room", String),
    Column("trunk", String),
    Column("route", String),
    Column("plan", String, comment="version of the dial plan that routed it"),
    Column("agent", String),
    Column("pool", String),
    Column("rejected", Instant),
    Column("reject_status", Integer),
    Column("reject_reason", Text),
    Column("hung_up", Instant),
    Column("hung_up_by", String, comment="caller, agent, network, gateway; null: unknown"),
    Column("hung_up_reason", Text),
    Column("sip_at", Instant),
    Column("sip_status", Integer, comment="null: unknown"),
    Column("sip_text", Text),
    Column("codec", String),
)

ATTEMPTS = Table(
    model.Table.ATTEMPTS,
    METADATA,
    _call(),
    Column("epoch", Integer, primary_key=True, autoincrement=False),
    Column("dispatched", Instant),
    Column("dispatch", String),
    Column("taken", Instant),
    Column("job", String),
)

TURNS = Table(
    model.Table.TURNS,
    METADATA,
    _call(),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("at", Instant, primary_key=True),
    Column("speaker", String, nullable=False),
    Column("text", Text, nullable=False),
    Column("interrupted", Boolean, nullable=False),
    Column("latencies", _JSON, nullable=False, comment="seconds, by LiveKit's names"),
)

SWITCHES = Table(
    model.Table.SWITCHES,
    METADATA,
    _call(),
    Column("at", Instant, primary_key=True),
    Column("agent", String),
    Column("reason", Text),
)


def _paper(name: str) -> Table:
    return Table(
        name,
        METADATA,
        _call(),
        Column("created", Instant, nullable=False, index=True),
        Column("updated", Instant, nullable=False),
        Column("complete", Boolean, nullable=False),
        Column("fields", _JSON, nullable=False, comment="fact by name"),
        Column("told", _JSON, nullable=False, comment="when each fact was told, seconds since the epoch"),
    )


LEADS = _paper(model.Table.LEADS)
TICKETS = _paper(model.Table.TICKETS)

CALLBACKS = Table(
    model.Table.CALLBACKS,
    METADATA,
    _call(),
    Column("number", String, primary_key=True, comment="empty: the caller's own"),
    Column("at", Instant, nullable=False),
    Column("reason", Text),
    Column("promised", Text),
    Column("promised_at", Instant),
)

STOPS = Table(
    model.Table.STOPS,
    METADATA,
    _call(),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("at", Instant, nullable=False),
    Column("route", String),
    Column("act", String, comment="talk, choose, wait, ring, record"),
    Column("because", String, comment="what led here"),
)

LEGS = Table(
    model.Table.LEGS,
    METADATA,
    _call(),
    Column("leg", String, primary_key=True),
    Column("at", Instant, nullable=False, comment="the first that was heard of it"),
    Column("named", Instant),
    Column("member", String, comment="in the plan's people; null: a bare number"),
    Column("number", String),
    Column("ringing", Instant),
    Column("answered", Instant),
    Column("over", Instant),
    Column("how", String, comment="failed, left, dropped"),
    Column("status", Integer, comment="SIP's; null: none"),
    Column("reason", Text),
)

WAITS = Table(
    model.Table.WAITS,
    METADATA,
    _call(),
    Column("team", String, primary_key=True),
    Column("event", String, primary_key=True, comment="entered, left"),
    Column("at", Instant, primary_key=True),
    Column("why", Text),
)

MESSAGES = Table(
    model.Table.MESSAGES,
    METADATA,
    _call(),
    Column("id", String, primary_key=True),
    Column("at", Instant, nullable=False, index=True, comment="the first that was heard of it"),
    Column("left", Instant, comment="when it was stored"),
    Column("file", String, comment="its name in the messages' directory"),
    Column("seconds", Float),
    Column("size", Integer, comment="bytes"),
    Column("because", String, comment="what led to it: closed, full, unanswered ..."),
    Column("team", String),
    Column("transcribed", Instant),
    Column("transcript", Text),
    Column("done", Instant),
    Column("done_by", String),
)

NOTES = Table(
    model.Table.NOTES,
    METADATA,
    _call(),
    Column("kind", String, primary_key=True, comment="engine, held"),
    Column("at", Instant, primary_key=True),
    Column("about", _JSON, nullable=False, comment="what the event told"),
)

DELIVERIES = Table(
    "deliveries",
    METADATA,
    Column("id", String, primary_key=True, comment="the same for every try, and told to the receiver"),
    Column("call", String, ForeignKey("calls.id", ondelete="CASCADE"), index=True, comment="null: of no single call"),
    Column("kind", String, nullable=False, comment="message, transcript, lead, card, alarm ..."),
    Column("subject", String, nullable=False, comment="of several of this kind, which: a message's id"),
    Column("address", Text, nullable=False, comment="it may hold a secret"),
    Column("content", _JSON, comment="what is said; null: made from the rows when it is sent"),
    Column("urgent", Boolean, nullable=False),
    Column("made", Instant, nullable=False),
    Column("due", Instant, index=True, comment="when to try; null: delivered, or given up"),
    Column("until", Instant, nullable=False, comment="when nobody needs it any more"),
    Column("tries", Integer, nullable=False),
    Column("delivered", Instant),
    Column("error", Text),
)

OUTCOMES = Table(
    "lead_outcomes",
    METADATA,
    _call(),
    Column("outcome", String, nullable=False, comment="good, bad, spam, won"),
    Column("why", Text, nullable=False),
    Column("at", Instant, nullable=False),
)

APPLIED = Table(
    "applied",
    METADATA,
    Column("event", String, primary_key=True, comment="the stream's id of an event that is in the rows"),
    Column("at", Instant, nullable=False, index=True, comment="when it was written"),
)

BOOKINGS = Table(
    "bookings",
    METADATA,
    Column("id", String, primary_key=True),
    Column("call", String, ForeignKey("calls.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("number", String, nullable=False, index=True, comment="whom to call, E.164"),
    Column("at", Instant, nullable=False, index=True, comment="when they are called, or called next"),
    Column("by", Instant, nullable=False, comment="when they must have been"),
    Column("made", Instant, nullable=False, index=True),
    Column("state", String, nullable=False, index=True),
    Column("reason", Text, nullable=False),
    Column("consent", Text, nullable=False, comment="the words by which they agreed"),
    Column("team", String, nullable=False, comment="whose people call; empty: by hand"),
    Column("zone", String, nullable=False),
    Column("language", String, nullable=False),
    Column("most", Integer, nullable=False, comment="runs at most"),
    Column("every", Float, nullable=False, comment="seconds from one run to the next"),
    Column("tries", Integer, nullable=False, comment="runs so far"),
    Column("sequence", Integer, nullable=False, comment="of the appointment, for calendars"),
    Column("breached", Float, nullable=False, comment="when somebody was told that it is late; 0: never"),
    Column("ended", Float, nullable=False, comment="0: not yet"),
    Column("why", Text, nullable=False),
    Column("member", String, nullable=False, comment="who has talked with them"),
    Column("lease", Instant, comment="until when a control makes its call; null: none has to"),
    Column("telling", String, nullable=False, comment="what is still to be told"),
)

MISSED = Table(
    "missed",
    METADATA,
    _call(),
    Column("team", String, nullable=False, index=True),
    Column("at", Instant, nullable=False, index=True, comment="when the call ended"),
    Column("told", Instant, comment="when the team was told"),
    Column("escalated", Instant, comment="when somebody else was, or needn't be"),
    Column("dealt", Instant, comment="when somebody said that they have dealt with it"),
    Column("dealt_by", String),
)

DIGESTS = Table(
    "digests",
    METADATA,
    Column("team", String, primary_key=True),
    Column("day", String, primary_key=True, comment="of the plan's zone, such as 2026-11-28"),
    Column("told", Instant, nullable=False),
)

DO_NOT_CALL = Table(
    "do_not_call",
    METADATA,
    Column("number", String, primary_key=True, comment="E.164"),
    Column("at", Instant, nullable=False, comment="since when"),
    Column("why", Text, nullable=False),
    Column("call", String, comment="in which it was said; null: none"),
    Column("by", String, nullable=False, comment="caller, or an operator's name"),
    Column("removed", Instant, comment="when it was taken off; null: it is on"),
    Column("removed_by", String),
)

PLAN_FILES = Table(
    "plan_files",
    METADATA,
    Column("hash", String, primary_key=True, comment="SHA-256 of the content"),
    Column("data", LargeBinary, nullable=False, comment="the content, by zlib"),
)

PLAN_VERSIONS = Table(
    "plan_versions",
    METADATA,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("content", String, nullable=False, index=True, comment="hash of all files: what calls.plan names"),
    Column("author", String, nullable=False),
    Column("made", Instant, nullable=False),
    Column("effective", Instant, nullable=False, index=True),
    Column("message", Text, nullable=False),
    Column("source", String, nullable=False, comment="apply, save, rollback"),
    Column("of", Integer, nullable=False, comment="the version that a rollback restored, else 0"),
    Column("withdrawn", Instant, comment="when a scheduled version was taken back"),
)

PLAN_VERSION_FILES = Table(
    "plan_version_files",
    METADATA,
    Column("version", Integer, ForeignKey("plan_versions.number"), primary_key=True, autoincrement=False),
    Column("name", String, primary_key=True),
    Column("hash", String, ForeignKey("plan_files.hash"), nullable=False),
)

OVERRIDES = Table(
    "overrides",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("kind", String, nullable=False, comment="close, open, away, notice"),
    Column("subject", String, nullable=False),
    Column("until", Instant, nullable=False, index=True),
    Column("say", Text, nullable=False),
    Column("author", String, nullable=False),
    Column("made", Instant, nullable=False),
    Column("ended", Instant, comment="before its time"),
    Column("ended_by", String, nullable=False),
)

TABLES = {table: METADATA.tables[table] for table in model.Table}
"""The tables that events change."""
