"""Records of calls whose end was never written, for whoever knows whether they have ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import and_, case, exists, select
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.records.schema import CALLBACKS, CALLS, MESSAGES, TURNS, WAITS
from gateway.terms.call import CallId
from gateway.terms.ending import Ending


@dataclass(frozen=True, slots=True)
class Unended:
    """A call whose record has no end."""

    call: CallId
    ending: Ending
    """What became of the caller, as far as it was written."""


async def unended(connection: AsyncConnection, since: float, before: float, *, limit: int = 100) -> Sequence[Unended]:
    """The calls that began between two times (seconds since the epoch) and whose record has no end."""
    entered, left = WAITS.alias(), WAITS.alias()
    out = exists().where(left.c.call == entered.c.call, left.c.event == "left", left.c.at >= entered.c.at)
    in_line = exists().where(entered.c.call == CALLS.c.id, entered.c.event == "entered", ~out)
    ending = case(
        (exists().where(CALLBACKS.c.call == CALLS.c.id), Ending.CALLBACK.value),
        (exists().where(MESSAGES.c.call == CALLS.c.id), Ending.MESSAGE.value),
        (and_(exists().where(TURNS.c.call == CALLS.c.id), ~in_line), Ending.SERVED.value),
        else_=Ending.LOST.value,
    )
    query = (
        select(CALLS.c.id, ending.label("ending"))
        .where(CALLS.c.ended.is_(None), CALLS.c.started >= since, CALLS.c.started < before)
        .order_by(CALLS.c.started)
        .limit(limit)
    )
    return [Unended(CallId(row.id), Ending(row.ending)) for row in await connection.execute(query)]
