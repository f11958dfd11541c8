"""What the caller hears: the job's one audio track and the queue before it. Implements `port.Voice` on LiveKit."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Protocol, Self

from livekit import rtc

from gateway.conduct.talk.port import Pcm, Played

FRAME = 0.02
"""Seconds handed over at a time, at the least."""
LONG = 0.4
"""Seconds handed over at a time where as many wait: each hand-over costs as much, whatever it holds, and what was handed
over is as quickly taken back."""
AHEAD_MS = 500
"""Milliseconds that the native queue holds: one that is handed over, and what a busy machine may be late without a
gap."""
TAIL = 0.01
"""Seconds that WebRTC takes at a time; a shorter rest would stay in its buffer."""


class Sink(Protocol):
    """The part of rtc.AudioSource that is used."""

    @property
    def queued_duration(self) -> float:
        """Seconds taken and not played."""
        ...

    async def capture_frame(self, frame: rtc.AudioFrame) -> None:
        """Take a frame; waits while the queue is full."""
        ...

    async def wait_for_playout(self) -> None:
        """Return once nothing is queued."""
        ...

    def clear_queue(self) -> None:
        """Forget what is queued."""
        ...


def source(rate: int) -> rtc.AudioSource:
    """A native source for a Voice. `rate`: samples a second."""
    return rtc.AudioSource(rate, 1, queue_size_ms=AHEAD_MS)


class Track:
    """A Voice (see `port.Voice`) on a source. Use it as a context: it owns the task that feeds the source."""

    def __init__(self, sink: Sink, rate: int) -> None:
        self._sink, self._rate = sink, rate
        self._frame = _bytes(FRAME, rate)
        self._long = _bytes(LONG, rate)
        self._tail = _bytes(TAIL, rate)
        self._waiting: deque[memoryview] = deque()
        self._bytes = 0
        self._fed = bytearray()
        """The end of what the source took: what it hasn't played can be taken back."""
        self._seconds = 0.0
        self._cut = False
        self._more = asyncio.Event()
        self._enabled = asyncio.Event()
        self._enabled.set()
        self._ending: asyncio.Future[Played] | None = None
        self._task: asyncio.Task[None] | None = None
        self._generation = 0

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._feed(), name="voice")
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self.clear()
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})

    @property
    def rate(self) -> int:
        """Samples a second of what `send` takes."""
        return self._rate

    @property
    def queued(self) -> float:
        """Seconds sent that were not played yet."""
        return self._bytes / 2 / self._rate + self._sink.queued_duration

    def send(self, data: bytes) -> None:
        """Queue mono 16-bit samples at `rate`; any length, at any speed."""
        if data:
            self._waiting.append(memoryview(data))
            self._bytes += len(data)
            self._more.set()

    async def finish(self) -> Played:
        """Return once the segment was played or cleared."""
        if self._ending is None:
            if self._cut and not self._bytes:
                return self._close()
            self._ending = asyncio.get_running_loop().create_future()
            self._more.set()
        return await asyncio.shield(self._ending)

    def clear(self) -> None:
        """Fall silent at once and forget what isn't played."""
        self._cut = self._cut or bool(self._seconds or self._bytes)
        self._recall()
        self._waiting.clear()
        self._bytes = 0
        self._end()

    def pause(self) -> None:
        """Fall silent at once, and keep what isn't played."""
        if self._enabled.is_set():
            self._enabled.clear()
            self._recall()

    def resume(self) -> None:
        """Go on after `pause`."""
        self._enabled.set()

    def _recall(self) -> None:
        """Take back what the source hasn't played."""
        unplayed = self._sink.queued_duration
        self._generation += 1
        self._sink.clear_queue()
        back = bytes(self._fed[len(self._fed) - min(_bytes(unplayed, self._rate), len(self._fed)) :])
        self._fed.clear()
        if back:
            self._waiting.appendleft(memoryview(back))
            self._bytes += len(back)
            self._seconds -= len(back) / 2 / self._rate

    def _end(self) -> None:
        ending, self._ending = self._ending, None
        if ending is not None:
            ending.set_result(self._close())

    def _close(self) -> Played:
        played = Played(max(self._seconds, 0.0), self._cut)
        self._seconds, self._cut = 0.0, False
        self._fed.clear()
        return played

    async def _feed(self) -> None:
        while True:
            await self._enabled.wait()
            if frame := self._take():
                await self._sink.capture_frame(frame)
            elif self._ending is not None:
                await self._play_out()
            else:
                self._more.clear()
                await self._more.wait()

    def _take(self) -> rtc.AudioFrame | None:
        """The next frame; a shorter one only at the end of a segment."""
        if not self._bytes or (self._bytes < self._frame and self._ending is None):
            return None
        size = min(self._bytes, self._long)
        if size > self._frame:
            size -= size % self._frame
        data = bytearray()
        while self._waiting and len(data) < size:
            head = self._waiting.popleft()
            room = size - len(data)
            data += head[:room]
            if len(head) > room:
                self._waiting.appendleft(head[room:])
        self._bytes -= len(data)
        self._seconds += len(data) / 2 / self._rate
        self._fed += data
        del self._fed[: max(len(self._fed) - _bytes(AHEAD_MS / 1000 + LONG, self._rate), 0)]
        data += bytes(-len(data) % self._tail)
        return rtc.AudioFrame(bytes(data), self._rate, 1, len(data) // 2)

    async def _play_out(self) -> None:
        generation = self._generation
        await self._sink.wait_for_playout()
        if generation == self._generation and not self._bytes:
            self._end()


def fitted(audio: Pcm, rate: int) -> Pcm:
    """The audio at `rate`."""
    if audio.rate == rate:
        return audio
    resampler = rtc.AudioResampler(audio.rate, rate, num_channels=1, quality=rtc.AudioResamplerQuality.HIGH)
    frames = [*resampler.push(bytearray(audio.data)), *resampler.flush()]
    return Pcm(rate, b"".join(bytes(frame.data) for frame in frames))


def _bytes(seconds: float, rate: int) -> int:
    return round(seconds * rate) * 2
