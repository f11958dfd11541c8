"""Whether any control is there, as they say themselves: without one no caller is routed, and our SIP service need not let them
ring. In Redis: `offhook:control` holds when one was heard of last."""

from __future__ import annotations

from redis.asyncio import Redis

from gateway.calls.shared.beats import Beats

BEAT = 1.0
"""Seconds between two beats, and between two looks."""
LOST = 12.0
"""Seconds without one after which no control is there: one that was killed is back in 7 on a busy machine, and finds who rings."""
SURE = 3.0
"""Seconds for which that must be seen: after a standstill of Redis, or of all, the first look comes before the first beat."""
_KEY, _ANY = "offhook:control", "any"


class Controls:
    """Says and asks whether one is there. Methods raise gateway.errors.Unavailable."""

    def __init__(self, redis: Redis) -> None:
        self._beats = Beats(redis)

    async def beat(self) -> None:
        """A control runs, and looks after calls."""
        await self._beats.say(_KEY, _ANY)

    async def silence(self) -> float | None:
        """Seconds since one was heard of; None where none ever was."""
        now, told = await self._beats.heard(_KEY)
        return max(0.0, now - float(told[_ANY])) if told else None


def there(silence: float | None) -> bool:
    """Whether one is, by how long none was heard of."""
    return silence is not None and silence < LOST
