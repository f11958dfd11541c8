"""Agents' stand-ins for the edge's figures, in a process of their own: one joins each call's room and speaks.

They listen to nothing: what the edge sends them costs it the same, and two cores have to do for everybody.

python -m tests.bench.edge_rooms URL KEY SECRET
"""

from __future__ import annotations

import asyncio
import sys
import time

import numpy as np
from livekit import api, rtc

from tests.e2e.servers import LiveKit

_RATE = 8000
_FRAME = _RATE // 50
_SPOKEN = (6000 * np.sin(2 * np.pi * 600 * np.arange(_FRAME) / _RATE)).astype(np.int16).tobytes()


async def serve(livekit: LiveKit) -> None:
    """Join each room that is made from now on, for ever."""
    lk = livekit.api()
    sources: list[rtc.AudioSource] = []
    joined: list[rtc.Room] = []
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(_speak(sources))
        known = await _rooms(lk)
        print("looks", flush=True)
        while True:
            new = await _rooms(lk) - known
            joined += await asyncio.gather(*[_join(livekit, name, sources) for name in new])
            known |= new
            await asyncio.sleep(0.1)


async def _rooms(lk: api.LiveKitAPI) -> set[str]:
    return {room.name for room in (await lk.room.list_rooms(api.ListRoomsRequest())).rooms}


async def _join(livekit: LiveKit, name: str, sources: list[rtc.AudioSource]) -> rtc.Room:
    grants = api.VideoGrants(room_join=True, room=name)
    token = api.AccessToken(livekit.key, livekit.secret).with_identity("agent").with_grants(grants).to_jwt()
    room = rtc.Room()
    await room.connect(livekit.url, token, rtc.RoomOptions(auto_subscribe=False))
    source = rtc.AudioSource(_RATE, 1, queue_size_ms=100)
    await room.local_participant.publish_track(rtc.LocalAudioTrack.create_audio_track("agent", source))
    sources.append(source)
    return room


async def _speak(sources: list[rtc.AudioSource]) -> None:
    """60 ms at a time: fewer calls of the SDK."""
    due = time.monotonic()
    while True:
        due += 0.06
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        frame = rtc.AudioFrame(_SPOKEN * 3, _RATE, 1, 3 * _FRAME)
        await asyncio.gather(*[source.capture_frame(frame) for source in sources])


if __name__ == "__main__":
    asyncio.run(serve(LiveKit(*sys.argv[1:4])))
