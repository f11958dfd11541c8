"""Whose callers are, in Redis: `offhook:owner:<hash of the number>`, for as long as `owners.KNOWN` says."""

from __future__ import annotations

from hashlib import sha256

from redis.asyncio import Redis

from gateway.calls.people.owners import KNOWN
from gateway.calls.shared.redis_answering import answering, text
from gateway.terms.personal import Number


class RedisOwners:
    """Implements `gateway.calls.people.owners.Owners`. The client is the caller's to close."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def of(self, caller: Number) -> str:
        """See the port."""
        async with answering():
            found = await self._redis.get(_key(caller))
        return text(found) if found else ""

    async def talked(self, caller: Number, name: str) -> None:
        """See the port."""
        async with answering():
            await self._redis.set(_key(caller), name, ex=int(KNOWN))


def _key(caller: Number) -> str:
    return f"offhook:owner:{sha256(caller.reveal().encode(errors='replace')).hexdigest()[:32]}"
