"""What people say by the links of cards, in Redis (6.2 or newer): the set `offhook:declined:<call>` of legs, and the hash
`offhook:took:<call>`, by leg the tab that takes the call, and the list `offhook:pressed:<call>` of keys with a leg before."""

from __future__ import annotations

from collections.abc import Sequence

from redis.asyncio import Redis

from gateway.calls.shared.redis_answering import answering
from gateway.handoff.answers import KEPT
from gateway.terms.call import CallId


class RedisAnswers:
    """Implements `gateway.handoff.answers.Answers`. The client is the caller's to close, decoding or not."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def decline(self, call: CallId, leg: str) -> None:
        """See the port."""
        async with answering(), self._redis.pipeline(transaction=True) as pipe:
            pipe.sadd(_key(call), leg)
            pipe.expire(_key(call), int(KEPT))
            await pipe.execute()

    async def declined(self, call: CallId) -> frozenset[str]:
        """See the port."""
        async with answering():
            found = await self._redis.smembers(_key(call))
        return frozenset(one.decode() if isinstance(one, bytes) else str(one) for one in found)

    async def take(self, call: CallId, leg: str, tab: str) -> bool:
        """See the port."""
        key = f"offhook:took:{call}"
        async with answering(), self._redis.pipeline(transaction=True) as pipe:
            pipe.hsetnx(key, leg, tab)
            pipe.expire(key, int(KEPT))
            pipe.hget(key, leg)
            found = (await pipe.execute())[-1]
        return bool((found.decode() if isinstance(found, bytes) else found) == tab)

    async def press(self, call: CallId, leg: str, keys: str) -> None:
        """See the port."""
        async with answering(), self._redis.pipeline(transaction=True) as pipe:
            pipe.rpush(f"offhook:pressed:{call}", f"{keys} {leg}")
            pipe.expire(f"offhook:pressed:{call}", int(KEPT))
            await pipe.execute()

    async def pressed(self, call: CallId) -> Sequence[tuple[str, str]]:
        """See the port."""
        async with answering(), self._redis.pipeline(transaction=True) as pipe:
            pipe.lrange(f"offhook:pressed:{call}", 0, -1)
            pipe.delete(f"offhook:pressed:{call}")
            found = (await pipe.execute())[0]
        told = [(one.decode() if isinstance(one, bytes) else str(one)).partition(" ") for one in found]
        return [(leg, keys) for keys, _, leg in told]


def _key(call: CallId) -> str:
    return f"offhook:declined:{call}"
