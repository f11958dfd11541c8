"""The meter in Redis (6.2 or newer): `offhook:guard:<cap>` is a hash of what is counted, by its name, as "AT AMOUNT"."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from redis.asyncio import Redis

from gateway.calls.shared.redis_answering import answering, text
from gateway.guard.meter import Cap

_KEY = "offhook:guard:"

_TAKE = """
local once, now = ARGV[1], tonumber(ARGV[2])
for place, key in ipairs(KEYS) do
  local window, most, amount = tonumber(ARGV[place * 3]), tonumber(ARGV[place * 3 + 1]), tonumber(ARGV[place * 3 + 2])
  local kept, sum = redis.call('HGETALL', key), 0
  for field = 1, #kept, 2 do
    local at, much = string.match(kept[field + 1], '(%S+) (%S+)')
    if tonumber(at) <= now - window then
      redis.call('HDEL', key, kept[field])
    elseif kept[field] ~= once then
      sum = sum + tonumber(much)
    end
  end
  if sum + amount > most then return place end
end
for place, key in ipairs(KEYS) do
  redis.call('HSET', key, once, ARGV[2] .. ' ' .. ARGV[place * 3 + 2])
  redis.call('EXPIRE', key, math.ceil(tonumber(ARGV[place * 3])) + 60)
end
return 0
"""
_SETTLE = """
for place, key in ipairs(KEYS) do
  local kept = redis.call('HGET', key, ARGV[1])
  if kept and tonumber(ARGV[place + 1]) > 0 then
    redis.call('HSET', key, ARGV[1], string.match(kept, '(%S+) ') .. ' ' .. ARGV[place + 1])
  elseif kept then
    redis.call('HDEL', key, ARGV[1])
  end
end
"""


class RedisMeter:
    """Implements `gateway.guard.meter.Meter`. The client is the caller's to close. `clock`: seconds since the
    epoch, on which the replicas' machines must agree to within seconds."""

    def __init__(self, redis: Redis, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._take, self._settle = redis.register_script(_TAKE), redis.register_script(_SETTLE)

    async def take(self, once: str, caps: Sequence[Cap]) -> str:
        """See the port."""
        if not caps:
            return ""
        given = [part for cap in caps for part in (_of(cap.window), _of(cap.most), _of(cap.amount))]
        async with answering():
            place = int(text(await self._take([_KEY + cap.key for cap in caps], [once, _of(self._clock()), *given])))
        return caps[place - 1].key if place else ""

    async def settle(self, once: str, caps: Sequence[Cap]) -> None:
        """See the port."""
        if not caps:
            return
        async with answering():
            await self._settle([_KEY + cap.key for cap in caps], [once, *(_of(cap.amount) for cap in caps)])


def _of(number: float) -> str:
    return repr(float(number)) if math.isfinite(number) else "1e300"
