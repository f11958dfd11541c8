"""Lets a caller hear that somebody is there while their job stands still, or may have died: our SIP service fills what is silent of
it, until the job goes on or another has come. A livekit-sip doesn't heed it."""

from __future__ import annotations

import asyncio

import aiohttp
from livekit import api
from livekit.protocol.models import DataPacket

from gateway.calls.store.port import CallStore
from gateway.errors import Unavailable
from gateway.terms.call import CallId, Phase
from gateway.terms.gap import GOES_ON, STANDS, STILL

WITHIN = 1.0
"""Seconds that telling it may take: later it is no use."""


class Still:
    """Tells the SIP service by LiveKit's API."""

    def __init__(self, livekit: api.LiveKitAPI, store: CallStore) -> None:
        self._livekit, self._store = livekit, store

    async def tell(self, call_id: CallId, epoch: int, still: bool) -> None:
        """The call's job of that epoch stands still, or goes on. Two who talk by themselves aren't told. Raises Unavailable."""
        try:
            async with asyncio.timeout(WITHIN):
                call = await self._store.get(call_id)
                if call is None or call.phase is not Phase.TAKEN or call.epoch != epoch or call.bridged:
                    return
                told = api.SendDataRequest(
                    room=call.room,
                    data=STANDS if still else GOES_ON,
                    kind=DataPacket.Kind.RELIABLE,
                    destination_identities=[call.sip_identity],
                    topic=STILL,
                )
                await self._livekit.room.send_data(told)
        except (api.TwirpError, aiohttp.ClientError, OSError, TimeoutError) as bad:
            raise Unavailable("LiveKit doesn't answer.") from bad
