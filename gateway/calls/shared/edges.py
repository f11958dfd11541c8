"""Which of our SIP services run, as they say themselves: the callers of one that is gone are in a room without a line, and
LiveKit doesn't notice for twenty seconds. In Redis: `offhook:edges` is a hash of when each was last heard of."""

from __future__ import annotations

import asyncio

import structlog
from redis.asyncio import Redis

from gateway.calls.shared.beats import Beats
from gateway.errors import Unavailable

BEAT = 1.0
"""Seconds between two beats."""
AGAIN = 0.25
"""Seconds from one that Redis didn't take to the next: callers are refused until it does."""
LOST = 8.0
"""Seconds without one after which a service is gone: nobody hears a caller then, whatever it does."""
_FORGOTTEN = 60.0
_EDGES = "offhook:edges"

log = structlog.get_logger(__name__)


class Edges:
    """Says and asks which are there. Methods raise gateway.errors.Unavailable."""

    def __init__(self, redis: Redis) -> None:
        self._beats = Beats(redis)

    async def beat(self, run: str) -> None:
        """The service runs. `run`: the name of its process, which no other has."""
        await self._beats.say(_EDGES, run)

    async def there(self) -> frozenset[str]:
        """Those that were heard of lately. After a standstill of Redis that may be none: ask again after two BEATs."""
        now, told = await self._beats.heard(_EDGES)
        said = {run: float(at) for run, at in told.items()}
        await self._beats.forget(_EDGES, *(run for run, at in said.items() if at < now - _FORGOTTEN))
        return frozenset(run for run, at in said.items() if at >= now - LOST)


class Beating:
    """The beats of one service."""

    def __init__(self, edges: Edges, run: str) -> None:
        """`run`: see `Edges.beat`."""
        self._edges, self._run = edges, run
        self.taken = True
        """Redis has taken the last. One that takes none, as a replica or one that is full, takes no calls either, though it
        answers."""

    async def keep(self) -> None:
        """Beat for ever."""
        while True:
            try:
                await self._edges.beat(self._run)
                self.taken = True
            except Unavailable as bad:
                self.taken = False
                log.debug("the service can't say that it runs", why=str(bad))
            await asyncio.sleep(BEAT if self.taken else AGAIN)
