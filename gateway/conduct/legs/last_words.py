"""Remembers the last seconds of what somebody says who talks with a caller, to tell whether they have said goodbye once they are gone.

They are in this process's memory alone, or in that of the caller's SIP service, and nobody keeps what was said: they are understood as
they leave, by whoever understands callers at menus, and forgotten.

We hear them ourselves until the caller's SIP service is found to remember as much: where it carries both, to hear them costs it and us
an encoder, a decoder and the ways through LiveKit for nothing.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from functools import partial
from types import TracebackType
from typing import Protocol, Self

import numpy as np
import structlog

from gateway.calls.talk.ear import Ear, Sound
from gateway.calls.talk.goodbyes import said_goodbye
from gateway.conduct.caller.phrases import PHRASE
from gateway.conduct.legs.kept_words import Said
from gateway.conduct.sfu.rpc import Unsupported
from gateway.conduct.talk.port import Pcm, Transcriber
from gateway.errors import PeerFault, Unavailable
from gateway.metrics import EDGE_ERRORS
from gateway.rtp import RATE
from gateway.rtp.vad import Activity
from gateway.tasks import Tasks
from gateway.terms.last_words import REMEMBERED

FRAME_MS = 100
"""Milliseconds heard at a time: each costs as much, whatever it holds."""
LEAST = 2.0
"""Seconds without which nobody can tell: whoever said goodbye may have done so before."""
STALE = 0.6
"""Seconds without a frame after which what was heard before is no end of a talk."""
ARRIVES = 0.2
"""Seconds for which what was said last may be on its way to us, when we are told that they have gone."""
TOLD_WITHIN = 1.0
"""Seconds that the caller's SIP service may take to tell it."""
ASKED_AFTER = (0.5, 2.0, 2.5, 5.0)
"""Seconds from the beginning, and from each look, to the next whether the caller's SIP service remembers them: where another job has
had the call it has all along, and they may be connected a while later than we are told to remember them."""
UNDERSTOOD_WITHIN = 2.0
"""Seconds after which nobody waits for the words: the caller hears nothing meanwhile."""
_QUIET = bytes(RATE)
"""Half a second, with which what goes on ends."""

Hear = Callable[[str, int], AsyncIterator[bytes]]
"""What a leg says from now on, 16 bits at RATE, in frames of so many milliseconds."""

log = structlog.get_logger(__name__)


class Keeps(Protocol):
    """What the caller's SIP service remembers (`gateway.conduct.legs.kept_words`). Each raises PeerFault."""

    async def known(self, leg: str) -> Said:
        """How much it is; without its audio."""
        ...

    async def all(self, leg: str) -> Said:
        """All of it."""
        ...


class _Memory:
    """What one leg has said last, as we have heard it."""

    def __init__(self) -> None:
        self._frames: deque[bytes] = deque(maxlen=round(REMEMBERED * 1000 / FRAME_MS))
        self._heard = float("-inf")
        """When the latest came, on the loop's clock."""

    def add(self, frame: bytes) -> None:
        """They have said FRAME_MS more."""
        self._frames.append(frame)
        self._heard = asyncio.get_running_loop().time()

    async def said(self) -> Said:
        """All of it, ARRIVES later."""
        seconds, silent = len(self._frames) * FRAME_MS / 1000, asyncio.get_running_loop().time() - self._heard
        if ends_a_talk(said := Said(seconds, silent)):
            await asyncio.sleep(ARRIVES)
        return replace(said, audio=b"".join(self._frames))


class LastWords:
    """Those of one leg at a time. Use it as a context, entered once the room is connected."""

    def __init__(
        self, hear: Hear, keeps: Keeps, transcriber: Transcriber, language: str, deaf: Callable[[], None]
    ) -> None:
        """`transcriber`: nobody knows what it doesn't tell soon. `language`: BCP 47 tag. `deaf` is told once we needn't hear the leg
        any more."""
        self._hear, self._keeps, self._deaf = hear, keeps, deaf
        self._transcriber, self._language = transcriber, language
        self._said = _Memory().said
        self._remembering: tuple[asyncio.Task[None], ...] = ()
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
        for task in self._remembering:
            task.cancel()
        memory, self._remembering = _Memory(), ()
        self._said = memory.said
        if leg:
            hearing = self._tasks.start(self._listen(leg, memory), f"last words of {leg}")
            looking = self._tasks.start(self._look(leg, hearing), f"who remembers {leg}")
            self._remembering = hearing, looking

    async def goodbye(self) -> bool | None:
        """Whether they, who have just gone, have said goodbye; None where nobody knows. Takes TOLD_WITHIN and UNDERSTOOD_WITHIN at
        most."""
        try:
            async with asyncio.timeout(TOLD_WITHIN):
                said = await self._said()
        except (PeerFault, TimeoutError) as bad:
            log.info("nobody knows what was said last", why=str(bad) or "It took too long.")
            return None
        if not ends_a_talk(said) or not await asyncio.to_thread(_talks, said.audio):
            return None
        try:
            async with asyncio.timeout(UNDERSTOOD_WITHIN):
                words = await self._transcriber.transcribe(Pcm(RATE, said.audio), self._language)
        except (Unavailable, TimeoutError) as bad:
            log.info("nobody understands whether there was a goodbye", why=str(bad) or "It took too long.")
            return None
        except Exception:  # what understands words is no part of the house: no caller waits for its faults
            EDGE_ERRORS.labels("last words").inc()
            log.exception("whether there was a goodbye couldn't be understood")
            return None
        return said_goodbye(words, self._language)

    async def _listen(self, leg: str, memory: _Memory) -> None:
        async for frame in self._hear(leg, FRAME_MS):
            memory.add(frame)

    async def _look(self, leg: str, hearing: asyncio.Task[None]) -> None:
        """Hear them no longer than until the caller's SIP service remembers as much as tells anything."""
        for wait in ASKED_AFTER:
            await asyncio.sleep(wait)
            try:
                known = await self._keeps.known(leg)
            except Unsupported:
                return
            except PeerFault as bad:
                log.debug("whether anybody else remembers a leg isn't known", leg=leg, why=str(bad))
                continue
            if known.seconds >= LEAST:
                self._said = partial(self._keeps.all, leg)
                hearing.cancel()
                self._deaf()
                return


def ends_a_talk(said: Said) -> bool:
    """Whether it is enough, and what was said last indeed. Pure."""
    return said.seconds >= LEAST and said.silent <= STALE


def _talks(audio: bytes) -> bool:
    """Whether somebody talks in it. A recognizer makes words of a telephone's tones, too."""
    whole = audio + _QUIET
    activity = Activity()
    activity.hear(np.frombuffer(whole, "<i2"), 0.0)
    lasted = sum((stretch.end or 0.0) - stretch.start for stretch in activity.stretches)
    return lasted >= PHRASE and Sound.BEEP not in Ear().feed(whole)
