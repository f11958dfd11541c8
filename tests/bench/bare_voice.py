"""The least that a job is to the LiveKit SDK: a process that joins a room and publishes a track as it is documented.

What it says is silence, 20 ms at a time. It hears nobody.

python -m tests.bench.bare_voice URL KEY SECRET ROOM      # prints the process's private bytes before it joins, then "up"
"""

from __future__ import annotations

import asyncio
import sys

import psutil
from livekit import api, rtc

from tests.e2e.servers import LiveKit

_RATE = 8000
_FRAME = _RATE // 50


async def serve(livekit: LiveKit, name: str) -> None:
    """Join, and say nothing for ever."""
    print(psutil.Process().memory_full_info().uss, flush=True)
    room = rtc.Room()
    token = api.AccessToken(livekit.key, livekit.secret).with_identity("bare")
    grants = api.VideoGrants(room_join=True, room=name)
    await room.connect(livekit.url, token.with_grants(grants).to_jwt(), rtc.RoomOptions(auto_subscribe=False))
    source = rtc.AudioSource(_RATE, 1)
    options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE)
    await room.local_participant.publish_track(rtc.LocalAudioTrack.create_audio_track("x", source), options)
    print("up", flush=True)
    while True:
        await source.capture_frame(rtc.AudioFrame(bytes(2 * _FRAME), _RATE, 1, _FRAME))


if __name__ == "__main__":
    asyncio.run(serve(LiveKit(*sys.argv[1:4]), sys.argv[4]))
