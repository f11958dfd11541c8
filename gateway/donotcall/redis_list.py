"""The list's copy in Redis (6.2 or newer).

| key | holds |
| --- | --- |
| `offhook:donotcall` | a hash: by number, what is written of it as JSON |
| `offhook:donotcall:off` | a hash: by number, when it was taken off |
| `offhook:donotcall:known` | that the copy was brought up to date; without it nobody knows who is on the list |
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from redis.asyncio import Redis

from gateway.calls.shared.redis_answering import answering, text
from gateway.calls.shared.redis_scripts import Scripts
from gateway.donotcall.port import Entry
from gateway.errors import Unavailable
from gateway.terms.personal import Number

LIST, OFF, KNOWN = "offhook:donotcall", "offhook:donotcall:off", "offhook:donotcall:known"

_ADD = """
local off = redis.call('HGET', KEYS[2], ARGV[1])
if off and tonumber(off) >= tonumber(ARGV[2]) then return 0 end
return redis.call('HSETNX', KEYS[1], ARGV[1], ARGV[3])
"""
_REMOVE = """
local there = redis.call('HGET', KEYS[1], ARGV[1])
if there and cjson.decode(there).at > tonumber(ARGV[2]) then return 0 end
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
return redis.call('HDEL', KEYS[1], ARGV[1])
"""


class RedisDoNotCall:
    """Implements `gateway.donotcall.port.DoNotCall`. The client is the caller's to close."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._scripts = Scripts(redis, {"add": _ADD, "remove": _REMOVE})

    async def add(self, entry: Entry) -> bool:
        """See the port."""
        about = json.dumps({"at": entry.at, "why": entry.why, "call": entry.call, "by": entry.by})
        async with answering():
            return bool(
                await self._scripts["add"](keys=[LIST, OFF], args=[entry.number.reveal(), repr(entry.at), about])
            )

    async def remove(self, number: Number, by: str, now: float) -> bool:
        """See the port."""
        async with answering():
            return bool(await self._scripts["remove"](keys=[LIST, OFF], args=[number.reveal(), repr(now)]))

    async def has(self, number: Number) -> bool:
        """See the port. Raises Unavailable too while the copy isn't known to be whole."""
        async with answering(), self._redis.pipeline(transaction=True) as pipe:
            pipe.hexists(LIST, number.reveal())
            pipe.exists(KNOWN)
            there, known = await pipe.execute()
        if not there and not known:
            raise Unavailable("Nobody knows yet who must not be called.", remedy="Start offhook control.")
        return bool(there)

    async def listed(self) -> Sequence[Entry]:
        """See the port."""
        async with answering():
            found = await self._redis.hgetall(LIST)
        entries = [_entry(text(number), text(about)) for number, about in found.items()]
        return sorted(entries, key=lambda one: (-one.at, one.number.reveal()))

    async def known(self) -> None:
        """The copy has all that the database has."""
        async with answering():
            await self._redis.set(KNOWN, "1")


def _entry(number: str, about: str) -> Entry:
    read = json.loads(about)
    return Entry(Number(number), float(read["at"]), str(read["why"]), str(read["call"]), str(read["by"]))
