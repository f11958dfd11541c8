"""The job's hold on its call: who loses it must leave without a sound, because another job speaks now."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

import structlog

from gateway.calls.store.port import CallStore
from gateway.errors import Unavailable
from gateway.terms.call import Call, CallId
from gateway.terms.times import patience

log = structlog.get_logger(__name__)

RENEW = 1.0
"""Seconds between two renewals."""
ANSWER_WITHIN = 0.8
"""Seconds the store may take for one of them."""
AWAY_FOR = 10.0
"""Seconds that a job waits for a store which is away when it comes: sooner than any other that is sent once the store is
back, it is with its caller then."""
AGAIN = 0.25
"""Seconds between two tries meanwhile."""
T = TypeVar("T")


class Lease:
    """One job's lease of one call, at one epoch. `late`: see `gateway.terms.times.patience`."""

    def __init__(self, store: CallStore, call: CallId, epoch: int, job: str, late: int = 0) -> None:
        self._lasts = patience(late)
        self._store, self._call, self._epoch, self._job = store, call, epoch, job
        self._until = -math.inf

    @property
    def sure(self) -> bool:
        """Whether nobody else can have taken it because it has run out: not after this process has stood still for long."""
        return time.monotonic() < self._until

    async def take(self, stop: int = 0) -> bool:
        """Take or renew it; False when it is another's, or the store has the call at a stop before `stop`. Raises
        Unavailable when the store doesn't answer in time."""
        return await self._had(self._store.take(self._call, self._epoch, self._job, self._lasts, stop))

    async def keep(self, lost: Callable[[], None], known: Callable[[], Call], again: Callable[[], None]) -> None:
        """Renew it each second, for ever; call `lost` once, and return, when it has become another's.

        While the store doesn't answer nobody else can take it either: the caller is better served by going on. A store
        that has come back without what it knew gets the call as it is `known` to us; `again` is called then. One that was
        away gets it, too: what was done for the call meanwhile isn't in its ledger.
        """
        due, missed = time.monotonic(), False
        while True:
            due = max(due + RENEW, time.monotonic())
            await asyncio.sleep(due - time.monotonic())
            try:
                call = known()
                ours = await self.take(call.stop)
                if ours and not missed:
                    continue
                if not await self._restore(call):
                    lost()
                    return
                missed = False
                if not ours:
                    log.warning("the call was put back into a store that had lost it", call=self._call)
                    again()
            except Unavailable as bad:
                missed = True
                log.warning("the lease couldn't be renewed", call=self._call, why=str(bad))

    async def _restore(self, call: Call) -> bool:
        return await self._had(self._store.restore(call, self._job, self._lasts))

    async def _had(self, asks: Awaitable[bool]) -> bool:
        """Whether it is ours, as the store answers; it lasts from when it was asked for."""
        until = time.monotonic() + self._lasts
        async with _in_time():
            ours = await asks
        self._until = until if ours else -math.inf
        return ours

    async def release(self) -> None:
        """Give it back, so that another job needn't wait for it to expire."""
        try:
            async with asyncio.timeout(ANSWER_WITHIN):
                await self._store.release(self._call, self._epoch, self._job)
        except (Unavailable, TimeoutError) as bad:
            log.warning("the lease couldn't be given back", call=self._call, why=str(bad) or "the store is slow")


async def patiently(ask: Callable[[], Awaitable[T]]) -> T:
    """What the store, or LiveKit, answers, asked again and again while it is away. Raises Unavailable when it was for
    AWAY_FOR."""
    loop = asyncio.get_running_loop()
    until, told = loop.time() + AWAY_FOR, False
    while True:
        try:
            return await ask()
        except Unavailable as bad:
            if loop.time() >= until:
                raise
            if not told:
                log.warning("the call waits for what is away", why=str(bad))
                told = True
        await asyncio.sleep(AGAIN)


@asynccontextmanager
async def _in_time() -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(ANSWER_WITHIN):
            yield
    except TimeoutError as late:
        raise Unavailable("The call store doesn't answer.") from late
