"""The callers whom teams have missed, in SQL: noted in the transaction that writes their calls' end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from gateway.callbacks.machine import OPEN, Booking, booking_of
from gateway.callbacks.missed import Left, Missed, ends_of
from gateway.records.asking import answered, rows
from gateway.records.bookings import read
from gateway.records.changes import UNKNOWN, Changes, Empty
from gateway.records.engine import insert
from gateway.records.outbox import put
from gateway.records.reading import text
from gateway.records.schema import BOOKINGS, CALLS, DIGESTS, DO_NOT_CALL, LEADS, LEGS, MESSAGES, MISSED, NOTES, WAITS
from gateway.terms.delivery import Delivery
from gateway.terms.ending import Party
from gateway.terms.event import Event, Kind
from gateway.terms.handoff import Tried

THROUGH = "was put through"
"""Why a line is left by a caller whom somebody takes (`gateway.calls.acts.queue`, `gateway.handoff`)."""
BY_KEY, HUNG_UP = "pressed a key", "the caller has hung up"
"""Why it is left by one who has something else in mind (`gateway.calls.acts.queue`, `gateway.handoff.state`)."""
_LEAVES = {Party.CALLER.value: Tried.CALLER_LEFT, Party.NETWORK.value: Tried.CALLER_LOST}
"""By who hung up, where that is the caller's side."""
_HANDOFF = "handoff"
_MANY = 200
_CANNOT = "What teams have missed can't be had."


class MissedHandoffs:
    """Those that somebody is to be told of. Every method raises Unavailable when the database doesn't answer. The engines
    are the caller's."""

    def __init__(self, engine: AsyncEngine, looking: AsyncEngine | None = None, changes: Changes = UNKNOWN) -> None:
        """`engine` writes, `looking` reads (see `gateway.records.engine.connect`). `changes`: of their database."""
        self._engine, self._looking = engine, looking or engine
        self._all_told = Empty(self._looking, select(MISSED.c.call).where(MISSED.c.told.is_(None)), changes)

    async def fresh(self, before: float) -> Sequence[Missed]:
        """Those of whom nobody was told yet, of calls that ended before a time. A call whose caller was put through after
        all isn't one of them, and is forgotten."""
        if await answered(self._all_told(), _CANNOT):
            return ()
        return await self._found(MISSED.c.told.is_(None), MISSED.c.at <= before)

    async def unescalated(self, since: float) -> Sequence[Missed]:
        """Those whose team was told, and nobody else yet, of calls that ended since a time; but for those who are promised a
        callback that isn't late: they wait for days, and would be all that is looked at."""
        ours = BOOKINGS.c.call == MISSED.c.call, BOOKINGS.c.state.in_(OPEN), BOOKINGS.c.breached == 0.0
        promised = select(BOOKINGS.c.id).where(*ours).exists()
        untold = MISSED.c.told.is_not(None), MISSED.c.escalated.is_(None), MISSED.c.at >= since
        return await self._found(*untold, ~promised)

    async def since(self, team: str, begin: float) -> Sequence[Missed]:
        """A team's, of calls that ended since a time, in their order."""
        return await self._found(MISSED.c.team == team, MISSED.c.at >= begin)

    async def listed(self, limit: int) -> Sequence[Missed]:
        """The newest, newest first."""
        return list(reversed(await self._found(newest=limit)))

    async def waiting(self, team: str) -> Sequence[Booking]:
        """Callbacks that the team has still to make, the next first."""
        query = select(BOOKINGS).where(BOOKINGS.c.team == team, BOOKINGS.c.state.in_(OPEN)).order_by(BOOKINGS.c.at)
        return [read(row) for row in await self._rows(query.limit(_MANY))]

    async def told(self, one: Missed, deliveries: Sequence[Delivery], now: float) -> bool:
        """Tell the team, and note it, in one step, once whichever control; whether it was this one."""
        return await self._tell(one, deliveries, "told", now)

    async def escalated(self, one: Missed, deliveries: Sequence[Delivery], now: float) -> None:
        """Tell somebody else, or nobody where it is dealt with, and note it, in one step."""
        await self._tell(one, deliveries, "escalated", now)

    async def done(self, call: str, by: str, now: float) -> bool:
        """Somebody has dealt with it; whether there was one that nobody had."""

        async def did() -> bool:
            ours = update(MISSED).where(MISSED.c.call == call, MISSED.c.dealt.is_(None))
            async with self._engine.begin() as connection:
                return bool((await connection.execute(ours.values(dealt=now, dealt_by=by))).rowcount)

        return await answered(did(), _CANNOT)

    async def digested(self, team: str, day: str) -> bool:
        """Whether the day's digest was told."""
        return bool(await self._rows(select(DIGESTS).where(DIGESTS.c.team == team, DIGESTS.c.day == day)))

    async def digest(self, team: str, day: str, deliveries: Sequence[Delivery], now: float) -> bool:
        """Tell the day's digest, once whichever control; whether it was this one."""

        async def did() -> bool:
            async with self._engine.begin() as connection:
                fresh = insert(connection, DIGESTS).values(team=team, day=day, told=now).on_conflict_do_nothing()
                if not (await connection.execute(fresh)).rowcount:
                    return False
                for delivery in deliveries:
                    await put(connection, delivery, now)
                return True

        return await answered(did(), _CANNOT)

    async def _tell(self, one: Missed, deliveries: Sequence[Delivery], noted: str, now: float) -> bool:
        async def did() -> bool:
            ours = update(MISSED).where(MISSED.c.call == one.call, MISSED.c[noted].is_(None))
            async with self._engine.begin() as connection:
                if not (await connection.execute(ours.values({noted: now}))).rowcount:
                    return False
                for delivery in deliveries:
                    await put(connection, delivery, now)
                return True

        return await answered(did(), _CANNOT)

    async def _found(self, *where: Any, newest: int = 0) -> list[Missed]:
        columns = (CALLS.c.caller, CALLS.c.ending, CALLS.c.hung_up, CALLS.c.hung_up_by, LEADS.c.fields)
        query = select(MISSED, *columns).join(CALLS, CALLS.c.id == MISSED.c.call)
        query = query.outerjoin(LEADS, LEADS.c.call == MISSED.c.call).where(*where)
        query = query.order_by(MISSED.c.at.desc()).limit(newest) if newest else query.order_by(MISSED.c.at).limit(_MANY)
        found = []
        for row in await self._rows(query):
            if await self._through(row["call"]):
                await self._forget(row["call"])
            else:
                found.append(await self._whole(row))
        return found

    async def _through(self, call: str) -> bool:
        """Whether the caller was put through when they last waited."""
        entered = select(func.max(WAITS.c.at)).where(WAITS.c.call == call, WAITS.c.event == "entered").scalar_subquery()
        query = select(WAITS.c.call).where(WAITS.c.call == call, WAITS.c.event == "left", WAITS.c.why == THROUGH)
        since = or_(entered.is_(None), WAITS.c.at >= entered)
        return bool(await self._rows(query.where(since).limit(1)))

    async def _forget(self, call: str) -> None:
        async def did() -> None:
            async with self._engine.begin() as connection:
                await connection.execute(delete(MISSED).where(MISSED.c.call == call))

        await answered(did(), _CANNOT)

    async def _whole(self, row: Mapping[str, Any]) -> Missed:
        call = row["call"]
        legs = await self._rows(select(LEGS).where(LEGS.c.call == call).order_by(LEGS.c.at))
        notes = await self._rows(select(NOTES.c.about).where(NOTES.c.call == call, NOTES.c.kind == _HANDOFF))
        waits = await self._rows(select(WAITS).where(WAITS.c.call == call).order_by(WAITS.c.at))
        left = _left(waits, row)
        tried = {str(one["about"].get("leg")): str(one["about"].get("tried") or "") for one in notes}
        bookings = await self._rows(select(BOOKINGS).where(BOOKINGS.c.call == call).limit(1))
        messages = await self._rows(select(MESSAGES.c.done).where(MESSAGES.c.call == call))
        facts = row["fields"] if isinstance(row["fields"], Mapping) else {}
        name, company = text(facts.get("name")) or "", text(facts.get("company")) or ""
        need = text(facts.get("need")) or text(facts.get("problem")) or ""
        return Missed(
            call=call, team=row["team"], at=row["at"], caller=row["caller"] or "",
            name=name, company=company, need=need, ending=row["ending"] or "", members=ends_of(legs, tried, left),
            booking=read(bookings[0]) if bookings else None, message=bool(messages),
            message_done=any(one["done"] is not None for one in messages),
            reached=await self._reached(row), never=await self._never(row["caller"]), dealt_by=row["dealt_by"] or "",
        )  # fmt: skip

    async def _reached(self, row: Mapping[str, Any]) -> bool:
        """Whether somebody has talked with the same caller since."""
        if not row["caller"]:
            return False
        since = CALLS.c.caller == row["caller"], CALLS.c.started > row["at"]
        through = WAITS.c.call == CALLS.c.id, WAITS.c.event == "left", WAITS.c.why == THROUGH
        return bool(await self._rows(select(CALLS.c.id).join(WAITS, through[0]).where(*since, *through[1:]).limit(1)))

    async def _never(self, caller: str | None) -> bool:
        on = DO_NOT_CALL.c.number == caller, DO_NOT_CALL.c.removed.is_(None)
        return bool(caller) and bool(await self._rows(select(DO_NOT_CALL.c.number).where(*on)))

    async def _rows(self, query: Any) -> Sequence[Mapping[str, Any]]:
        return await rows(self._looking, query, _CANNOT)


def _left(waits: Sequence[Mapping[str, Any]], call: Mapping[str, Any]) -> Left | None:
    """How the caller left the line that they waited in last, unless nobody took them in time. `call`: when and by whom it
    was hung up, and when it was over."""
    last = waits[-1] if waits and waits[-1]["event"] == "left" else None
    if last is not None and last["why"] == BY_KEY:
        return Left(last["at"], "the caller pressed a key first")
    if last is not None and last["why"] != HUNG_UP:
        return None
    if last is None and call["hung_up_by"] not in _LEAVES:
        return Left(call["hung_up"] or call["at"], "the call ended first")
    at = last["at"] if last is not None else call["hung_up"] or call["at"]
    return Left(at, _LEAVES.get(call["hung_up_by"], Tried.CALLER_LEFT).value)


async def note(connection: AsyncConnection, events: Sequence[Event]) -> None:
    """Note the calls among the events that have ended and had waited for a team; their rows are written, in this
    transaction."""
    for event in events:
        if event.kind is not Kind.ENDED or booking_of(event.call):
            continue
        query = select(WAITS.c.team).where(WAITS.c.call == event.call, WAITS.c.event == "entered")
        team = await connection.scalar(query.order_by(WAITS.c.at.desc()).limit(1))
        if team:
            row = {"call": event.call, "team": team, "at": event.at}
            await connection.execute(insert(connection, MISSED).values(row).on_conflict_do_nothing())
