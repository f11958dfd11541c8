"""What callers say on their way to an agent, in Redis (6.2 or newer): `offhook:spoken:<call>:<stop>`."""

from __future__ import annotations

from redis.asyncio import Redis

from gateway.calls.shared.redis_answering import answering
from gateway.calls.shared.spoken import KEPT
from gateway.terms.call import CallId


class RedisSpoken:
    """Implements `gateway.calls.shared.spoken.Spoken`. The client is the caller's to close, and doesn't decode responses, since
    audio is bytes."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def add(self, call: CallId, stop: int, audio: bytes) -> None:
        """See the port."""
        async with answering(), self._redis.pipeline(transaction=True) as pipe:
            pipe.append(_key(call, stop), audio)
            pipe.pexpire(_key(call, stop), int(KEPT * 1000))
            await pipe.execute()

    async def said(self, call: CallId, stop: int) -> bytes:
        """See the port."""
        async with answering():
            found = await self._redis.get(_key(call, stop))
        return found if isinstance(found, bytes) else b""


def _key(call: CallId, stop: int) -> str:
    return f"offhook:spoken:{call}:{stop}"
