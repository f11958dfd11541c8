"""Hears a caller who talks at a menu: that they do, without understanding a word, and what, for the agent that this leads
them to. It goes on listening until that agent does, since callers go on talking."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import structlog

from gateway.calls.acts.cues import Spoke
from gateway.calls.shared.spoken import RATE, Spoken
from gateway.conduct.caller.phrases import LONGEST, Phrases, is_echo
from gateway.errors import Unavailable
from gateway.rtp import Samples
from gateway.tasks import cancelled
from gateway.terms.call import Call

FRAME_MS = 20
_AT_ONCE = 0.1
"""Seconds that are kept at a time."""

Hear = Callable[[int, int], AsyncIterator[bytes]]
"""The caller's audio at a rate (samples a second), in frames of so many milliseconds."""
Said = Callable[[], Samples]
"""What was said to the caller of late, at gateway.rtp.RATE: their line may send it back."""

log = structlog.get_logger(__name__)


class Ear:
    """One job's. `close` it; again does no harm. While it hears, nobody else may hear the caller."""

    def __init__(self, spoken: Spoken, said: Said) -> None:
        self._spoken, self._said = spoken, said
        self._task: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def listening(self, hear: Hear, call: Call, happened: Callable[[Spoke], None]) -> AsyncIterator[None]:
        """Tell Spoke at the end of each phrase, while the context lasts; whoever has spoken is heard until `close`."""
        await self.close()
        words = _Words()
        self._task = asyncio.create_task(self._listen(hear, call, words, happened), name="ear")
        try:
            yield
        finally:
            if not words.spoken:
                await self.close()

    async def close(self) -> None:
        """Hear nobody any more."""
        task, self._task = self._task, None
        await cancelled(task)

    async def _listen(self, hear: Hear, call: Call, words: _Words, happened: Callable[[Spoke], None]) -> None:
        phrases = Phrases()
        try:
            async for frame in hear(RATE, FRAME_MS):
                ended = phrases.hear(frame)
                if words.spoken:
                    words.add(frame)
                elif ended and not await asyncio.to_thread(is_echo, phrases.audio, self._said()):
                    words.begin(phrases.audio)
                if ended and words.spoken:
                    happened(Spoke())
                if audio := words.kept():
                    await self._spoken.add(call.id, call.stop + 1, audio)
        except Unavailable as bad:
            log.warning("what the caller says can't be kept for the agent", why=bad.what)


class _Words:
    """What is kept: the first phrase with all that follows it, LONGEST seconds on the way to one agent."""

    def __init__(self) -> None:
        self.spoken = False
        """Whether a whole phrase was spoken."""
        self._waiting = bytearray()
        self._room = _bytes(LONGEST)

    def begin(self, phrase: bytes) -> None:
        """The first phrase is over."""
        self.spoken = True
        self._waiting += phrase

    def add(self, frame: bytes) -> None:
        """What follows it."""
        self._waiting += frame

    def kept(self) -> bytes:
        """What is to be kept now; b"" for nothing."""
        if len(self._waiting) < min(_bytes(_AT_ONCE), self._room):
            return b""
        taken = bytes(self._waiting[: self._room])
        self._room -= len(taken)
        self._waiting.clear()
        return taken


def _bytes(seconds: float) -> int:
    return round(seconds * RATE) * 2
