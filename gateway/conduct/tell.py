"""Tells the call's events: in their order, kept for a while when the store doesn't answer."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping
from typing import Self

import structlog

from gateway.calls.store import CallStore
from gateway.errors import Unavailable
from gateway.metrics import counter
from gateway.terms.call import CallId
from gateway.terms.event import Event, Kind

log = structlog.get_logger(__name__)

DURABLE_WITHIN = 2.0
"""Seconds that `told` waits: a caller is waiting too."""
FLUSH_WITHIN = 5.0
"""Seconds at the job's end to tell what isn't told."""
_RETRY = 0.5
_MOST = 1000

LOST = counter("events_lost", "Events of calls that could not be told in time")


class Teller:
    """Tells one call's events. Use it as a context: leaving it waits a while for what isn't told yet."""

    def __init__(self, store: CallStore, call: CallId) -> None:
        self._store, self._call = store, call
        self._waiting: deque[tuple[Event, asyncio.Future[None]]] = deque()
        self._more = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run(), name="teller")
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self._waiting:
            await asyncio.wait({self._waiting[-1][1]}, timeout=FLUSH_WITHIN)
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})
        for event, told in self._waiting:
            LOST.inc()
            log.error("an event couldn't be told", call=self._call, kind=event.kind)
            told.cancel()

    def note(self, kind: Kind, data: Mapping[str, object], at: float) -> asyncio.Future[None]:
        """Tell an event; it happened `at` (seconds since the epoch). The future is done when it is durable."""
        told: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if len(self._waiting) >= _MOST:
            LOST.inc()
            told.cancel()
            return told
        self._waiting.append((Event(self._call, kind, at, data), told))
        self._more.set()
        return told

    async def told(self, kind: Kind, data: Mapping[str, object], at: float) -> None:
        """Tell an event and return once it is durable. Raises Unavailable after a while; it is told later if it can."""
        done, _ = await asyncio.wait({self.note(kind, data, at)}, timeout=DURABLE_WITHIN)
        if not done or any(future.cancelled() for future in done):
            raise Unavailable("The call store doesn't take what was said.")

    async def _run(self) -> None:
        while True:
            if not self._waiting:
                self._more.clear()
                await self._more.wait()
            event, told = self._waiting[0]
            try:
                await self._store.tell(event)
            except Unavailable as bad:
                log.warning("an event couldn't be told yet", call=self._call, kind=event.kind, why=str(bad))
                await asyncio.sleep(_RETRY)
                continue
            self._waiting.popleft()
            if not told.done():
                told.set_result(None)
