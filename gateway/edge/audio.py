"""Audio of a call's room: the caller's frames into our track, everybody else's tracks into one stream of frames."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import numpy as np
import structlog
from livekit import rtc

from gateway.edge.mixer import Mixer
from gateway.metrics import EDGE_ERRORS
from gateway.rtp import FRAME, RATE, Samples
from gateway.tasks import Tasks

BACKLOG = 3
"""Frames (60 ms) that may wait for the SDK; older ones are stale."""
_STEP = FRAME // 2
"""Samples of 10 ms: what an AudioSource without a queue takes."""

log = structlog.get_logger(__name__)


class Mouth:
    """Our track in the room: speaks what the caller says.

    The source has no queue of its own: it would keep whatever delay a busy moment once caused (measured: 45 ms to the
    other side's ear without it, 60 to 90 with 40 ms of queue on a loaded machine), and the caller's frames are paced
    already.
    """

    def __init__(self, name: str) -> None:
        self._source = rtc.AudioSource(RATE, 1, queue_size_ms=0)
        self.track = rtc.LocalAudioTrack.create_audio_track(name, self._source)
        self._waiting: asyncio.Queue[Samples] = asyncio.Queue(BACKLOG)

    def say(self, frame: Samples) -> None:
        """Queue a frame of FRAME samples; when too many wait the oldest is forgotten."""
        if self._waiting.full():
            self._waiting.get_nowait()
        self._waiting.put_nowait(frame)

    async def run(self) -> None:
        """Speak until cancelled."""
        while True:
            frame = await self._waiting.get()
            for start in range(0, FRAME, _STEP):
                data = frame[start : start + _STEP].tobytes()
                await self._source.capture_frame(rtc.AudioFrame(data, RATE, 1, _STEP))

    async def close(self) -> None:
        """Free the SDK's side of it; `run` must have ended."""
        await self._source.aclose()


class Ears:
    """The room's audio tracks, mixed. `heard` gets each frame of FRAME samples, on the event loop."""

    def __init__(self, tasks: Tasks, heard: Callable[[Samples], None]) -> None:
        self._tasks = tasks
        self._heard = heard
        self._mixer = Mixer()
        self._listening: dict[str, asyncio.Task[None]] = {}

    def open(self, track: rtc.Track) -> None:
        """Listen to a track that was subscribed. The same track again replaces it."""
        self.close(track.sid)
        self._listening[track.sid] = self._tasks.start(self._listen(track), "room track")

    def close(self, sid: str) -> None:
        """Listen to a track no longer."""
        if (task := self._listening.pop(sid, None)) is not None:
            task.cancel()

    async def _listen(self, track: rtc.Track) -> None:
        loop = asyncio.get_running_loop()
        stream = rtc.AudioStream.from_track(track=track, sample_rate=RATE, num_channels=1, frame_size_ms=20)
        mark = object()
        try:
            async for event in stream:
                frame = np.frombuffer(event.frame.data, np.int16)
                if len(frame) != FRAME:
                    EDGE_ERRORS.labels("room audio").inc()
                    log.error("room frame of a strange size", samples=len(frame))
                    return
                for mixed in self._mixer.add(mark, frame, loop.time()):
                    self._heard(mixed)
        finally:
            self._mixer.remove(mark)
            await stream.aclose()
