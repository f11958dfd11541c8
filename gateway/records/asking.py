"""Asks the database for one thing, and says in words what can't be had where it doesn't answer."""

from __future__ import annotations

from collections.abc import Coroutine, Mapping, Sequence
from typing import Any, TypeVar

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.errors import Unavailable
from gateway.records.engine import whole

CHECK = "Check the database."
_T = TypeVar("_T")


async def answered(work: Coroutine[Any, Any, _T], cannot: str, remedy: str = CHECK) -> _T:
    """The work's result; it is done to its end (`engine.whole`), and bounded by the engine's own time-outs: broken off
    from outside, what was committed could be told as failed. Raises Unavailable, with the sentence `cannot`, when the
    database doesn't answer."""
    try:
        return await whole(work)
    except (SQLAlchemyError, OSError, TimeoutError) as bad:
        raise Unavailable(cannot, remedy=remedy) from bad


async def rows(engine: AsyncEngine, query: Any, cannot: str) -> Sequence[Mapping[str, Any]]:
    """What a query finds. Raises as `answered`."""

    async def asked() -> Sequence[Mapping[str, Any]]:
        async with engine.connect() as connection:
            return [dict(row) for row in (await connection.execute(query)).mappings()]

    return await answered(asked(), cannot)
