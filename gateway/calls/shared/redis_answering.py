"""What the stores in Redis share: every wait is bounded, and answers are text."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from redis.exceptions import RedisError

from gateway.errors import Unavailable

WITHIN = 2.0
"""Seconds that Redis may take for one thing."""


@asynccontextmanager
async def answering(within: float = WITHIN) -> AsyncIterator[None]:
    """Bound what is asked of Redis. Raises Unavailable when it doesn't answer in so many seconds, or refuses."""
    try:
        async with asyncio.timeout(within):
            yield
    except (RedisError, OSError, TimeoutError) as bad:
        raise Unavailable("The call store (Redis) doesn't answer.", remedy="Check REDIS_URL and the server.") from bad


def seconds(time: tuple[int | str | bytes, int | str | bytes]) -> float:
    """What TIME answers, in seconds since the epoch by Redis' clock: the one that all who ask it have in common."""
    return int(time[0]) + int(time[1]) / 1e6


def text(value: str | bytes) -> str:
    """An answer as text, whatever the client decodes."""
    return value.decode() if isinstance(value, bytes) else value
