"""Agents' stand-ins for the edge's figures, in a process of their own: one joins each call's room and speaks.

python -m tests.bench.edge_rooms URL KEY SECRET
"""

from __future__ import annotations

import asyncio
import sys
from contextlib import AsyncExitStack

from livekit import api

from tests.e2e.room_peer import room_peer
from tests.e2e.servers import LiveKit


async def serve(livekit: LiveKit) -> None:
    """Join each room that is made from now on, for ever."""
    lk = livekit.api()
    async with AsyncExitStack() as stack:
        stack.push_async_callback(lk.aclose)
        known = await _rooms(lk)
        print("looks", flush=True)
        while True:
            new = await _rooms(lk) - known
            await asyncio.gather(*[stack.enter_async_context(room_peer(livekit, name)) for name in new])
            known |= new
            await asyncio.sleep(0.1)


async def _rooms(lk: api.LiveKitAPI) -> set[str]:
    return {room.name for room in (await lk.room.list_rooms(api.ListRoomsRequest())).rooms}


if __name__ == "__main__":
    asyncio.run(serve(LiveKit(*sys.argv[1:4])))
