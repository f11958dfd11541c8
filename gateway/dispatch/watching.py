"""Asks the store again and again whether it answers, and which it is, so that control knows what it may believe."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import structlog

from gateway.calls.store.port import CallStore
from gateway.dispatch.trust import SETTLES, Trust
from gateway.errors import Unavailable

log = structlog.get_logger(__name__)

WATCH = 0.5
"""Seconds between two looks."""


class Watch:
    """Watches one store: call `look` every WATCH seconds."""

    def __init__(
        self,
        store: CallStore,
        *,
        forgot: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`forgot`: called when another store answers than before: what only it knows is to be told it again. `clock`:
        seconds, never going back."""
        self._store, self._forgot, self._clock = store, forgot, clock
        self._trust = Trust()
        self._looking = asyncio.Lock()

    def settled(self) -> bool:
        """Whether a call without a lease is one without a job."""
        return self._trust.settled(self._clock())

    async def look(self) -> None:
        """Ask once. Raises nothing: that it doesn't answer is known then. Whoever is about to judge by a lease does it, too:
        they may be the first who is awake after a standstill."""
        async with self._looking:
            await self._look()

    async def _look(self) -> None:
        before, asked = self._trust, self._clock()
        try:
            standing = await self._store.standing()
        except Unavailable as bad:
            self._trust = before.failed()
            if not before.away:
                log.warning("the call store is away; calls go on without it", why=str(bad))
            return
        now = self._clock()
        self._trust = before.answered(standing, now - asked, now)
        if self._trust.until > max(before.until, now):
            log.warning("leases may have run out; calls are looked after in a moment", seconds=SETTLES)
        if self._trust.forgot(before):
            self._forgot()
