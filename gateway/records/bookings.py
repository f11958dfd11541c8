"""The callbacks in SQL: made in the transaction that writes the event which booked them, and kept as their machine says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import and_, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from gateway.callbacks.machine import OPEN, Booking, Claimed, Event, Moved, State, Tell, on
from gateway.callbacks.port import LEASE, Told
from gateway.callbacks.told import booking_from, happened
from gateway.records.asking import answered, rows
from gateway.records.changes import UNKNOWN, Changes, Empty
from gateway.records.engine import insert
from gateway.records.reading import text
from gateway.records.schema import BOOKINGS, CALLS
from gateway.terms.call import CallId
from gateway.terms.event import Event as CallEvent
from gateway.terms.event import Kind
from gateway.terms.personal import Number

_FIELDS = tuple(Booking.__dataclass_fields__)
_ITSELF = and_(BOOKINGS.c.team != "", BOOKINGS.c.tries < BOOKINGS.c.most)
"""Those that aren't to be made by hand."""
_AT_ONCE = 20
_MANY = 200
_CANNOT = "The callbacks can't be had."


class SqlBookings:
    """Implements `gateway.callbacks.port.Bookings`. The engines are the caller's."""

    def __init__(self, engine: AsyncEngine, looking: AsyncEngine | None = None, changes: Changes = UNKNOWN) -> None:
        """`engine` writes, `looking` reads (see `gateway.records.engine.connect`). `changes`: of their database."""
        self._engine, self._looking = engine, looking or engine
        pending = or_(BOOKINGS.c.state.in_(OPEN), BOOKINGS.c.telling != "")
        self._nothing = Empty(self._looking, select(BOOKINGS.c.id).where(pending), changes)

    async def book(self, booking: Booking) -> bool:
        """See the port."""

        async def booked() -> bool:
            async with self._engine.begin() as connection:
                return await put(connection, booking)

        return await answered(booked(), _CANNOT)

    async def get(self, which: str) -> Booking | None:
        """See the port."""
        rows = await self._rows(select(BOOKINGS).where(BOOKINGS.c.id == which))
        return read(rows[0]) if rows else None

    async def listed(self, *, ended: bool, limit: int) -> Sequence[Booking]:
        """See the port."""
        if ended:
            query = select(BOOKINGS).order_by(BOOKINGS.c.made.desc(), BOOKINGS.c.id)
        else:
            query = select(BOOKINGS).where(BOOKINGS.c.state.in_(OPEN)).order_by(BOOKINGS.c.at, BOOKINGS.c.id)
        return [read(row) for row in await self._rows(query.limit(limit))]

    async def step(self, which: str, event: Event, now: float) -> Booking | None:
        """See the port."""

        async def stepped() -> Booking | None:
            async with self._engine.begin() as connection:
                return await take(connection, which, event, now)

        return await answered(stepped(), _CANNOT)

    async def due(self, now: float) -> Sequence[Booking]:
        """See the port."""
        query = select(BOOKINGS).where(_due(now)).order_by(BOOKINGS.c.at, BOOKINGS.c.id)
        return [read(row) for row in await self._pending(query.limit(_AT_ONCE))]

    async def claim(self, which: str, now: float) -> Booking | None:
        """See the port."""

        async def claimed() -> Booking | None:
            ours = select(BOOKINGS.c.id).where(BOOKINGS.c.id == which, _due(now)).with_for_update(skip_locked=True)
            async with self._engine.begin() as connection:
                if await connection.scalar(ours) is None:
                    return None
                found = await take(connection, which, Claimed(), now)
                if found is None or found.state is not State.DUE:
                    return None
                lent = update(BOOKINGS).where(BOOKINGS.c.id == which)
                await connection.execute(lent.values(lease=now + LEASE))
                return found

        return await answered(claimed(), _CANNOT)

    async def made(self, booking: Booking) -> None:
        """See the port."""
        ours = (BOOKINGS.c.id == booking.id) & (BOOKINGS.c.tries == booking.tries)
        await answered(self._write(update(BOOKINGS).where(ours).values(lease=None)), _CANNOT)

    async def late(self, now: float) -> Sequence[Booking]:
        """See the port."""
        waiting = BOOKINGS.c.state.in_([one for one in OPEN if one is not State.TALKING])
        query = select(BOOKINGS).where(waiting, BOOKINGS.c.by < now, BOOKINGS.c.breached == 0.0)
        return [read(row) for row in await self._pending(query.order_by(BOOKINGS.c.by).limit(_MANY))]

    async def to_tell(self) -> Sequence[Told]:
        """See the port."""
        query = select(BOOKINGS).where(BOOKINGS.c.telling != "").order_by(BOOKINGS.c.made).limit(_MANY)
        return [Told(read(row), Tell(what)) for row in await self._pending(query) for what in row["telling"].split()]

    async def told(self, which: str, what: Tell) -> None:
        """See the port."""

        async def done() -> None:
            async with self._engine.begin() as connection:
                await told(connection, which, what)

        await answered(done(), _CANNOT)

    async def _write(self, statement: Any) -> None:
        async with self._engine.begin() as connection:
            await connection.execute(statement)

    async def _pending(self, query: Any) -> Sequence[Mapping[str, Any]]:
        """Rows of callbacks that aren't over, or are to be told of."""
        return () if await answered(self._nothing(), _CANNOT) else await self._rows(query)

    async def _rows(self, query: Any) -> Sequence[Mapping[str, Any]]:
        return await rows(self._looking, query, _CANNOT)


async def put(connection: AsyncConnection, booking: Booking) -> bool:
    """Add a callback in the connection's transaction; whether it wasn't there."""
    row = {**_row(booking), "telling": Tell.BOOKED.value}
    return bool((await connection.execute(insert(connection, BOOKINGS).values(row).on_conflict_do_nothing())).rowcount)


async def take(connection: AsyncConnection, which: str, event: Event, now: float) -> Booking | None:
    """Take one step in the connection's transaction."""
    query = select(BOOKINGS).where(BOOKINGS.c.id == which).with_for_update()
    row = (await connection.execute(query)).mappings().first()
    if row is None:
        return None
    before = read(dict(row))
    after, tells = on(before, event, now)
    if after != before:
        telling = " ".join(dict.fromkeys([*row["telling"].split(), *(one.value for one in tells)]))
        changed = update(BOOKINGS).where(BOOKINGS.c.id == which)
        await connection.execute(changed.values({**_row(after), "telling": telling}))
    return after


async def told(connection: AsyncConnection, which: str, what: Tell) -> None:
    """Note in the connection's transaction that it is told."""
    query = select(BOOKINGS.c.telling).where(BOOKINGS.c.id == which).with_for_update()
    left = [one for one in (await connection.scalar(query) or "").split() if one != what.value]
    await connection.execute(update(BOOKINGS).where(BOOKINGS.c.id == which).values(telling=" ".join(left)))


async def note(connection: AsyncConnection, events: Sequence[CallEvent], now: float) -> None:
    """Make the callbacks that the events book, and take the steps that they tell of; their rows are written, in this
    transaction."""
    for event in events:
        if event.kind is Kind.CALLBACK:
            caller = await connection.scalar(select(CALLS.c.caller).where(CALLS.c.id == event.call))
            booking = booking_from(event, caller)
            # Told again with another time, it is that the callee has chosen one.
            if booking is not None and not await put(connection, booking):
                await take(connection, booking.id, Moved(booking.at, booking.consent), min(now, booking.at))
        elif (step := happened(event)) is not None:
            await take(connection, step[0], step[1], event.at)


def _due(now: float) -> Any:
    booked = and_(BOOKINGS.c.state == State.BOOKED.value, BOOKINGS.c.at <= now, _ITSELF)
    left = and_(BOOKINGS.c.state == State.DUE.value, BOOKINGS.c.lease <= now)
    return or_(booked, left)


def _row(one: Booking) -> dict[str, object]:
    row = {name: getattr(one, name) for name in _FIELDS} | {"number": one.number.reveal(), "state": one.state.value}
    return {name: text(value) or "" if isinstance(value, str) else value for name, value in row.items()}


def read(row: Mapping[str, Any]) -> Booking:
    """The callback of a row."""
    kept = {name: row[name] for name in _FIELDS}
    return Booking(
        **{**kept, "call": CallId(row["call"]), "number": Number(row["number"]), "state": State(row["state"])}
    )
