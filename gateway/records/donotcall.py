"""The numbers that are never called, in SQL: what counts. Nothing is deleted: who was taken off, when and by whom, stays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from gateway.callbacks.machine import State, Unwanted
from gateway.donotcall.port import Entry
from gateway.donotcall.wish import no_more_calls
from gateway.records.asking import answered, rows
from gateway.records.bookings import take
from gateway.records.engine import insert
from gateway.records.reading import name, text
from gateway.records.schema import BOOKINGS, CALLS, DO_NOT_CALL, MESSAGES
from gateway.terms.emergency import callable_number
from gateway.terms.event import Event, Kind
from gateway.terms.personal import Number

IN_A_MESSAGE = "said so in a message"
_CANNOT = "The list of who must not be called can't be had."


class SqlDoNotCall:
    """Implements `gateway.donotcall.port.DoNotCall`. The engines are the caller's."""

    def __init__(self, engine: AsyncEngine, looking: AsyncEngine | None = None) -> None:
        """`engine` writes, `looking` reads (see `gateway.records.engine.connect`)."""
        self._engine, self._looking = engine, looking or engine

    async def add(self, entry: Entry) -> bool:
        """See the port."""

        async def added() -> bool:
            async with self._engine.begin() as connection:
                return await enter(connection, entry)

        return await answered(added(), _CANNOT)

    async def remove(self, number: Number, by: str, now: float) -> bool:
        """See the port."""
        on = (DO_NOT_CALL.c.number == number.reveal()) & DO_NOT_CALL.c.removed.is_(None)

        async def removed() -> bool:
            async with self._engine.begin() as connection:
                done = await connection.execute(update(DO_NOT_CALL).where(on).values(removed=now, removed_by=by))
                return bool(done.rowcount)

        return await answered(removed(), _CANNOT)

    async def has(self, number: Number) -> bool:
        """See the port."""
        query = select(DO_NOT_CALL.c.number).where(
            DO_NOT_CALL.c.number == number.reveal(), DO_NOT_CALL.c.removed.is_(None)
        )
        return bool(await self._rows(query))

    async def listed(self) -> Sequence[Entry]:
        """See the port."""
        return (await self.whole())[0]

    async def whole(self) -> tuple[Sequence[Entry], Mapping[Number, float]]:
        """Who is on the list, the newest first, and when who was taken off."""
        rows = await self._rows(select(DO_NOT_CALL).order_by(DO_NOT_CALL.c.at.desc(), DO_NOT_CALL.c.number))
        on = [_entry(row) for row in rows if row["removed"] is None]
        return on, {Number(row["number"]): row["removed"] for row in rows if row["removed"] is not None}

    async def _rows(self, query: Any) -> Sequence[Mapping[str, Any]]:
        return await rows(self._looking, query, _CANNOT)


async def enter(connection: AsyncConnection, entry: Entry) -> bool:
    """Enter a number, in the connection's transaction; whether it wasn't there. Nobody calls it back any more, by hand neither, and
    whoever was told of the callback is told so."""
    if not await _entered(connection, entry):
        return False
    ours = BOOKINGS.c.number == entry.number.reveal(), BOOKINGS.c.state == State.BOOKED.value
    before = select(BOOKINGS.c.id).where(*ours, BOOKINGS.c.made <= entry.at)
    for which in (await connection.scalars(before)).all():
        await take(connection, which, Unwanted(), entry.at)
    return True


async def _entered(connection: AsyncConnection, entry: Entry) -> bool:
    told = {"at": entry.at, "why": text(entry.why) or "", "call": entry.call or None, "by": text(entry.by) or ""}
    fresh = insert(connection, DO_NOT_CALL).values(number=entry.number.reveal(), **told).on_conflict_do_nothing()
    if (await connection.execute(fresh)).rowcount:
        return True
    again = update(DO_NOT_CALL).where(DO_NOT_CALL.c.number == entry.number.reveal(), DO_NOT_CALL.c.removed < entry.at)
    done = await connection.execute(again.values(**told, removed=None, removed_by=None))
    return bool(done.rowcount)


async def note(connection: AsyncConnection, events: Sequence[Event]) -> None:
    """Enter whoever the events say wants no more calls; their rows are written, in this transaction."""
    for event in events:
        if event.kind is Kind.NO_CALLS:
            number = name(event.data.get("number"))
            why = text(event.data.get("why")) or ""
        elif event.kind is Kind.TRANSCRIBED and no_more_calls(text(event.data.get("text")) or ""):
            number, why = await _who_left(connection, event), IN_A_MESSAGE
        else:
            continue
        if number and callable_number(Number(number)):
            await enter(connection, Entry(Number(number), event.at, why, event.call, "caller"))


async def _who_left(connection: AsyncConnection, event: Event) -> str | None:
    left = MESSAGES.c.call == CALLS.c.id, MESSAGES.c.id == name(event.data.get("id"))
    query = select(CALLS.c.caller).where(CALLS.c.id == event.call).where(select(MESSAGES.c.id).where(*left).exists())
    return name(await connection.scalar(query))


def _entry(row: Mapping[str, Any]) -> Entry:
    return Entry(Number(row["number"]), row["at"], row["why"], row["call"] or "", row["by"])
