"""Which pools of workers are there, as workers say themselves: what control has to know before it sends a caller to an
agent. In Redis: `offhook:workers:<pool>` is a sorted set of workers by when each was last heard of."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog
from redis.asyncio import Redis

from gateway.calls.redis_answering import answering
from gateway.errors import Unavailable
from gateway.terms.call import Pool

BEAT = 1.0
"""Seconds between two beats."""
LOST = 4.0
"""Seconds without one after which a worker counts as gone."""
_WORKERS = "offhook:workers:"

log = structlog.get_logger(__name__)


class Presence:
    """Says and asks who is there. Methods raise gateway.errors.Unavailable; times are seconds since the epoch."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def beat(self, pool: Pool, worker: str, now: float) -> None:
        """The worker takes calls."""
        async with answering(), self._redis.pipeline(transaction=False) as pipe:
            pipe.zadd(_WORKERS + pool.value, {worker: now})
            pipe.zremrangebyscore(_WORKERS + pool.value, "-inf", now - 10 * LOST)
            await pipe.execute()

    async def leave(self, pool: Pool, worker: str) -> None:
        """The worker takes none any more."""
        async with answering():
            await self._redis.zrem(_WORKERS + pool.value, worker)

    async def workers(self, pool: Pool, now: float) -> int:
        """How many workers of the pool take calls."""
        async with answering():
            return int(await self._redis.zcount(_WORKERS + pool.value, now - LOST, "+inf"))


async def keep_telling(
    presence: Presence, pool: Pool, worker: str, ready: Callable[[], bool], clock: Callable[[], float]
) -> None:
    """Beat for as long as the worker is ready, for ever; say at once when it isn't any more."""
    there = False
    while True:
        try:
            if ready():
                await presence.beat(pool, worker, clock())
                there = True
            elif there:
                await presence.leave(pool, worker)
                there = False
        except Unavailable as bad:
            log.debug("the worker can't say that it is there", why=str(bad))
        await asyncio.sleep(BEAT)
