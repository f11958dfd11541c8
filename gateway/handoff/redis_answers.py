"""What people say by the links of cards, in Redis (6.2 or newer): the set `offhook:declined:<call>` of legs."""

from __future__ import annotations

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


def _key(call: CallId) -> str:
    return f"offhook:declined:{call}"
