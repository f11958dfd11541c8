"""Gives back the calls of workers that died together with their jobs, or before their jobs had come, so that others' jobs
take them at once. Until that is sure the callers hear that somebody is there."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence

import structlog

from gateway.calls.shared.working import holder as held_by
from gateway.calls.shared.working import worker_of
from gateway.calls.store.port import CallStore
from gateway.dispatch.severed import Severed
from gateway.errors import Unavailable
from gateway.metrics import counter
from gateway.terms.call import Call, CallId, Phase

LOOK = 0.2
"""Seconds between two looks."""
WORKERS_DIED = counter("workers_died", "Workers that ended without a word")

log = structlog.get_logger(__name__)


class Deaths:
    """Looks at the workers' lifelines: call `look` every LOOK seconds. Every control does; each call is given back once."""

    def __init__(
        self,
        store: CallStore,
        held: Callable[[], Awaitable[frozenset[str]]],
        died: Callable[[str], Awaitable[bool]],
        settled: Callable[[], bool],
        still: Callable[[CallId, int, bool], Awaitable[None]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`held`: the workers that hold a lifeline now. `died`: notes that a worker takes no calls any more; whether it
        hasn't said itself that it has ended. Both raise gateway.errors.Unavailable. `settled`: whether the store's leases may be believed. `still`: lets the caller of a call
        at an epoch hear that its job may be dead, or isn't; raises Unavailable. `clock`: seconds, never going back."""
        self._store, self._held, self._died, self._settled, self._clock = store, held, died, settled, clock
        self._still = still
        self._severed = Severed()

    async def look(self) -> None:
        """Look once. Raises Unavailable; the leases of whom the dead had served run out then."""
        if not self._settled():
            self._severed = self._severed.unsure()
            return
        try:
            self._severed = self._severed.looked(await self._held(), self._clock())
        except Unavailable:
            self._severed = self._severed.unsure()
            raise
        if (missed := self._severed.missed) | (back := self._severed.back):
            calls = await self._store.live()
            await asyncio.gather(*(self._tell(call, missed, back) for call in calls if call.phase is Phase.TAKEN))
        if dead := self._severed.dead:
            await self._note(sorted(dead))
            await asyncio.gather(*(self._give_back(call.id, call.epoch, dead) for call in await self._store.live()))

    async def _tell(self, call: Call, missed: frozenset[str], back: frozenset[str]) -> None:
        """Let the caller hear it, if it is their job's worker."""
        try:
            holder = await self._store.holder(call.id)
            if holder is not None and (worker := worker_of(holder)) in missed | back:
                await self._still(call.id, call.epoch, worker in missed)
        except Unavailable as bad:
            log.debug("a caller can't be told that their job may be dead", call=call.id, why=str(bad))

    async def _note(self, dead: Sequence[str]) -> None:
        silent = await asyncio.gather(*(self._died(worker) for worker in dead))
        if gone := [worker for worker, unsaid in zip(dead, silent, strict=True) if unsaid]:
            WORKERS_DIED.inc(len(gone))
            log.error("workers are gone without a word", workers=gone)

    async def _give_back(self, call: CallId, epoch: int, dead: frozenset[str]) -> None:
        holder = await self._store.holder(call)
        if holder is None and (worker := await self._store.promised(call, epoch)):
            holder = held_by(worker, "")  # it died before its job came; one that comes meanwhile keeps the call
        if holder is not None and worker_of(holder) in dead:
            await self._store.release(call, epoch, holder)
