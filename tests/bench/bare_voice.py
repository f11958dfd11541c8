"""The least that a job is to the LiveKit SDK: a process that joins a room, hears nobody unless it says so, and does one of these:

- `documented`: publishes a track as the SDK is documented, and says silence, 20 ms at a time;
- `alike`: publishes as the house does (gateway.conduct.sfu.mouth, .play: bit rate, queue, seconds handed over at a time), and
  says a tone, as its prompt is in the bench;
- `hearing`: the same, and hears the other one that is in the room, as the house does at a menu where a caller may say
  what they want (gateway.conduct.caller.overhear): two of them, each in a process of its own, hear each other;
- `there`: publishes nothing.

python -m tests.bench.bare_voice URL KEY SECRET ROOM HOW      # prints the process's private bytes before it joins, then "up"
"""

from __future__ import annotations

import asyncio
import os
import sys

import psutil
from livekit import api, rtc

from gateway.conduct.caller.overhear import FRAME_MS
from gateway.conduct.sfu import mouth
from gateway.conduct.sound import play
from gateway.rtp import RATE
from tests.bench.house_ears import tone
from tests.e2e.servers import LiveKit

DOCUMENTED, ALIKE, HEARING, THERE = "documented", "alike", "hearing", "there"
_FRAME = RATE // 50


async def serve(livekit: LiveKit, name: str, how: str) -> None:
    """Join, and go on for ever."""
    print(psutil.Process().memory_full_info().uss, flush=True)
    room = rtc.Room()
    token = api.AccessToken(livekit.key, livekit.secret).with_identity(f"bare-{os.getpid()}")
    grants = api.VideoGrants(room_join=True, room=name)
    if how == HEARING:
        room.on("track_subscribed", lambda track, *_: hearing.append(asyncio.create_task(_hear(track))))
    hearing = list[asyncio.Task[None]]()
    options = rtc.RoomOptions(auto_subscribe=how == HEARING)
    await room.connect(livekit.url, token.with_grants(grants).to_jwt(), options)
    if how == THERE:
        print("up", flush=True)
        await asyncio.Event().wait()
    alike = how != DOCUMENTED
    source = play.source(RATE) if alike else rtc.AudioSource(RATE, 1)
    documented = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE)
    publishing = mouth.publishing() if alike else documented
    await room.local_participant.publish_track(rtc.LocalAudioTrack.create_audio_track("x", source), publishing)
    print("up", flush=True)
    said = tone(700.0, play.LONG).tobytes() if alike else bytes(2 * _FRAME)
    while True:
        await source.capture_frame(rtc.AudioFrame(said, RATE, 1, len(said) // 2))


async def _hear(track: rtc.RemoteAudioTrack) -> None:
    stream = rtc.AudioStream.from_track(track=track, sample_rate=RATE, num_channels=1, frame_size_ms=FRAME_MS)
    async for _ in stream:
        pass


if __name__ == "__main__":
    asyncio.run(serve(LiveKit(*sys.argv[1:4]), *sys.argv[4:6]))
