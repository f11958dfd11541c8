"""The outbox of messages: whom each is told to, written in the same transaction as the message, so that neither is
without the other.

A notice is tried by whichever control claims it, and again later until it is delivered: at least once, always under one
id. The first one waits a little for the message's words; words that come later are told in a notice of their own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Update, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from gateway.records.engine import whole
from gateway.records.reading import name, text
from gateway.records.schema import CALLS, MESSAGES, NOTICES
from gateway.terms.event import Event, Kind

WORDS_WITHIN = 60.0
"""Seconds that the first notice waits for the message's words."""
LEASE = 180.0
"""Seconds that one try may take before another control makes it."""
AT_ONCE = 4
"""Notices one control delivers at a time: each has a thread while it waits."""
GIVE_UP_AFTER = 24 * 3600.0
_STEPS = (15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0)
"""Seconds between tries, the last for ever."""
MESSAGE, TRANSCRIPT = "message", "transcript"
_MOST = 50
_OUTSIDE = "the message's words went with it"


@dataclass(frozen=True, slots=True)
class Notice:
    """One address to be told of one message; now ours to tell."""

    id: str
    what: str
    """MESSAGE, or TRANSCRIPT for words that came later."""
    address: str
    message: Mapping[str, object]
    """The message's row, with its call's `caller`, `dialed` and `route`."""
    made: float
    """Seconds since the epoch."""
    tries: int
    """This one included."""


async def note(connection: AsyncConnection, events: Sequence[Event], now: float) -> None:
    """Put notices of the messages among the events in the outbox; their rows are written, in this transaction."""
    for event in events:
        message = name(event.data.get("id"))
        if message and event.kind is Kind.MESSAGE:
            await _note_message(connection, event, message, now)
        elif message and event.kind is Kind.TRANSCRIBED:
            await _note_words(connection, event, message, now)


async def _note_message(connection: AsyncConnection, event: Event, message: str, now: float) -> None:
    addresses = event.data.get("notify")
    if not isinstance(addresses, list | tuple):
        return
    row = await connection.scalar(
        select(MESSAGES.c.transcribed).where(MESSAGES.c.call == event.call, MESSAGES.c.id == message)
    )
    due = now if row is not None else now + WORDS_WITHIN
    wanted = dict.fromkeys(address for each in addresses if (address := text(each)))
    for address in list(wanted)[:_MOST]:
        await _put(connection, event.call, message, address, MESSAGE, now, due)


async def _note_words(connection: AsyncConnection, event: Event, message: str, now: float) -> None:
    ours = (NOTICES.c.call == event.call) & (NOTICES.c.message == message) & (NOTICES.c.what == MESSAGE)
    fresh = ours & (NOTICES.c.tries == 0) & NOTICES.c.due.is_not(None)
    await connection.execute(update(NOTICES).where(fresh).values(due=now))
    if not text(event.data.get("text")):
        return
    for address in (await connection.scalars(select(NOTICES.c.address).where(ours, NOTICES.c.tries > 0))).all():
        await _put(connection, event.call, message, str(address), TRANSCRIPT, now, now)


async def _put(
    connection: AsyncConnection, call: str, message: str, address: str, what: str, now: float, due: float
) -> None:
    kind = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    row = {
        "id": identity(call, message, address, what), "call": call, "message": message, "address": address,
        "what": what, "made": now, "due": due, "tries": 0,
    }  # fmt: skip
    await connection.execute(kind(NOTICES).on_conflict_do_nothing(), row)


def identity(call: str, message: str, address: str, what: str) -> str:
    """A notice's id: the same for the same, whoever writes it, and it gives nothing away."""
    return hashlib.sha256(f"{call}\x00{message}\x00{address}\x00{what}".encode()).hexdigest()[:32]


class Outbox:
    """The outbox, for whoever delivers. Methods raise SQLAlchemy's errors when the database can't be used."""

    def __init__(self, engine: AsyncEngine, looking: AsyncEngine) -> None:
        """`engine` writes, `looking` reads (see `gateway.records.engine.connect`)."""
        self._engine, self._looking = engine, looking

    async def claim(self, now: float) -> Sequence[Notice]:
        """Notices that are due, for LEASE seconds ours alone. `now`: seconds since the epoch."""
        due = select(NOTICES.c.id).where(NOTICES.c.due <= now).limit(1)
        async with self._looking.connect() as connection:  # takes no lock: there is mostly nothing
            if (await connection.scalar(due)) is None:
                return ()
        return await whole(self._claim(now))

    async def _claim(self, now: float) -> Sequence[Notice]:
        ours = select(NOTICES.c.id).where(NOTICES.c.due <= now).order_by(NOTICES.c.due).limit(AT_ONCE)
        async with self._engine.begin() as connection:
            ids = (await connection.scalars(ours.with_for_update(skip_locked=True))).all()
            if not ids:
                return ()
            lent = update(NOTICES).where(NOTICES.c.id.in_(ids))
            await connection.execute(lent.values(due=now + LEASE, tries=NOTICES.c.tries + 1))
            found = (
                select(NOTICES.c.id.label("notice"), NOTICES.c.what, NOTICES.c.address, NOTICES.c.made,
                       NOTICES.c.tries, MESSAGES, CALLS.c.caller, CALLS.c.dialed, CALLS.c.route)
                .join(MESSAGES, (MESSAGES.c.call == NOTICES.c.call) & (MESSAGES.c.id == NOTICES.c.message))
                .join(CALLS, CALLS.c.id == NOTICES.c.call)
                .where(NOTICES.c.id.in_(ids))
            )  # fmt: skip
            rows = [dict(row) for row in (await connection.execute(found)).mappings()]
        return [Notice(row["notice"], row["what"], row["address"], row, row["made"], row["tries"]) for row in rows]

    async def delivered(self, notice: Notice, now: float) -> None:
        """It has arrived."""
        done = update(NOTICES).where(NOTICES.c.id == notice.id).values(due=None, delivered=now, error=None)
        statements = [done]
        if notice.what == MESSAGE and notice.message["transcript"]:
            same = identity(str(notice.message["call"]), str(notice.message["id"]), notice.address, TRANSCRIPT)
            told = update(NOTICES).where(NOTICES.c.id == same, NOTICES.c.tries == 0)
            statements.append(told.values(due=None, error=_OUTSIDE))
        await whole(self._execute(*statements))

    async def failed(self, notice: Notice, why: str, now: float) -> bool:
        """It didn't arrive; whether it is tried again."""
        again = now + _STEPS[min(notice.tries, len(_STEPS)) - 1]
        due = again if again < notice.made + GIVE_UP_AFTER else None
        await whole(self._execute(update(NOTICES).where(NOTICES.c.id == notice.id).values(due=due, error=why)))
        return due is not None

    async def _execute(self, *statements: Update) -> None:
        async with self._engine.begin() as connection:
            for statement in statements:
                await connection.execute(statement)
