"""Which workers are there and how busy they are, as they say themselves: what control has to know before it sends a
caller to an agent. In Redis: `offhook:at-work:<pool>` is a hash of what each worker said last."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence

import structlog
from redis.asyncio import Redis

from gateway.calls.shared.beats import Beats
from gateway.calls.shared.working import Working
from gateway.errors import Unavailable
from gateway.terms.call import Pool

BEAT = 1.0
"""Seconds between two beats."""
LOST = 4.0
"""Seconds without one after which a worker counts as gone."""
_SOON = 0.2
"""Seconds between two looks at whether a worker has anything new to say."""
_FORGOTTEN = 10 * LOST
_WORKERS = "offhook:at-work:"

log = structlog.get_logger(__name__)


class Presence:
    """Says and asks who is there. Methods raise gateway.errors.Unavailable."""

    def __init__(self, redis: Redis) -> None:
        self._beats = Beats(redis)

    async def beat(self, pool: Pool, worker: str, working: Working) -> None:
        """The worker is there."""
        said = json.dumps([working.ready, working.calls, working.slots])
        await self._beats.say(_WORKERS + pool.value, worker, "[", ", " + said[1:])

    async def leave(self, pool: Pool, worker: str) -> None:
        """The worker ends."""
        await self._beats.forget(_WORKERS + pool.value, worker)

    async def died(self, worker: str) -> bool:
        """Say for a worker that has died that it takes no calls; False for one that has said itself that it has ended, which
        is left alone."""
        silent = False
        for pool in Pool:
            if await self._beats.knows(_WORKERS + pool.value, worker):
                silent = True
                await self.beat(pool, worker, Working(ready=False))
        return silent

    async def there(self, pool: Pool) -> Sequence[Working]:
        """The workers of the pool that were heard of lately; those that ended otherwise are forgotten."""
        now, told = await self._beats.heard(_WORKERS + pool.value)
        said = {worker: _read(one) for worker, one in told.items()}
        gone = (worker for worker, (at, _) in said.items() if at < now - _FORGOTTEN)
        await self._beats.forget(_WORKERS + pool.value, *gone)
        return [working for at, working in said.values() if at >= now - LOST and working is not None]


def _read(said: str) -> tuple[float, Working | None]:
    try:
        at, ready, calls, slots = json.loads(said)
        return float(at), Working(bool(ready), int(calls), int(slots))
    except (ValueError, TypeError):
        return 0.0, None  # another version's


async def keep_telling(
    presence: Presence, pool: Pool, worker: str, working: Callable[[], Working], clock: Callable[[], float]
) -> None:
    """Beat for ever, and at once when the worker begins or ceases to take calls; say in the end that it is gone. `clock`:
    seconds, never going back."""
    try:
        before, told = Working(ready=False), float("-inf")
        while True:
            now, working_now = clock(), working()
            if working_now.ready is not before.ready or now - told >= BEAT:
                try:
                    await presence.beat(pool, worker, working_now)
                    before, told = working_now, now
                except Unavailable as bad:
                    log.debug("the worker can't say that it is there", why=str(bad))
            await asyncio.sleep(_SOON)
    finally:
        try:
            async with asyncio.timeout(_SOON):
                await presence.leave(pool, worker)
        except (Unavailable, TimeoutError):
            log.debug("the worker couldn't say that it ends")
