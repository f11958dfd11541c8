"""Hears a caller who talks at a menu: that they do, without understanding a word, and what, for the agent that this leads
them to. It goes on listening until that agent does, since callers go on talking."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import numpy as np
import structlog

from gateway.calls.acts.cues import Spoke
from gateway.calls.shared.spoken import RATE, Spoken
from gateway.errors import Unavailable
from gateway.rtp.vad import Activity
from gateway.tasks import cancelled
from gateway.terms.call import Call

FRAME_MS = 20
PHRASE = 0.25
"""Seconds of talk that are more than a cough or a click; the line's own noise is learned meanwhile."""
BEFORE = 0.3
"""Seconds before the first sound of a phrase that are kept with it: words begin softly."""
LONGEST = 10.0
"""Seconds that are kept of what a caller says on the way to one agent."""
_AT_ONCE = 5
"""Frames that are kept at a time."""

Hear = Callable[[int, int], AsyncIterator[bytes]]
"""The caller's audio at a rate (samples a second), in frames of so many milliseconds."""

log = structlog.get_logger(__name__)


class Ear:
    """One job's. `close` it; again does no harm. While it hears, nobody else may hear the caller."""

    def __init__(self, spoken: Spoken) -> None:
        self._spoken = spoken
        self._task: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def listening(self, hear: Hear, call: Call, happened: Callable[[Spoke], None]) -> AsyncIterator[None]:
        """Tell Spoke at the end of each phrase, while the context lasts; whoever has spoken is heard until `close`."""
        await self.close()
        phrase = _Phrase()
        self._task = asyncio.create_task(self._listen(hear, call, phrase, happened), name="ear")
        try:
            yield
        finally:
            if not phrase.spoken:
                await self.close()

    async def close(self) -> None:
        """Hear nobody any more."""
        task, self._task = self._task, None
        await cancelled(task)

    async def _listen(self, hear: Hear, call: Call, phrase: _Phrase, happened: Callable[[Spoke], None]) -> None:
        try:
            async for frame in hear(RATE, FRAME_MS):
                if phrase.hear(frame):
                    happened(Spoke())
                if audio := phrase.kept():
                    await self._spoken.add(call.id, call.stop + 1, audio)
        except Unavailable as bad:
            log.warning("what the caller says can't be kept for the agent", why=bad.what)


class _Phrase:
    """Finds the phrases, and keeps the first with all that follows it."""

    def __init__(self) -> None:
        self.spoken = False
        """Whether a whole phrase was spoken."""
        self._activity = Activity()
        self._before: deque[bytes] = deque(maxlen=round(BEFORE * 1000) // FRAME_MS)
        self._frames: list[bytes] = []
        self._room = round(LONGEST * 1000) // FRAME_MS
        self._told = self._at = 0.0

    def hear(self, frame: bytes) -> bool:
        """Whether a phrase ends with this frame."""
        stretches, known = self._activity.stretches, len(self._activity.stretches)
        self._activity.hear(np.frombuffer(frame, "<i2"), self._at)
        self._at += FRAME_MS / 1000
        if len(stretches) > known and not self.spoken:
            self._frames = list(self._before)  # what was heard before was no phrase
        self._before.append(frame)
        if self.spoken or self._activity.talking:
            self._frames.append(frame)
        last = stretches[-1] if stretches else None
        if last is None or last.end is None or last.start < self._told or last.end - last.start < PHRASE:
            return False
        self._told, self.spoken = last.end, True
        return True

    def kept(self) -> bytes:
        """What is to be kept now; b"" for nothing."""
        if not self.spoken or len(self._frames) < min(_AT_ONCE, self._room):
            return b""
        taken, self._frames = self._frames[: self._room], []
        self._room -= len(taken)
        return b"".join(taken)
