"""Hears somebody who has answered: what they say, and whether it may be a machine."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import Self

import structlog
from livekit import rtc

from gateway.calls.acts.cues import LegSaid, LegSound, LegSounds
from gateway.calls.talk.ear import Ear, Sound
from gateway.conduct.caller.phrases import Phrases
from gateway.conduct.legs.leg_audio import leg_audio
from gateway.conduct.talk.port import Pcm, Transcriber
from gateway.errors import Unavailable
from gateway.rtp import RATE
from gateway.tasks import Tasks

FRAME_MS = 20
"""Milliseconds heard at a time."""
MONOLOGUE = 4.0
"""Seconds that nobody talks at a stretch who answers a phone: "Hello, this is Ana of Acme, how can I help?" takes three."""
WRITTEN_WITHIN = 3.0
"""Seconds after which nobody waits for the words of a phrase."""
_SOUNDS = {Sound.BEEP: LegSound.BEEP, Sound.MUSIC: LegSound.MUSIC}

Happened = Callable[[LegSaid | LegSounds], None]

log = structlog.get_logger(__name__)


class LegEar:
    """One leg's. Use it as a context; `happened` is called on the loop's thread."""

    def __init__(self, room: rtc.Room, leg: str, happened: Happened, transcriber: Transcriber, language: str) -> None:
        """`transcriber`: as long as it doesn't answer keys alone count, and what may be a machine is told by its sounds."""
        self._room, self._leg, self._happened = room, leg, happened
        self._transcriber, self._language = transcriber, language
        self._tasks = Tasks("a leg's ear")

    async def __aenter__(self) -> Self:
        self._tasks.start(self._hear(), f"ear of {self._leg}")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._tasks.__aexit__(kind, error, trace)

    async def _hear(self) -> None:
        phrases, ear, monologue = Phrases(), Ear(), Monologue()
        async for frame in leg_audio(self._room, self._leg, FRAME_MS):
            for sound in ear.feed(frame):
                if sound in _SOUNDS:
                    self._happened(LegSounds(self._leg, _SOUNDS[sound]))
            ended = phrases.hear(frame)
            if monologue.told(talking=phrases.talking, seconds=FRAME_MS / 1000):
                self._happened(LegSounds(self._leg, LegSound.MONOLOGUE))
            if ended:
                self._tasks.start(self._write(phrases.audio), "write a leg's words down")

    async def _write(self, phrase: bytes) -> None:
        audio = Pcm(RATE, phrase)
        try:
            async with asyncio.timeout(WRITTEN_WITHIN):
                text = await self._transcriber.transcribe(audio, self._language)
        except (Unavailable, TimeoutError) as bad:
            log.warning("what a leg says isn't understood now", leg=self._leg, why=str(bad) or "It took too long.")
            return
        log.debug("a leg has said something", leg=self._leg, seconds=audio.seconds, words=len(text.split()))
        if text:
            self._happened(LegSaid(self._leg, text))


class Monologue:
    """Notices whoever talks on and on. Pure."""

    def __init__(self) -> None:
        self._lasts = 0.0

    def told(self, *, talking: bool, seconds: float) -> bool:
        """Whether somebody has talked so long just now; once for each. `seconds`: how long it was listened to."""
        before = self._lasts
        self._lasts = before + seconds if talking else 0.0
        return before < MONOLOGUE <= self._lasts
