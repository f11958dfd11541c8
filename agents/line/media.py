"""The call's audio as livekit-agents wants it: the stage's ear and voice in a session's input and output."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, ExitStack

from livekit import rtc
from livekit.agents.voice import io

from gateway.conduct.talk.port import Pcm, Stage, Voice

FRAME_MS = 20
LONG = 0.1
"""Seconds of a frame of what is rendered already."""


class StageInput(io.AudioInput):
    """The caller's audio."""

    def __init__(self, stage: Stage, rate: int, hear: Callable[[bytes], None] | None = None) -> None:
        """`hear`: told everything that comes, as 16-bit samples at `rate`."""
        super().__init__(label="the caller")
        self._rate = rate
        self._hear = hear
        self._frames: AsyncIterator[bytes] = stage.hear(rate, FRAME_MS)

    async def __anext__(self) -> rtc.AudioFrame:
        """The next 20 ms."""
        data = await self._frames.__anext__()
        if self._hear is not None:
            self._hear(data)
        return rtc.AudioFrame(data, self._rate, 1, len(data) // 2)


class StageOutput(io.AudioOutput):
    """What the caller hears."""

    def __init__(self, voice: Voice) -> None:
        capabilities = io.AudioOutputCapabilities(pause=True)
        super().__init__(label="the voice", capabilities=capabilities, next_in_chain=None, sample_rate=voice.rate)
        self._voice = voice
        self._open = self._paused = False
        self._ending: asyncio.Task[None] | None = None
        self._filling: asyncio.Task[None] | None = None
        self._until = 0.0
        self._before = 0.0
        """Seconds of the open segment that were heard before it was filled."""
        self._cut = False
        """The open segment was cut off."""

    @property
    def rate(self) -> int:
        """Samples a second of what is said."""
        return self._voice.rate

    @property
    def broken_off(self) -> float | None:
        """When what there is of a segment ends that isn't whole yet (the running loop's clock); None while none is
        begun. One that is held back ends now at the earliest."""
        if not self._open:
            return None
        return max(self._until, asyncio.get_running_loop().time()) if self._paused else self._until

    async def capture_frame(self, frame: rtc.AudioFrame) -> None:
        """Queue a frame; the next segment waits for the end of the last, and what is left of one for what fills it."""
        while playing := self._playing:
            await asyncio.wait(playing)
        if not self._open and self._voice.queued > 0:
            await self._voice.finish()  # what was said before this agent came
        await super().capture_frame(frame)
        if not self._open:
            self._open, self._before, self._cut = True, 0.0, False
            self.on_playback_started(created_at=time.time())
        self._voice.send(bytes(frame.data))
        self._until = asyncio.get_running_loop().time() + self._voice.queued

    def fill(self, data: bytes, during: AbstractContextManager[None]) -> bool:
        """Say something while nothing is heard, before a segment or where one has broken off; whether it is. What comes
        meanwhile is said after it. `during` is entered for as long as it lasts."""
        if self._playing or self._paused or (self._open and self._voice.queued > 0):
            return False
        filling = ExitStack()
        filling.enter_context(during)
        self._voice.send(data)
        self._filling = asyncio.create_task(self._filled(filling, len(data) / 2 / self._voice.rate), name="filling")
        return True

    def hush(self) -> None:
        """End what `fill` says."""
        if self._filling is not None and not self._filling.done():
            self._voice.clear()

    def flush(self) -> None:
        """The segment is whole: tell when it was played."""
        super().flush()
        if self._open:
            self._open = False
            self._ending = asyncio.create_task(self._end(), name="playing")

    def clear_buffer(self) -> None:
        """Fall silent."""
        self._voice.clear()
        if self._open:
            self._cut = True
            self.flush()

    def pause(self) -> None:
        """Fall silent, for now."""
        super().pause()
        self._paused = True
        self._voice.pause()

    def resume(self) -> None:
        """Go on."""
        super().resume()
        self._paused = False
        self._voice.resume()
        self._until = asyncio.get_running_loop().time() + self._voice.queued

    async def aclose(self) -> None:
        """Stop waiting for the end of what plays."""
        for task in (playing := self._playing):
            task.cancel()
        if playing:
            await asyncio.wait(playing)

    @property
    def _playing(self) -> list[asyncio.Task[None]]:
        return [task for task in (self._ending, self._filling) if task is not None and not task.done()]

    async def _filled(self, filling: ExitStack, seconds: float) -> None:
        with filling:
            played = await self._voice.finish()
        self._before += max(played.seconds - seconds, 0.0)

    async def _end(self) -> None:
        if self._filling is not None:
            await asyncio.wait({self._filling})
        played = await self._voice.finish()
        self.on_playback_finished(
            playback_position=self._before + played.seconds, interrupted=self._cut or played.interrupted
        )


async def frames(audio: Pcm) -> AsyncIterator[rtc.AudioFrame]:
    """Rendered audio as a session takes it."""
    size = int(audio.rate * LONG) * 2
    for first in range(0, len(audio.data), size):
        data = audio.data[first : first + size]
        yield rtc.AudioFrame(data, audio.rate, 1, len(data) // 2)
