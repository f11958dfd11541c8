"""Delivers what is in the outbox: each control runs one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import tzinfo

import structlog
from sqlalchemy.exc import SQLAlchemyError

from gateway.config import Settings
from gateway.errors import OffhookError, Refused, Unavailable
from gateway.metrics import EDGE_ERRORS, counter, seconds
from gateway.operate.composing import COMPOSERS, finished, told_too
from gateway.operate.links import Links
from gateway.operate.sending import Sender
from gateway.operate.webhooks import Later
from gateway.records.groups import Row
from gateway.records.outbox import Deliveries, Due
from gateway.tasks import Tasks
from gateway.terms.delivery import Content

LOOK = 1.0
"""Seconds between two looks when nothing wakes it: another control's rows, and tries that are due again."""
WITHIN, URGENT_WITHIN = 90.0, 10.0
"""Seconds one try may take; less than the outbox's leases."""
AT_ONCE, URGENT_AT_ONCE = 4, 16
"""Deliveries one control makes at a time; urgent ones have a lane of their own, which no slow receiver of the others
blocks."""

DELIVERED = counter("deliveries", "Deliveries that arrived", "kind")
FAILED = counter("deliveries_failed", "Tries of deliveries that failed", "kind")
GIVEN_UP = counter("deliveries_given_up", "Deliveries that nobody took while they were wanted", "kind")
LEFT = seconds("delivery_left", "Between an urgent delivery's row and its first try's arrival")

log = structlog.get_logger(__name__)


class Deliverer:
    """Run `run`; `wake` it after a commit that put something in the outbox."""

    def __init__(
        self, outbox: Deliveries, settings: Settings, *, sender: Sender, zone: Callable[[], tzinfo],
        clock: Callable[[], float], awake: asyncio.Event,
    ) -> None:  # fmt: skip
        """`zone`: the plan's, in which times are told. `clock`: seconds since the epoch. `awake`: set it, as `wake` does,
        after a commit that put something in the outbox."""
        self._outbox, self._sender, self._links = outbox, sender, Links(settings)
        self._zone, self._clock = zone, clock
        self._awake = awake
        self._under_way = {True: 0, False: 0}
        self._stopping = False

    def wake(self) -> None:
        """Something may be due: look now."""
        self._awake.set()

    def stop(self) -> None:
        """Begin nothing more; `run` returns once what is under way has ended."""
        self._stopping = True
        self.wake()

    async def run(self) -> None:
        """Deliver what is due, until stopped, or cancelled: tries that are cut off are made again after their lease."""
        async with Tasks("deliverer") as making:
            while not self._stopping:
                try:
                    await self.look(making)
                except Unavailable as bad:
                    log.warning("the deliverer waits", why=str(bad))
                with suppress(TimeoutError):
                    async with asyncio.timeout(LOOK):
                        await self._awake.wait()
            await making.settled(WITHIN)

    async def look(self, making: Tasks) -> None:
        """Begin to make what is due, as far as there is room. Raises Unavailable."""
        self._awake.clear()
        for urgent, most in ((True, URGENT_AT_ONCE), (False, AT_ONCE)):
            room = most - self._under_way[urgent]
            try:
                found = await self._outbox.claim(self._clock(), room, urgent=urgent) if room else ()
            except (SQLAlchemyError, OSError, TimeoutError) as bad:
                raise Unavailable("The outbox can't be read or written.") from bad
            for due in found:
                self._under_way[urgent] += 1
                making.start(self._make(due), f"deliver {due.kind}")

    async def _make(self, due: Due) -> None:
        try:
            await self._try(due)
        except (SQLAlchemyError, OSError, TimeoutError) as bad:
            log.warning("a delivery's try can't be noted: it is made again", delivery=due.id, why=type(bad).__name__)
        finally:
            self._under_way[due.urgent] -= 1
            self._awake.set()

    async def _try(self, due: Due) -> None:
        row = await self._outbox.about(due)
        if row is None:
            await self._failed(due, "What it tells of is gone.", again=False)
            return
        try:
            content = finished(due, due.content, self._links) if due.content else self._composed(due, row)
            async with asyncio.timeout(URGENT_WITHIN if due.urgent else WITHIN):
                await self._sender.send(due, content)
        except Refused as bad:
            await self._failed(due, str(bad), again=False)
        except (OffhookError, TimeoutError) as bad:
            wait = bad.wait if isinstance(bad, Later) else 0.0
            await self._failed(due, str(bad) or "It took too long.", wait=wait)
        except Exception as bad:  # noqa: BLE001  # an edge: whatever a sender does is one try, and tries end
            EDGE_ERRORS.labels("deliverer").inc()
            # Its words may hold the address, with the secrets in it.
            await self._failed(due, type(bad).__name__)
        else:
            now = self._clock()
            if due.urgent and due.tries == 1:
                LEFT.observe(max(0.0, now - due.made))
            DELIVERED.labels(due.kind).inc()
            await self._outbox.delivered(due, now, also=told_too(due, row))

    def _composed(self, due: Due, row: Row) -> Content:
        if (compose := COMPOSERS.get(due.kind)) is None:
            raise Refused(f"Nobody knows what a delivery of kind '{due.kind}' says.")
        return compose(due, row, self._links, self._zone())

    async def _failed(self, due: Due, why: str, *, again: bool = True, wait: float = 0.0) -> None:
        FAILED.labels(due.kind).inc()
        tell = log.debug if due.tries > 1 else log.warning
        tell("a delivery hasn't arrived yet", kind=due.kind, call=due.call, delivery=due.id, why=why)
        if not await self._outbox.failed(due, why, self._clock(), again=again, wait=wait):
            GIVEN_UP.labels(due.kind).inc()
            log.error("a delivery is given up", kind=due.kind, call=due.call, delivery=due.id, why=why)


class Threads:
    """The threads in which senders block. Close it at the end; it waits for none of them."""

    def __init__(self) -> None:
        self._pools = {
            urgent: ThreadPoolExecutor(most, "urgent" if urgent else "deliver")
            for urgent, most in ((True, URGENT_AT_ONCE), (False, AT_ONCE))
        }

    def __call__(self, urgent: bool) -> ThreadPoolExecutor:
        """Those of urgent deliveries, or of the others."""
        return self._pools[urgent]

    def close(self) -> None:
        """Begin nothing more in them."""
        for pool in self._pools.values():
            pool.shutdown(wait=False, cancel_futures=True)
