"""Keeps the copy in Redis as the database has it. Each control does it."""

from __future__ import annotations

from gateway.donotcall.redis_list import RedisDoNotCall
from gateway.records.donotcall import SqlDoNotCall

COPY = 5.0
"""Seconds between two looks at the list."""


class Copying:
    """Call `look` every COPY seconds."""

    def __init__(self, truth: SqlDoNotCall, copy: RedisDoNotCall) -> None:
        self._truth, self._copy = truth, copy

    async def look(self) -> None:
        """Bring the copy up to date. What a job has entered and the database doesn't have yet stays. Raises Unavailable."""
        on, off = await self._truth.whole()
        for number, at in off.items():
            await self._copy.remove(number, "", at)
        there = {one.number for one in await self._copy.listed()}
        for entry in on:
            if entry.number not in there:
                await self._copy.add(entry)
        await self._copy.known()
