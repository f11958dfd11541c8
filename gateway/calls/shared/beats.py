"""When others were heard of last, by Redis' clock: the clocks of their machines may be seconds apart, or be set while they run.
Each kind is a hash in Redis, of what each said last and when."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from redis.asyncio import Redis

from gateway.calls.shared.redis_answering import answering, seconds, text
from gateway.calls.shared.redis_scripts import Scripts

_SCRIPTS = {
    "say": """
local now = redis.call('TIME')
local at = string.format('%d.%06d', now[1], now[2])
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2] .. at .. ARGV[3])
"""
}


class Beats:
    """Says and asks. Methods raise gateway.errors.Unavailable."""

    def __init__(self, redis: Redis) -> None:
        self._redis, self._scripts = redis, Scripts(redis, _SCRIPTS)

    async def say(self, key: str, who: str, before: str = "", after: str = "") -> None:
        """Somebody is there: the time, in seconds since the epoch, is written between those texts."""
        async with answering():
            await self._scripts["say"]([key], [who, before, after])

    async def heard(self, key: str) -> tuple[float, Mapping[str, str]]:
        """The time now, and what each has said last."""
        async with answering():
            pipe = self._redis.pipeline(transaction=True)
            pipe.time()
            pipe.hgetall(key)
            now, told = await cast(Any, pipe.execute())
        return seconds(now), {text(who): text(said) for who, said in told.items()}

    async def knows(self, key: str, who: str) -> bool:
        """Whether they have said anything, and aren't forgotten."""
        async with answering():
            return bool(await cast(Any, self._redis.hexists(key, who)))

    async def forget(self, key: str, *who: str) -> None:
        """They end, or are long gone."""
        if who:
            async with answering():
                await cast(Any, self._redis.hdel(key, *who))
