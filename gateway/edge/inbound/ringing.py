"""Telling a caller that it rings: a 180 now and then, or one that is acknowledged where the caller demands it
(RFC 3262)."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable

from gateway.errors import PeerFault
from gateway.net.sip_driver import Incoming
from gateway.sip import reliable
from gateway.tasks import Tasks

T1 = 0.5
"""Seconds after which a response that wasn't acknowledged is first repeated (RFC 3262 section 3)."""
_LARGEST_FIRST = 2**31 - 1


class Ringing:
    """The 180s of one INVITE."""

    def __init__(self, incoming: Incoming, tasks: Tasks) -> None:
        self._incoming, self._tasks = incoming, tasks
        self._reliable = reliable.demanded(incoming.request)
        self._number = 1 + secrets.randbelow(_LARGEST_FIRST)
        self._acknowledged = asyncio.Event()
        self._begun = False

    def ring(self, unacknowledged: Callable[[], None]) -> None:
        """Tell it, again if it was told before. `unacknowledged` is called when the caller demanded to acknowledge, and
        never did."""
        if not self._reliable:
            self._incoming.respond(180)
        elif not self._begun and self._incoming.request.body.strip():
            # Without an offer in the INVITE, a reliable 180 would have to hold ours, before the media is known.
            self._begun = True
            self._tasks.start(self._repeat(unacknowledged), "ring")

    def acknowledged(self, prack: Incoming) -> None:
        """A PRACK came. Raises PeerFault (481) for one that acknowledges nothing."""
        ours = self._begun and reliable.acknowledges(prack.request, self._incoming.request, self._number)
        if not ours or self._acknowledged.is_set():
            raise PeerFault("A PRACK acknowledges nothing that was sent.", sip_status=481)
        self._acknowledged.set()
        prack.respond(200)

    async def _repeat(self, unacknowledged: Callable[[], None]) -> None:
        headers = [("Require", reliable.OPTION), ("RSeq", str(self._number))]
        for wait in (T1 * 2**power for power in range(6)):  # 63*T1 in all
            if self._incoming.answered:
                return
            self._incoming.respond(180, headers=headers)
            try:
                async with asyncio.timeout(wait):
                    await self._acknowledged.wait()
                    return
            except TimeoutError:
                continue
        if not self._incoming.answered:
            unacknowledged()
