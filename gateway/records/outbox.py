"""The outbox: what is to reach somebody outside, each row one delivery to one address (`gateway.terms.delivery` tells how
to ask for one). Rows are written in the transaction of what they tell, so that neither is without the other.

A delivery is tried by whichever control claims it, for LEASE seconds its alone; when that control dies it is due again
under the same id. After a failed try it is due later, until it arrives or nobody needs it any more.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from sqlalchemy import ColumnElement, Update, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from gateway.records.changes import UNKNOWN, Changes, Empty
from gateway.records.engine import insert, whole
from gateway.records.groups import Row
from gateway.records.schema import CALLS, DELIVERIES, LEADS, MESSAGES
from gateway.terms.delivery import Content, Delivery, Why, as_json, from_json

LEASE, URGENT_LEASE = 180.0, 20.0
"""Seconds that one try may take before another control makes it."""
GIVE_UP_AFTER = 24 * 3600.0
_STEPS = (15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0)
"""Seconds between tries, the last for ever."""
_URGENT_STEPS = (1.0, 2.0, 5.0, 10.0, *_STEPS)
WITH_IT = "it went with another"


@dataclass(frozen=True, slots=True)
class Due:
    """A delivery that is now ours to make."""

    id: str
    kind: str
    subject: str
    call: str
    """"" for one of no single call."""
    address: str = field(repr=False)
    content: Content | None
    """None where the kind's is made from the rows (`Outbox.about`)."""
    urgent: bool
    made: float
    """Seconds since the epoch."""
    until: float
    tries: int
    """This one included."""


class Deliveries(Protocol):
    """The outbox as a deliverer needs it. Methods may raise SQLAlchemy's errors, OSError and TimeoutError when it can't be
    read or written."""

    async def claim(self, now: float, most: int, *, urgent: bool) -> Sequence[Due]:
        """At most `most` deliveries that are due, urgent ones or the others, for a lease's time ours alone, the longest
        due first. `now`: seconds since the epoch."""
        ...

    async def about(self, due: Due) -> Row | None:
        """The rows that the delivery's content is made from: of a message or a lead, its row and its call's; of anything
        else, and where the content is given, its call's. None when they are gone."""
        ...

    async def delivered(self, due: Due, now: float, *, also: Sequence[str] = ()) -> None:
        """It has arrived; `also`: ids of deliveries that it told too, which aren't made any more where none was tried."""
        ...

    async def failed(self, due: Due, why: str, now: float, *, again: bool = True, wait: float = 0.0) -> bool:
        """It didn't arrive; whether it is tried again. `again`: whether that may help; `wait`: seconds that the receiver
        asked to be left alone."""
        ...


async def put(connection: AsyncConnection, delivery: Delivery, now: float) -> None:
    """Put a delivery in the outbox, in the caller's transaction; nothing happens when it is there already. The rows of
    its call must be there."""
    row = {
        "id": delivery.id, "call": delivery.call or None, "kind": delivery.kind, "subject": delivery.subject,
        "address": delivery.address, "content": as_json(delivery.content) if delivery.content else None,
        "urgent": delivery.urgent, "made": now, "due": now if delivery.due is None else delivery.due,
        "until": until_of(delivery, now), "tries": 0,
    }  # fmt: skip
    await connection.execute(insert(connection, DELIVERIES).on_conflict_do_nothing(), row)


def until_of(delivery: Delivery, now: float) -> float:
    """When nobody needs a delivery any more that is put in the outbox now."""
    if delivery.until is not None:
        return delivery.until
    return max(now, delivery.due or 0.0) + GIVE_UP_AFTER


async def forgo(connection: AsyncConnection, ids: Iterable[str], why: str) -> None:
    """Take deliveries out that nobody has tried yet, such as what another has told meanwhile."""
    ours = DELIVERIES.c.id.in_(list(ids)) & (DELIVERIES.c.tries == 0)
    await connection.execute(update(DELIVERIES).where(ours).values(due=None, error=why))


async def lead_deliveries(connection: AsyncConnection, calls: Sequence[str]) -> Sequence[Row]:
    """How deliveries of the calls' leads stand, the oldest first: call, id, kind, address (it may hold a secret), made,
    due, tries, delivered, error."""
    columns = [
        DELIVERIES.c[name] for name in ("call", "id", "kind", "address", "made", "due", "tries", "delivered", "error")
    ]
    ours = DELIVERIES.c.call.in_(list(calls)) & DELIVERIES.c.kind.in_((Why.LEAD, Why.LEAD_CHANGED))
    found = select(*columns).where(ours).order_by(DELIVERIES.c.made, DELIVERIES.c.id)
    return [dict(row) for row in (await connection.execute(found)).mappings()]


async def lead_again(connection: AsyncConnection, call: str, now: float, to: Sequence[str] = ()) -> int:
    """Let a call's lead be delivered again, each under its own id: to `to`, else to all whom it was for; to how many."""
    asked = tuple(to) or [
        str(row["address"]) for row in await lead_deliveries(connection, [call]) if row["kind"] == Why.LEAD
    ]
    for address in asked:
        lead = Delivery(kind=Why.LEAD, subject="", address=address, call=call)
        await put(connection, lead, now)
        anew = {"due": now, "until": now + GIVE_UP_AFTER, "made": now, "tries": 0, "delivered": None, "error": None}
        await connection.execute(update(DELIVERIES).where(DELIVERIES.c.id == lead.id).values(anew))
    return len(asked)


async def card_of(connection: AsyncConnection, call: str, leg: str) -> Content | None:
    """What the card says that was sent to whom the leg of a call rings; None where there is none."""
    ours = (DELIVERIES.c.call == call) & (DELIVERIES.c.kind == Why.CARD) & (DELIVERIES.c.subject == leg)
    return from_json(await connection.scalar(select(DELIVERIES.c.content).where(ours).limit(1)))


def next_try(due: Due, now: float, *, again: bool, wait: float) -> float | None:
    """When a delivery that has failed now is tried again; None for never. Pure."""
    steps = _URGENT_STEPS if due.urgent else _STEPS
    at = now + max(wait, steps[min(due.tries, len(steps)) - 1])
    return at if again and at < due.until else None


class Outbox:
    """The outbox in the database. Methods raise SQLAlchemy's errors when the database can't be used."""

    def __init__(self, engine: AsyncEngine, looking: AsyncEngine, changes: Changes = UNKNOWN) -> None:
        """`engine` writes, `looking` reads (see `gateway.records.engine.connect`). `changes`: of their database."""
        self._engine, self._looking = engine, looking
        self._all_done = Empty(looking, select(DELIVERIES.c.id).where(DELIVERIES.c.due.is_not(None)), changes)

    async def claim(self, now: float, most: int, *, urgent: bool) -> Sequence[Due]:
        """See Deliveries."""
        if await self._all_done():
            return ()
        due = (DELIVERIES.c.due <= now) & (DELIVERIES.c.urgent.is_(urgent))
        async with self._looking.connect() as connection:  # takes no lock: there is mostly nothing
            if (await connection.scalar(select(DELIVERIES.c.id).where(due).limit(1))) is None:
                return ()
        return await whole(self._claim(now, due, most, URGENT_LEASE if urgent else LEASE))

    async def _claim(self, now: float, due: ColumnElement[bool], most: int, lease: float) -> Sequence[Due]:
        ours = select(DELIVERIES.c.id).where(due).order_by(DELIVERIES.c.due).limit(most)
        async with self._engine.begin() as connection:
            ids = (await connection.scalars(ours.with_for_update(skip_locked=True))).all()
            if not ids:
                return ()
            lent = update(DELIVERIES).where(DELIVERIES.c.id.in_(ids))
            await connection.execute(lent.values(due=now + lease, tries=DELIVERIES.c.tries + 1))
            found = select(DELIVERIES).where(DELIVERIES.c.id.in_(ids)).order_by(DELIVERIES.c.made, DELIVERIES.c.id)
            rows = (await connection.execute(found)).mappings().all()
        return [
            Due(row["id"], row["kind"], row["subject"], row["call"] or "", row["address"], from_json(row["content"]),
                row["urgent"], row["made"], row["until"], row["tries"])
            for row in rows
        ]  # fmt: skip

    async def about(self, due: Due) -> Row | None:
        """See Deliveries."""
        if not due.call:
            return {}
        columns = [CALLS.c.caller, CALLS.c.dialed, CALLS.c.route, CALLS.c.agent, CALLS.c.started, CALLS.c.ended]
        query = select(CALLS.c.id.label("call"), *columns).where(CALLS.c.id == due.call)
        if due.content is not None:
            pass
        elif due.kind in {Why.MESSAGE, Why.TRANSCRIPT}:
            query = select(MESSAGES, *columns).join(CALLS).where(MESSAGES.c.call == due.call)
            query = query.where(MESSAGES.c.id == due.subject)
        elif due.kind in {Why.LEAD, Why.LEAD_CHANGED}:
            query = select(LEADS, *columns).join(CALLS).where(LEADS.c.call == due.call)
        async with self._looking.connect() as connection:
            row = (await connection.execute(query)).mappings().first()
        return None if row is None else dict(row)

    async def delivered(self, due: Due, now: float, *, also: Sequence[str] = ()) -> None:
        """See Deliveries."""
        done = update(DELIVERIES).where(DELIVERIES.c.id == due.id).values(due=None, delivered=now, error=None)
        told = update(DELIVERIES).where(DELIVERIES.c.id.in_(list(also)), DELIVERIES.c.tries == 0)
        await whole(self._execute(done, *([told.values(due=None, error=WITH_IT)] if also else [])))

    async def failed(self, due: Due, why: str, now: float, *, again: bool = True, wait: float = 0.0) -> bool:
        """See Deliveries."""
        later = next_try(due, now, again=again, wait=wait)
        await whole(self._execute(update(DELIVERIES).where(DELIVERIES.c.id == due.id).values(due=later, error=why)))
        return later is not None

    async def _execute(self, *statements: Update) -> None:
        async with self._engine.begin() as connection:
            for statement in statements:
                await connection.execute(statement)
