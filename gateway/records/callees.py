"""What the records know of somebody who is called back."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.errors import Unavailable
from gateway.records.schema import CALLS, LEADS
from gateway.terms.call import CallId


async def known(records: AsyncEngine, call: CallId) -> tuple[str, Mapping[str, object]]:
    """The number that was dialed in the call in which the callback was booked, and what is known for the lead. Raises
    Unavailable."""
    query = (
        select(CALLS.c.dialed, LEADS.c.fields).outerjoin(LEADS, LEADS.c.call == CALLS.c.id).where(CALLS.c.id == call)
    )
    try:
        async with records.connect() as connection:
            row = (await connection.execute(query)).first()
    except (SQLAlchemyError, OSError, TimeoutError) as bad:
        raise Unavailable("The records can't be read.") from bad
    if row is None:
        return "", {}
    facts = row[1] if isinstance(row[1], Mapping) else {}
    return str(row[0] or ""), {str(name): value for name, value in facts.items() if value is not None}
