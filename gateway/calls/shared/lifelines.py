"""Connections to Redis that workers hold for as long as they live: the kernel closes them however a worker ends, and Redis
tells who holds one. So control learns within half a second of a worker that died together with all its jobs, as a
container does, of which nobody is left to say anything. In Redis: a subscription to `offhook:lifeline:<worker>`, where
nothing is ever published."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import structlog
from redis.asyncio import Redis

from gateway.bus.errors import BusDown
from gateway.bus.feed import FIRST_PAUSE, feed, longer, open_redis
from gateway.calls.shared.redis_answering import answering, text

_LINE = "offhook:lifeline:"

log = structlog.get_logger(__name__)


async def hold(url: str, worker: str) -> None:
    """Hold the worker's for ever; one that is cut off is begun again at once. `url`: of Redis."""
    redis, pause = open_redis(url), FIRST_PAUSE
    try:
        while True:
            try:
                async with feed(redis) as line:
                    await line.subscribe(_LINE + worker)
                    while True:
                        await line.next()
                        pause = FIRST_PAUSE
            except BusDown as bad:
                log.debug("the worker's lifeline is cut", why=str(bad))
            await asyncio.sleep(pause)
            pause = longer(pause)
    finally:
        await redis.aclose()


async def held(redis: Redis) -> frozenset[str]:
    """The workers that hold one now. Raises gateway.errors.Unavailable."""
    async with answering():
        found = await cast(Any, redis.pubsub_channels(_LINE + "*"))
    return frozenset(text(channel).removeprefix(_LINE) for channel in found)
