"""What events put in the outbox, in the transaction that writes their rows: messages and leads are told to whom the plan
names, and whatever else a call asks to be delivered.

A message's first notice waits a little for its words; words that come later are told in a delivery of their own. A lead
is in the outbox from its first fact on, and due when the call ends; facts that come after it was told are told again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.records.outbox import GIVE_UP_AFTER, put
from gateway.records.reading import flag, instant, mapping, name, text
from gateway.records.schema import CALLS, DELIVERIES, MESSAGES
from gateway.terms.delivery import Delivery, Why, from_json
from gateway.terms.event import Event, Kind

WORDS_WITHIN = 60.0
"""Seconds that the first notice waits for the message's words."""
LEAD_AT_LATEST = 6 * 3600.0
"""Seconds after a lead's first fact within which it is told even if nobody ever hears of the call's end."""
_MOST = 50
"""Addresses that are told of one thing."""


async def note(connection: AsyncConnection, events: Sequence[Event], now: float, leads_to: Sequence[str] = ()) -> bool:
    """Put what the events want delivered in the outbox; their rows are written, in this transaction. `leads_to`: addresses
    that every lead is told to, beside the plan's. Whether there was something, which the deliverer is to be woken for."""
    put_in = False
    for event in events:
        if event.kind is Kind.DELIVER:
            await _note_asked(connection, event, now)
        elif event.kind is Kind.MESSAGE and (message := name(event.data.get("id"))):
            await _note_message(connection, event, message, now)
        elif event.kind is Kind.TRANSCRIBED and (message := name(event.data.get("id"))):
            await _note_words(connection, event, message, now)
        elif event.kind is Kind.FACTS and event.data.get("kind") == "lead":
            await _note_lead(connection, event, now, leads_to)
        elif event.kind is Kind.ENDED:
            await _let_lead_go(connection, event, now)
        else:
            continue
        put_in = True
    return put_in


async def _note_asked(connection: AsyncConnection, event: Event, now: float) -> None:
    kind, subject = name(event.data.get("kind")), name(event.data.get("subject")) or ""
    if not kind:
        return
    for address in addresses(event.data.get("to")):
        delivery = Delivery(
            kind=kind, subject=subject, address=address, call=event.call,
            content=from_json(mapping(event.data.get("content"))), urgent=flag(event.data.get("urgent")),
            due=instant(event.data.get("due")), until=instant(event.data.get("until")),
        )  # fmt: skip
        await put(connection, delivery, now)


async def _note_message(connection: AsyncConnection, event: Event, message: str, now: float) -> None:
    row = await connection.scalar(
        select(MESSAGES.c.transcribed).where(MESSAGES.c.call == event.call, MESSAGES.c.id == message)
    )
    due = now if row is not None else now + WORDS_WITHIN
    for address in addresses(event.data.get("notify")):
        delivery = Delivery(kind=Why.MESSAGE, subject=message, address=address, call=event.call, due=due)
        await put(connection, delivery, now)


async def _note_words(connection: AsyncConnection, event: Event, message: str, now: float) -> None:
    ours = (DELIVERIES.c.call == event.call) & (DELIVERIES.c.subject == message) & (DELIVERIES.c.kind == Why.MESSAGE)
    fresh = ours & (DELIVERIES.c.tries == 0) & DELIVERIES.c.due.is_not(None)
    await connection.execute(update(DELIVERIES).where(fresh).values(due=now))
    if not text(event.data.get("text")):
        return
    tried = select(DELIVERIES.c.address).where(ours, DELIVERIES.c.tries > 0)
    for address in (await connection.scalars(tried)).all():
        delivery = Delivery(kind=Why.TRANSCRIPT, subject=message, address=str(address), call=event.call)
        await put(connection, delivery, now)


async def _note_lead(connection: AsyncConnection, event: Event, now: float, leads_to: Sequence[str]) -> None:
    ended = await connection.scalar(select(CALLS.c.ended).where(CALLS.c.id == event.call))
    due = now if ended is not None else now + LEAD_AT_LATEST
    for address in dict.fromkeys((*addresses(event.data.get("notify")), *leads_to)):
        lead = Delivery(kind=Why.LEAD, subject="", address=address, call=event.call, due=due)
        tried = select(DELIVERIES.c.id).where(DELIVERIES.c.id == lead.id, DELIVERIES.c.tries > 0)
        if (await connection.scalar(tried)) is None:
            await put(connection, lead, now)
        else:
            subject = repr(event.at)
            await put(connection, replace(lead, kind=Why.LEAD_CHANGED, subject=subject, due=now), now)


async def _let_lead_go(connection: AsyncConnection, event: Event, now: float) -> None:
    ours = (DELIVERIES.c.call == event.call) & (DELIVERIES.c.kind == Why.LEAD) & (DELIVERIES.c.tries == 0)
    waiting = update(DELIVERIES).where(ours, DELIVERIES.c.due > now)
    await connection.execute(waiting.values(due=now, until=now + GIVE_UP_AFTER))


def addresses(given: object) -> list[str]:
    """The addresses that an event names, each once."""
    if not isinstance(given, list | tuple):
        return []
    return list(dict.fromkeys(address for each in given if (address := text(each))))[:_MOST]
