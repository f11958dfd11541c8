"""An outbox for contract tests, and what fills it."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.records.outbox import Due, Outbox
from gateway.records.writer import Writer
from gateway.terms.call import CallId
from gateway.terms.event import Event
from tests.contract.test_records import Tape

CALL, NOW = CallId("SCL_a"), 1_800_000_000.0


async def write(engine: AsyncEngine, *events: Event, at: float = NOW) -> None:
    """Let the writer write the events at a time."""
    await Writer(Tape(events), engine, clock=lambda: at).drain()


async def claim(outbox: Outbox, now: float, *, urgent: bool = False) -> Sequence[Due]:
    """What is due, up to ten."""
    return await outbox.claim(now, 10, urgent=urgent)
