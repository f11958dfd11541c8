"""The least that bridging calls to rooms costs by the LiveKit SDK as it is documented: a room a call, an AudioSource and an
AudioStream at 8 kHz; no SIP, no RTP, no codec. What it says is silence, as the edge's callers do.

python -m tests.bench.bare_bridge URL KEY SECRET CALLS SECONDS SETTLE      # prints the CPU seconds each second of it took
"""

from __future__ import annotations

import asyncio
import sys
import time

import numpy as np
from livekit import api, rtc

from gateway.net.pacer import SWITCH
from tests.e2e.servers import LiveKit

_RATE = 8000
_PART = _RATE // 100
_SILENCE = np.tile(np.array([8, -8], np.int16), _PART // 2).tobytes()
"""What rtp_ends sends, decoded."""


class Bridge:
    """One call's."""

    def __init__(self) -> None:
        self.heard = self.said = 0
        """Frames of 20 ms."""
        self._due: asyncio.Queue[None] = asyncio.Queue()

    async def join(self, livekit: LiveKit, name: str, tasks: asyncio.TaskGroup) -> None:
        """Join, and pass audio on for ever."""
        room = rtc.Room()
        room.on("track_subscribed", lambda track, *_: tasks.create_task(self._hear(track)))
        token = api.AccessToken(livekit.key, livekit.secret).with_identity("bridge").with_kind("sip")
        grants = api.VideoGrants(room_join=True, room=name)
        await room.connect(livekit.url, token.with_grants(grants).to_jwt())
        source = rtc.AudioSource(_RATE, 1, queue_size_ms=0)
        options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE, red=False, dtx=False)
        await room.local_participant.publish_track(rtc.LocalAudioTrack.create_audio_track("x", source), options)
        tasks.create_task(self._say(source))

    def tick(self) -> None:
        """20 ms are over."""
        self._due.put_nowait(None)

    async def _say(self, source: rtc.AudioSource) -> None:
        while True:
            await self._due.get()
            for _ in range(2):
                await source.capture_frame(rtc.AudioFrame(_SILENCE, _RATE, 1, _PART))
            self.said += 1

    async def _hear(self, track: rtc.Track) -> None:
        stream = rtc.AudioStream.from_track(track=track, sample_rate=_RATE, num_channels=1, frame_size_ms=20)
        async for event in stream:
            np.frombuffer(event.frame.data, np.int16)
            self.heard += 1


async def serve(livekit: LiveKit, calls: int, seconds: float, settle: float) -> None:
    """Bridge that many calls for `seconds`, of which those after `settle` count."""
    bridges = [Bridge() for _ in range(calls)]
    async with asyncio.TaskGroup() as tasks:
        for number, bridge in enumerate(bridges):
            await bridge.join(livekit, f"bare-{number}", tasks)
        print("up", flush=True)
        due = began = time.monotonic()
        counted: tuple[float, float, int, int] | None = None
        while (now := time.monotonic()) - began < seconds:
            if counted is None and now - began >= settle:
                counted = (now, time.process_time(), *_moved(bridges))
            due += 0.02
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            for bridge in bridges:
                bridge.tick()
        assert counted is not None
        lasted = time.monotonic() - counted[0]
        said, heard = (now - before for now, before in zip(_moved(bridges), counted[2:], strict=True))
        expected = lasted * 50 * calls
        print((time.process_time() - counted[1]) / lasted, said / expected, heard / expected, flush=True)
        await asyncio.Event().wait()


def _moved(bridges: list[Bridge]) -> tuple[int, int]:
    return sum(bridge.said for bridge in bridges), sum(bridge.heard for bridge in bridges)


if __name__ == "__main__":
    sys.setswitchinterval(SWITCH)  # as the edge's
    asyncio.run(serve(LiveKit(*sys.argv[1:4]), int(sys.argv[4]), float(sys.argv[5]), float(sys.argv[6])))
