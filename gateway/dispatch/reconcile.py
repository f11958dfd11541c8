"""The look at LiveKit's rooms, which makes up for every hint that didn't come: of a caller who is there, of one who is gone, of a
SIP service that died with its callers' lines, and of a room that nobody looks after."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog

from gateway.calls.store.port import CallStore
from gateway.dispatch import decide
from gateway.dispatch.decide import Arrival
from gateway.dispatch.forsaken import Forsaken
from gateway.dispatch.lost_edges import LostEdges
from gateway.dispatch.rooms import Rooms
from gateway.errors import Unavailable
from gateway.terms.call import CallId

PARTS_WITHIN = 10.0
"""Seconds that a job has to tell somebody that the caller has gone, and to close the room."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Then:
    """What is done about what a look finds. All may raise Unavailable; a later look finds it again."""

    arrived: Callable[[Arrival], Awaitable[None]]
    """Somebody calls whom nobody told of."""
    gone: Callable[[CallId], Awaitable[None]]
    """A caller isn't there any more."""
    cut: Callable[[Arrival], Awaitable[None]]
    """A caller's SIP service is gone: nobody is at the other end of their line."""


class Reconcile:
    """One control's looks."""

    def __init__(
        self,
        store: CallStore,
        rooms: Rooms,
        then: Then,
        *,
        settled: Callable[[], bool] = lambda: True,
        edges: Callable[[], Awaitable[frozenset[str]]] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`settled`, `edges`, `clock`: see `Dispatcher`."""
        self._store, self._rooms, self._then = store, rooms, then
        self._settled, self._edges, self._clock = settled, edges, clock
        self._parting: dict[str, float] = {}
        """Rooms that are left to their jobs for a moment, and until when."""
        self._forsaken, self._lost_edges = Forsaken(), LostEdges()

    def leave(self, room: str) -> None:
        """Leave a room to its job: it has somebody to tell that the caller has gone, and closes the room itself."""
        self._parting[room] = self._clock() + PARTS_WITHIN

    async def look(self) -> None:
        """Look at every room. Raises Unavailable."""
        await self._close_parted()
        lost, self._lost_edges = self._lost_edges, LostEdges()
        live = await self._store.live()
        callers = await self._rooms.callers()
        edges = await self._edges() if self._edges is not None and callers else None
        now, named = self._clock(), {one.edge for one in callers.values()}
        self._lost_edges = lost.looked(named, edges, now) if edges is not None else LostEdges()
        gone = self._lost_edges.due(now)
        rooms, settled = self._rooms.listed, self._settled()
        found = decide.compare(callers, live, now, rooms=rooms, settled=settled, edges=edges, lost=gone)
        for arrival in found.unknown:
            await each(arrival.call, self._then.arrived(arrival))
        for call in found.gone:
            if await self._store.holder(call.id) is not None:
                continue  # its job sees by itself who is in the room, also when LiveKit has lost the list
            log.warning("a call's end was told by nobody", call=call.id)
            await each(call.id, self._then.gone(call.id))
        for arrival in found.cut:
            await each(arrival.call, self._then.cut(arrival))
        callerless = self._rooms.callerless if self._settled() else ()
        self._forsaken = self._forsaken.seen(callerless, live, self._clock())
        for room in self._forsaken.due(self._clock()):
            log.warning("a room was left to people who had been rung for a call that is over")
            await self._rooms.close(room)

    async def _close_parted(self) -> None:
        now = self._clock()
        for room in [room for room, until in self._parting.items() if until <= now]:
            await self._rooms.close(room)
            del self._parting[room]


async def each(call: CallId, work: Awaitable[None]) -> None:
    """Look after one of several calls: one that can't be now keeps none of the others waiting."""
    try:
        await work
    except Unavailable as bad:
        log.warning("a call couldn't be looked after", call=call, why=str(bad))
