"""Whether any control is there, as they say themselves: without one no caller is routed, and our SIP service need not let them
ring. In Redis: `offhook:control` holds when one was heard of last, by Redis' own clock."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, cast

from redis.asyncio import Redis

from gateway.calls.shared.redis_answering import answering, seconds, text
from gateway.calls.shared.redis_scripts import Scripts

BEAT = 1.0
"""Seconds between two beats, and between two looks."""
LOST = 12.0
"""Seconds without one after which no control is there: one that was killed is back in 7 on a busy machine, and finds who rings."""
SURE = 3.0
"""Seconds for which that must be seen: after a standstill of Redis, or of all, the first look comes before the first beat."""
_FORGOTTEN = 60
_KEY = "offhook:control"
_SCRIPTS = {
    "beat": """
local now = redis.call('TIME')
redis.call('SET', KEYS[1], string.format('%d.%06d', now[1], now[2]), 'EX', ARGV[1])
"""
}


class Controls:
    """Says and asks whether one is there. Methods raise gateway.errors.Unavailable."""

    def __init__(self, redis: Redis) -> None:
        self._redis, self._scripts = redis, Scripts(redis, _SCRIPTS)

    async def beat(self) -> None:
        """A control runs, and looks after calls."""
        async with answering():
            await self._scripts["beat"]([_KEY], [_FORGOTTEN])

    async def silence(self) -> float | None:
        """Seconds since one was heard of; None where none was for a minute."""
        async with answering():
            pipe = self._redis.pipeline(transaction=True)
            pipe.time()
            pipe.get(_KEY)
            now, beat = await cast(Any, pipe.execute())
        return max(0.0, seconds(now) - float(text(beat))) if beat else None


@dataclass(frozen=True, slots=True)
class Attendance:
    """What an SIP service knows of them. Pure; times are seconds on one clock."""

    once: bool = False
    """One was heard of: until then nobody knows whether there ever is to be one."""
    lost_since: float | None = None
    """When a look first found that none was heard of for LOST seconds, and none has found one since."""

    def looked(self, silence: float | None, now: float) -> Attendance:
        """What a look has found (see `Controls.silence`)."""
        if silence is not None and silence < LOST:
            return Attendance(once=True)
        return self if self.lost_since is not None else replace(self, lost_since=now)

    def unsure(self) -> Attendance:
        """Nobody could be asked."""
        return replace(self, lost_since=None)

    def nobody(self, now: float) -> bool:
        """Whether no caller would be routed."""
        return self.once and self.lost_since is not None and now - self.lost_since >= SURE
