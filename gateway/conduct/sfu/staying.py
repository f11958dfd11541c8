"""Notices that LiveKit doesn't reach this job any more: nobody hears it then, though nobody else may take its call.

Five seconds without a packet say so by themselves. A caller who is to hear us has no time for that. Where nothing comes though something
ought to, above all of the caller's track, we ask LiveKit's API to have the server of our room send us something. If it says that it has,
twice, and nothing gets to us, it isn't the server that stands still: our own way is cut, and another job has another. What the caller
hears meanwhile is the SIP service's (`gateway.edge.heed`): it can't tell whose way is cut, nor whether LiveKit stands still.
Where other jobs of our worker have found the same just now, it is the machine's network, or all of LiveKit's, and another job would
fare no better: then the five seconds count. A look that came late proves nothing: we stood still ourselves.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import aiohttp
import structlog
from livekit import api, rtc
from livekit.api.room_service import RoomService
from livekit.protocol.models import DataPacket

from gateway.conduct.sfu import reach
from gateway.conduct.sfu.reach import Reach

ASKS = 2
"""Times that LiveKit's API must have sent us something of which nothing came: one may be lost."""
COMES = 0.25
"""Seconds within which that comes (measured: 10 ms)."""
ASKED_WITHIN = 0.5
"""Seconds that LiveKit's API may take."""
LATE = 0.2
"""Seconds that a look may come late and prove something."""
TOPIC = "offhook.reach"
"""Of what is sent to us so."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Doubt:
    """By what a job to which nothing comes finds out whether its own way to LiveKit is cut."""

    heard: Callable[[], bool]
    """Whether somebody is to hear us."""
    ask: Callable[[], Awaitable[bool]]
    """Have LiveKit's API send us a packet of TOPIC; whether it says that it has."""
    first: Callable[[], Awaitable[bool]]
    """Whether no other job of our worker's has found lately that it is cut off."""


def received(told: rtc.RtcStats) -> int:
    """What has come by a room's connections: packets, answers to the checks of them, and the other side's checks."""
    found = [*told.publisher_stats, *told.subscriber_stats]
    pairs = [each.candidate_pair.candidate_pair for each in found if each.HasField("candidate_pair")]
    return sum(pair.packets_received + pair.responses_received + pair.requests_received for pair in pairs)


async def send_us(livekit: RoomService, room: rtc.Room) -> bool:
    """Have the server of a room that we are in send us a packet; whether it says that it has. For `Doubt.ask`."""
    us, kind = room.local_participant.identity, DataPacket.Kind.RELIABLE
    told = api.SendDataRequest(room=room.name, data=b"1", kind=kind, destination_identities=[us], topic=TOPIC)
    try:
        await livekit.send_data(told)
    except (api.TwirpError, aiohttp.ClientError, OSError):
        return False
    return True


class Staying:
    """One job's stay in its room."""

    def __init__(self, room: rtc.Room, doubt: Doubt | None = None) -> None:
        """Without `doubt` five seconds are waited for."""
        self._room, self._doubt = room, doubt
        self._seen = Reach()

    async def astray(self) -> None:
        """Return once LiveKit doesn't reach us any more."""
        others = -1  # what had come when others had found the same: they are waited for until more comes
        while not self._seen.lost:
            doubt = self._doubt if self._doubt is not None and self._doubt.heard() else None
            proves = await self._look(reach.LOOK if doubt is None else reach.SOON)
            if doubt is None or not proves or not self._seen.ceased or self._seen.received == others:
                continue
            if await self._cut_off(doubt):
                log.warning("nothing comes of what LiveKit sends us")
                if await doubt.first():
                    return
                others = self._seen.received

    async def _cut_off(self, doubt: Doubt) -> bool:
        """Whether our own way is cut, by what ought to come now."""
        for _ in range(ASKS):
            if not await self._asked(doubt) or not await self._look(COMES) or not self._seen.missed:
                return False
        return True

    async def _asked(self, doubt: Doubt) -> bool:
        """Whether LiveKit's API says that it has sent us something. One that doesn't answer takes the place of a look."""
        try:
            async with asyncio.timeout(ASKED_WITHIN):
                return await doubt.ask()
        except TimeoutError:
            self._seen = self._seen.looked(None, ASKED_WITHIN)
            return False

    async def _look(self, after: float) -> bool:
        """Look in so many seconds; whether that proves anything: it came in time, and the SDK is connected. While it connects anew it
        has its own ways."""
        clock = asyncio.get_running_loop().time
        due = clock() + after
        await asyncio.sleep(after)
        received = await self._received(after)
        self._seen = self._seen.looked(received, after)
        connected = self._room.connection_state == rtc.ConnectionState.CONN_CONNECTED
        return received is not None and connected and clock() - due < LATE

    async def _received(self, within: float) -> int | None:
        """What has come from LiveKit so far; None where the SDK doesn't tell in time, as while it connects anew."""
        try:
            async with asyncio.timeout(within):
                told = await self._room.get_rtc_stats()
        except (RuntimeError, TimeoutError):
            return None
        return received(told)
