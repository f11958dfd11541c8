"""Puts what is to be told of callbacks in the outbox, and notes in the same transaction that it is told."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.callbacks.port import Told
from gateway.records.asking import answered
from gateway.records.bookings import told
from gateway.records.outbox import put
from gateway.terms.delivery import Delivery


async def tell(engine: AsyncEngine, one: Told, deliveries: Sequence[Delivery], now: float) -> None:
    """Both, or nothing. Raises Unavailable."""

    async def done() -> None:
        async with engine.begin() as connection:
            for delivery in deliveries:
                await put(connection, delivery, now)
            await told(connection, one.booking.id, one.what)

    await answered(done(), "The outbox can't be written.", remedy="")
