"""Pacing in Redis (6.2 or newer): `offhook:pace:<trunk>` holds when the trunk's next slot is due."""

from __future__ import annotations

from collections.abc import Callable

from redis.asyncio import Redis

from gateway.calls.shared.redis_answering import answering, text
from gateway.calls.shared.redis_scripts import Scripts

_SLOT = """
local now, apart = tonumber(ARGV[2]), tonumber(ARGV[1])
local at = math.max(tonumber(redis.call('GET', KEYS[1]) or 0), now)
redis.call('SET', KEYS[1], string.format('%.17g', at + apart), 'PX', math.ceil((at + apart - now) * 1000) + 1000)
return string.format('%.17g', at - now)
"""
"""`gateway.calls.shared.pacing.slot` for all replicas."""


class RedisPacer:
    """Implements `gateway.calls.shared.pacing.Pacer`. The client is the caller's to close. `clock`: seconds since the epoch,
    on which the replicas' machines must agree to within a fraction of a second."""

    def __init__(self, redis: Redis, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._scripts = Scripts(redis, {"slot": _SLOT})

    async def slot(self, trunk_id: str, per_second: float) -> float:
        """See the port."""
        if per_second <= 0:
            return 0.0
        async with answering():
            wait = await self._scripts["slot"](
                [f"offhook:pace:{trunk_id}"], [repr(1 / per_second), repr(self._clock())]
            )
        return float(text(wait))
