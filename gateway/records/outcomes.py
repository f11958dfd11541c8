"""What became of leads, as told by whoever took them."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from gateway.records.engine import insert, whole
from gateway.records.groups import Row
from gateway.records.schema import CALLS, LEADS, OUTCOMES, TURNS
from gateway.terms.lead import Outcome

MOST = 1000
"""Characters of a reason that are kept."""


async def tell(engine: AsyncEngine, call: str, outcome: Outcome, why: str, at: float) -> bool:
    """Keep what became of a call's lead; the last that is told counts. False when there is no such lead. `at`: seconds
    since the epoch. Raises SQLAlchemy's errors."""
    return await whole(_tell(engine, call, outcome, why, at))


async def _tell(engine: AsyncEngine, call: str, outcome: Outcome, why: str, at: float) -> bool:
    async with engine.begin() as connection:
        if (await connection.scalar(select(LEADS.c.call).where(LEADS.c.call == call))) is None:
            return False
        row = {"outcome": outcome.value, "why": why.replace("\x00", "")[:MOST], "at": at}
        told = insert(connection, OUTCOMES).values(call=call, **row)
        await connection.execute(told.on_conflict_do_update(index_elements=["call"], set_=row))
    return True


async def lead_seen(connection: AsyncConnection, call: str) -> tuple[Row, list[Row]] | None:
    """A lead with its call's caller, dialed, route, agent and started, and its outcome and why (null for none); and what
    was said. None when there is no such lead."""
    columns = [CALLS.c.caller, CALLS.c.dialed, CALLS.c.route, CALLS.c.agent, CALLS.c.started]
    joined = LEADS.join(CALLS).outerjoin(OUTCOMES, OUTCOMES.c.call == LEADS.c.call)
    found = select(LEADS, *columns, OUTCOMES.c.outcome, OUTCOMES.c.why).select_from(joined).where(LEADS.c.call == call)
    row = (await connection.execute(found)).mappings().first()
    if row is None:
        return None
    said = select(TURNS.c.speaker, TURNS.c.text).where(TURNS.c.call == call).order_by(TURNS.c.at, TURNS.c.seq)
    return dict(row), [dict(turn) for turn in (await connection.execute(said)).mappings()]
