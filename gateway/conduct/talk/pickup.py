"""The first words of a job that goes on with a conversation that another job has lost, or with a caller whom nobody has taken:
at once, before its agent is ready, so that the caller isn't left in silence for longer than it takes to join."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Sequence
from contextlib import suppress

from gateway.conduct.sound import tones
from gateway.conduct.talk.port import Pcm
from gateway.conduct.talk.stage import CallStage
from gateway.terms.catalogue import Cue, Line
from gateway.terms.turn import Speaker

HEARD_WITHIN = 0.3
"""Seconds to wait for the SIP service to listen to the new track: what is said before is lost."""
READY_WITHIN = 0.1
"""Seconds that the words may take, once they could be heard; else it is a tone."""


class PickUp:
    """Made as the job begins. `lines`: what the agent says word for word; `cue`: which of them it is."""

    def __init__(self, stage: CallStage, lines: Sequence[Line], cue: Cue) -> None:
        self._stage = stage
        self._line = next((line for line in lines if line.cue is cue), None)
        self._audio = asyncio.create_task(self._find(), name="pick up")
        self._listening = asyncio.Event()

    def listening(self) -> None:
        """The SIP service listens to us."""
        self._listening.set()

    async def speak(self) -> bool:
        """Say it; False where it can't be had, and a tone is heard. Returns as it begins: what follows is queued behind
        it."""
        await _at_most(self._listening.wait(), HEARD_WITHIN)
        await _at_most(asyncio.wait({self._audio}), READY_WITHIN)
        voice = self._stage.voice
        audio = self._audio.result() if self._audio.done() and not self._audio.cancelled() else None
        if self._line is None or audio is None:
            voice.send(tones.moment(voice.rate).data)
            return False
        voice.send(audio.data)
        self._stage.said(Speaker.AGENT, self._line.text, at=time.time())
        return True

    async def close(self) -> None:
        """Free it."""
        self._audio.cancel()
        await asyncio.wait({self._audio})

    async def _find(self) -> Pcm | None:
        return await self._stage.prompt(self._line) if self._line is not None else None


async def _at_most(work: Awaitable[object], seconds: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await work
