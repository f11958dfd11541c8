"""Which of our SIP services run, as they say themselves: the callers of one that is gone are in a room without a line, and
LiveKit doesn't notice for twenty seconds. In Redis: `offhook:edges` is a hash of when each was last heard of."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, cast

import structlog
from redis.asyncio import Redis

from gateway.calls.shared.redis_answering import answering, text
from gateway.errors import Unavailable

BEAT = 1.0
"""Seconds between two beats."""
LOST = 8.0
"""Seconds without one after which a service is gone: nobody hears a caller then, whatever it does."""
_FORGOTTEN = 60.0
_EDGES = "offhook:edges"

log = structlog.get_logger(__name__)


class Edges:
    """Says and asks which are there. Methods raise gateway.errors.Unavailable; times are seconds since the epoch."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def beat(self, run: str, now: float) -> None:
        """The service runs. `run`: the name of its process, which no other has."""
        async with answering():
            await cast(Any, self._redis.hset(_EDGES, run, repr(now)))

    async def there(self, now: float) -> frozenset[str]:
        """Those that were heard of lately."""
        async with answering():
            told: Mapping[Any, Any] = await cast(Any, self._redis.hgetall(_EDGES))
            said = {text(run): float(at) for run, at in told.items()}
            if gone := [run for run, at in said.items() if at < now - _FORGOTTEN]:
                await cast(Any, self._redis.hdel(_EDGES, *gone))
        return frozenset(run for run, at in said.items() if at >= now - LOST)


async def keep_beating(edges: Edges, run: str, clock: Callable[[], float]) -> None:
    """Beat for ever."""
    while True:
        try:
            await edges.beat(run, clock())
        except Unavailable as bad:
            log.debug("the service can't say that it runs", why=str(bad))
        await asyncio.sleep(BEAT)
