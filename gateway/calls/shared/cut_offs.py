"""Which worker's job has found lately that it is cut off from LiveKit. One that is alone in it leaves its call to another at once; where
several have found it together it is their machine's network, or LiveKit, that stands still, and all their callers would change jobs
for nothing. In Redis: `offhook:cut_off:<worker>`."""

from __future__ import annotations

from redis.asyncio import Redis

from gateway.calls.shared.redis_answering import answering
from gateway.errors import Unavailable

LATELY = 5.0
"""Seconds: by then those who aren't the first know by themselves whether it has passed."""
WITHIN = 0.5
"""Seconds that Redis may take: whoever asks has no time, and looks no further meanwhile."""


class CutOffs:
    """One worker's."""

    def __init__(self, redis: Redis, worker: str) -> None:
        self._redis, self._key = redis, f"offhook:cut_off:{worker}"

    async def first(self) -> bool:
        """A job has found that it is cut off; whether no other had lately. False, too, where Redis doesn't answer: nobody could
        take its call then."""
        try:
            async with answering(WITHIN):
                return bool(await self._redis.set(self._key, b"1", nx=True, px=round(LATELY * 1000)))
        except Unavailable:
            return False
