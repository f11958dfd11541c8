"""The rules in Redis (6.2 or newer).

| key | holds |
| --- | --- |
| `offhook:outbound:<version>` | a plan's rules as JSON; KEPT seconds beyond the time in which it is in force |
| `offhook:outbound` | the version in force |
"""

from __future__ import annotations

from redis.asyncio import Redis

from gateway.calls.shared.redis_answering import answering, text
from gateway.guard.book import for_a_call
from gateway.terms.outbound import Rules, read, written

IN_FORCE = "offhook:outbound"
_OF = "offhook:outbound:"
KEPT = 2 * 86400
"""Seconds: longer than any call lasts."""


class RedisRuleBook:
    """Implements `gateway.guard.book.RuleBook`. The client is the caller's to close."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def put(self, version: str, rules: Rules) -> bool:
        """See the port."""
        now = written(rules)
        async with answering():
            async with self._redis.pipeline(transaction=True) as pipe:
                pipe.get(IN_FORCE)
                pipe.get(_OF + version)
                pipe.ttl(_OF + version)
                in_force, before, left = await pipe.execute()
            same = in_force is not None and text(in_force) == version and before is not None and text(before) == now
            if same and int(left) > KEPT / 2:
                return False
            async with self._redis.pipeline(transaction=True) as pipe:
                pipe.set(_OF + version, now, ex=KEPT)
                pipe.set(IN_FORCE, version)
                await pipe.execute()
        return not same

    async def of(self, version: str) -> Rules | None:
        """See the port. Raises OurFault for what another version of this program has published."""
        async with answering():
            found, in_force = await self._redis.mget([_OF + version, IN_FORCE])
            if in_force is None:
                return None
            live = await self._redis.get(_OF + text(in_force))
        return for_a_call(
            read(text(found)) if found is not None else None, read(text(live)) if live is not None else None
        )
