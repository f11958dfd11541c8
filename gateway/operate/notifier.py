"""Delivers the outbox of messages: each control runs one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import tzinfo
from functools import partial

import structlog
from sqlalchemy.exc import SQLAlchemyError

from gateway.config import Settings
from gateway.errors import OffhookError, Unavailable
from gateway.metrics import EDGE_ERRORS, counter
from gateway.operate import apprising
from gateway.operate.links import Links
from gateway.operate.telling import told
from gateway.records.notices import Notice, Outbox

WITHIN = 90.0
"""Seconds one try may take; less than the outbox's lease."""

DELIVERED = counter("notices_delivered", "Notices of messages that arrived")
FAILED = counter("notices_failed", "Tries of notices that failed")
GIVEN_UP = counter("notices_given_up", "Notices of messages that nobody took for a day")

log = structlog.get_logger(__name__)


class Notifier:
    """Call `look` every second."""

    def __init__(
        self,
        outbox: Outbox,
        settings: Settings,
        *,
        zone: Callable[[], tzinfo],
        clock: Callable[[], float],
    ) -> None:
        """`zone`: the plan's, in which times are told. `clock`: seconds since the epoch."""
        self._outbox, self._links = outbox, Links(settings)
        self._smtp = settings.smtp_url.get_secret_value()
        self._zone, self._clock = zone, clock

    async def look(self) -> None:
        """Deliver what is due. Raises Unavailable when the database doesn't answer."""
        try:
            notices = await self._outbox.claim(self._clock())
            # One that fails unexpectedly must not leave the others half done.
            done = await asyncio.gather(*map(self._deliver, notices), return_exceptions=True)
            for failure in done:
                if failure is not None:
                    raise failure
        except (SQLAlchemyError, OSError, TimeoutError) as bad:
            raise Unavailable("The outbox of messages can't be read or written.") from bad

    async def _deliver(self, notice: Notice) -> None:
        try:
            link = self._links.to(str(notice.message["id"]), self._clock())
            words = told(notice, link, self._zone())
            async with asyncio.timeout(WITHIN):
                await asyncio.to_thread(partial(apprising.send, notice.address, words, smtp=self._smtp))
        except (OffhookError, TimeoutError) as bad:
            await self._failed(notice, str(bad) or "It took too long.")
        except Exception as bad:  # noqa: BLE001  # an edge: whatever apprise does is one try, and tries end
            EDGE_ERRORS.labels("notifier").inc()
            # Its words may hold the address, with the secrets in it.
            await self._failed(notice, type(bad).__name__)
        else:
            DELIVERED.inc()
            await self._outbox.delivered(notice, self._clock())

    async def _failed(self, notice: Notice, why: str) -> None:
        FAILED.inc()
        tell = log.debug if notice.tries > 1 else log.warning
        tell("somebody couldn't be told of a message yet", call=notice.message["call"], notice=notice.id, why=why)
        if not await self._outbox.failed(notice, why, self._clock()):
            GIVEN_UP.inc()
            log.error("somebody was never told of a message", call=notice.message["call"], notice=notice.id, why=why)
