"""Ends the records of calls that ended while nobody could tell: such as when Redis was lost, and the call with it."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence

import structlog

from gateway.calls.store.port import CallStore
from gateway.metrics import counter
from gateway.records.unended import Unended
from gateway.terms.call import Phase
from gateway.terms.ending import Party
from gateway.terms.event import Event, Kind

SWEEP = 15.0
"""Seconds between two looks."""
OLD = 60.0
"""Seconds from a call's beginning until its record is looked at."""
FORGOTTEN = 7 * 86400.0
"""Seconds after which a record without an end stays without."""
WHY = "the gateway lost sight of the call"

SWEPT = counter("calls_swept", "Records that got their end because nobody had told it")

log = structlog.get_logger(__name__)


class Sweep:
    """Looks at the records. Each control does it; an end has an id of its own, so that it is written once."""

    def __init__(
        self,
        store: CallStore,
        records: Callable[[float, float], Awaitable[Sequence[Unended]]],
        settled: Callable[[], bool],
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`records`: those without an end of calls that began between two times. `settled`: whether the store can be
        believed (see `gateway.dispatch.trust`). `clock`: seconds since the epoch."""
        self._store, self._records, self._settled, self._clock = store, records, settled, clock

    async def look(self) -> None:
        """End the records of calls that the store doesn't have as live. Raises Unavailable."""
        now = self._clock()
        if not self._settled():
            return
        for found in await self._records(now - FORGOTTEN, now - OLD):
            known = await self._store.get(found.call)
            if not self._settled():
                return
            if known is not None and known.phase is not Phase.ENDED:
                continue
            why = {"by": Party.UNKNOWN.value, "reason": WHY}
            await self._store.tell(Event(found.call, Kind.HANGUP, now, why, uid=f"swept-hangup-{found.call}"))
            ended = {"ending": found.ending.value}
            await self._store.tell(Event(found.call, Kind.ENDED, now, ended, uid=f"swept-{found.call}"))
            SWEPT.inc()
            log.warning("a call's record got its end, which nobody had told", call=found.call)
