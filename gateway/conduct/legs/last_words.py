"""Remembers the last seconds of what somebody says who talks with a caller, to tell whether they have said goodbye once they are gone.

They are in this process's memory alone, and nobody keeps what was said: they are understood as they leave, by whoever understands
callers at menus, and forgotten.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from types import TracebackType
from typing import Self

import numpy as np
import structlog

from gateway.calls.talk.ear import Ear, Sound
from gateway.calls.talk.goodbyes import said_goodbye
from gateway.conduct.caller.phrases import PHRASE
from gateway.conduct.talk.port import Pcm, Transcriber
from gateway.errors import Unavailable
from gateway.metrics import EDGE_ERRORS
from gateway.rtp import RATE
from gateway.rtp.vad import Activity
from gateway.tasks import Tasks

FRAME_MS = 100
"""Milliseconds heard at a time: each costs as much, whatever it holds."""
KEPT = 6.0
"""Seconds that are remembered: a goodbye, and what the other still says to it."""
LEAST = 2.0
"""Seconds without which nobody can tell: whoever said goodbye may have done so before."""
STALE = 0.6
"""Seconds without a frame after which what was heard before is no end of a talk."""
ARRIVES = 0.2
"""Seconds for which what was said last may be on its way, when we are told that they have gone."""
UNDERSTOOD_WITHIN = 2.0
"""Seconds after which nobody waits for the words: the caller hears nothing meanwhile."""
_QUIET = bytes(RATE)
"""Half a second, with which what goes on ends."""

Hear = Callable[[str, int], AsyncIterator[bytes]]
"""What a leg says from now on, 16 bits at RATE, in frames of so many milliseconds."""

log = structlog.get_logger(__name__)


class _Memory:
    """What one leg has said last."""

    def __init__(self) -> None:
        self.frames: deque[bytes] = deque(maxlen=round(KEPT * 1000 / FRAME_MS))
        self.heard = float("-inf")
        """When the latest came, on the loop's clock."""

    @property
    def seconds(self) -> float:
        return len(self.frames) * FRAME_MS / 1000


class LastWords:
    """Those of one leg at a time. Use it as a context, entered once the room is connected."""

    def __init__(self, hear: Hear, transcriber: Transcriber, language: str) -> None:
        """`transcriber`: nobody knows what it doesn't tell soon. `language`: BCP 47 tag."""
        self._hear, self._transcriber, self._language = hear, transcriber, language
        self._memory = _Memory()
        self._hearing: asyncio.Task[None] | None = None
        self._tasks = Tasks("last words")

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.remember("")
        await self._tasks.__aexit__(kind, error, trace)

    def remember(self, leg: str) -> None:
        """Remember what this leg says from now on, and forget all of before; "" for nobody."""
        if self._hearing is not None:
            self._hearing.cancel()
            self._hearing = None
        self._memory = _Memory()
        if leg:
            self._hearing = self._tasks.start(self._keep(leg, self._memory), f"last words of {leg}")

    async def goodbye(self) -> bool | None:
        """Whether they, who have just gone, have said goodbye; None where nobody knows. Takes ARRIVES and UNDERSTOOD_WITHIN at
        most."""
        memory = self._memory
        silent_for = asyncio.get_running_loop().time() - memory.heard
        if memory.seconds < LEAST or silent_for > STALE:
            return None
        await asyncio.sleep(ARRIVES)
        audio = b"".join(memory.frames)
        if not await asyncio.to_thread(_talks, audio):
            return None
        try:
            async with asyncio.timeout(UNDERSTOOD_WITHIN):
                words = await self._transcriber.transcribe(Pcm(RATE, audio), self._language)
        except (Unavailable, TimeoutError) as bad:
            log.info("nobody understands whether there was a goodbye", why=str(bad) or "It took too long.")
            return None
        except Exception:  # what understands words is no part of the house: no caller waits for its faults
            EDGE_ERRORS.labels("last words").inc()
            log.exception("whether there was a goodbye couldn't be understood")
            return None
        return said_goodbye(words, self._language)

    async def _keep(self, leg: str, memory: _Memory) -> None:
        loop = asyncio.get_running_loop()
        async for frame in self._hear(leg, FRAME_MS):
            memory.frames.append(frame)
            memory.heard = loop.time()


def _talks(audio: bytes) -> bool:
    """Whether somebody talks in it. A recognizer makes words of a telephone's tones, too."""
    whole = audio + _QUIET
    activity = Activity()
    activity.hear(np.frombuffer(whole, "<i2"), 0.0)
    lasted = sum((stretch.end or 0.0) - stretch.start for stretch in activity.stretches)
    return lasted >= PHRASE and Sound.BEEP not in Ear().feed(whole)
