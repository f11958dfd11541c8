"""Looks whether a caller's line is one that somebody talks over."""

from __future__ import annotations

import asyncio

from gateway.dispatch.redial import Line, silent_in
from gateway.dispatch.rooms import Rooms
from gateway.errors import Unavailable
from gateway.terms.call import Call, Phase

WAITS = 1.5
"""Seconds that a caller's ringing may last longer, until it is known that their last call's line is dead."""
_AGAIN = 0.05
"""Seconds beyond which it is asked anew."""


class Lines:
    """The lines of callers in the rooms of one LiveKit."""

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms

    async def of(self, call: Call) -> Line:
        """What is known of the call's; LIVE where nobody tells. Raises nothing."""
        if call.phase is Phase.ENDED:
            return Line.GONE
        try:
            return await self._look(call)
        except Unavailable:
            return Line.LIVE

    async def _look(self, call: Call) -> Line:
        if not await self._rooms.has(call.room, call.sip_identity):
            return Line.GONE
        for _ in range(2):
            wait = silent_in(await self._rooms.quiet(call.room, call.sip_identity))
            if wait <= 0.0:
                return Line.SILENT
            if wait > WAITS:
                break
            await asyncio.sleep(wait + _AGAIN)
        return Line.LIVE
