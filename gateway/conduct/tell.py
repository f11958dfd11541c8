"""Tells the call's events: in their order, each once, through any outage of the store.

While the store doesn't answer they wait here and on disk (`spool`), and count as durable: a caller isn't kept waiting
for a server. What the store may have forgotten is told again (`again`); an event's own id makes it one.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import deque
from collections.abc import Callable, Mapping
from typing import Self

import structlog

from gateway.calls.store.port import CallStore
from gateway.conduct.spool import Spool
from gateway.errors import Unavailable
from gateway.metrics import counter
from gateway.terms.call import CallId
from gateway.terms.event import Event, Kind

log = structlog.get_logger(__name__)

DURABLE_WITHIN = 2.0
"""Seconds that `told` waits: a caller is waiting too."""
FLUSH_WITHIN = 5.0
"""Seconds at the job's end to tell what isn't told and isn't on disk: that, others tell later."""
_RETRY = 0.5
_MOST = 1000
_REMEMBERED = 500
"""Events that were told last, which a store that has lost its last seconds is told again."""

LOST = counter("events_lost", "Events of calls that could not be told in time")

_Entry = tuple[Event, asyncio.Future[None]]


class Teller:
    """Tells one call's events. Use it as a context: leaving it waits a while for what isn't told yet."""

    def __init__(self, store: CallStore, call: CallId, spool: Spool | None = None) -> None:
        """`spool`: where events wait on disk; without one, what isn't told when the job ends is lost."""
        self._store, self._call, self._spool = store, call, spool
        self._me, self._number = secrets.token_hex(6), 0
        self._waiting: deque[_Entry] = deque()
        self._told: deque[Event] = deque(maxlen=_REMEMBERED)
        self._on_disk = False
        """All that waits is on disk."""
        self._only_on_disk = False
        """And something that doesn't wait here."""
        self._more = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.stored: Callable[[Event], None] = lambda _: None
        """Told of each event that the store has taken."""

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run(), name="teller")
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self._waiting:
            await asyncio.wait({self._waiting[-1][1]}, timeout=FLUSH_WITHIN)
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})
        if self._waiting and self._keep():
            log.warning("events are left on disk", call=self._call, events=len(self._waiting))
        elif self._waiting:
            LOST.inc(len(self._waiting))
            log.error("events couldn't be told", call=self._call, kinds=[one.kind.value for one, _ in self._waiting])
        for _event, told in self._waiting:
            told.cancel()
        if self._spool is not None:
            self._spool.close()

    def note(self, kind: Kind, data: Mapping[str, object], at: float, uid: str = "") -> asyncio.Future[None]:
        """Tell an event; it happened `at` (seconds since the epoch). The future is done when it is durable. `uid`: its
        own id, where others may tell the same; "" for a new one."""
        told: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._number += 1
        event = Event(self._call, kind, at, data, uid=uid or f"{self._me}-{self._number}")
        if self._spool is not None and self._spool.open:
            self._on_disk = self._on_disk and self._spool.keep([event])
            if self._on_disk:
                told.set_result(None)
        if len(self._waiting) < _MOST:
            self._waiting.append((event, told))
            self._more.set()
        elif self._on_disk and told.done():
            self._only_on_disk = True
        else:
            LOST.inc()
            told.cancel()
        return told

    async def told(self, kind: Kind, data: Mapping[str, object], at: float, uid: str = "") -> None:
        """Tell an event and return once it is durable. Raises Unavailable after a while; it is told later if it can."""
        done, _ = await asyncio.wait({self.note(kind, data, at, uid)}, timeout=DURABLE_WITHIN + _RETRY)
        if not done or any(future.cancelled() for future in done):
            raise Unavailable("The call store doesn't take what was said.")

    def again(self) -> None:
        """The store has lost what it knew: tell the last events once more."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        done.set_result(None)
        self._waiting.extendleft((event, done) for event in reversed(self._told))
        self._told.clear()
        self._more.set()

    def _keep(self) -> bool:
        """Put what waits on disk, unless it is there; whether it is."""
        if self._spool is None:
            return False
        if not self._spool.open:
            self._on_disk = self._spool.keep(event for event, _ in self._waiting)
        if not self._on_disk:
            return False
        for _event, told in self._waiting:
            if not told.done():
                told.set_result(None)
        return True

    async def _run(self) -> None:
        while True:
            if not self._waiting:
                if self._spool is not None and not self._only_on_disk:
                    self._spool.clear()
                self._more.clear()
                await self._more.wait()
            entry = self._waiting[0]
            event, told = entry
            try:
                await self._store.tell(event)
            except Unavailable as bad:
                log.warning("an event couldn't be told yet", call=self._call, kind=event.kind, why=str(bad))
                self._keep()
                await asyncio.sleep(_RETRY)
                continue
            self._waiting.remove(entry)
            self._told.append(event)
            self.stored(event)
            if not told.done():
                told.set_result(None)
