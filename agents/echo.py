"""An operator's line check: a chime, then the caller's own voice back, and each key as its tone; # hangs up."""

from __future__ import annotations

import asyncio

from agents.definition import Definition
from agents.settings import NoSettings
from gateway.conduct.sound import play, tones
from gateway.conduct.talk.port import Pcm, Stage
from gateway.errors import OurFault, PeerFault
from gateway.rtp import RATE
from gateway.rtp.dtmf import tones as key_tones
from gateway.terms.call import Pool
from gateway.terms.kept import Heard

AGENT = Definition(
    name="echo",
    summary="Checks the line: a chime, then an echo of voice and keys; # hangs up.",
    pool=Pool.HOUSE,
    runner="agents.echo:EchoRunner",
    settings=NoSettings,
)

CHIME = (440.0, 554.0, 659.0)
"""Hz; the goodbye is the same downwards."""
NOTE = 0.2
"""Seconds that a note lasts."""
BEHIND = 0.06
"""Seconds that our queue may hold and still take the caller's voice: nothing piles up behind a tone."""
FRAME_MS = 20


class EchoRunner:
    """An agent without an engine: tones, and the caller's own audio."""

    def __init__(self, *_: object) -> None:
        self._stage: Stage | None = None
        self._over = asyncio.Event()

    async def prepare(self, stage: Stage) -> None:
        """Nothing needs loading."""
        self._stage = stage

    async def converse(self) -> str:
        """Chime, then echo until # is pressed or the caller is gone."""
        stage = self._stage
        if stage is None:
            raise OurFault("The echo was asked to converse before it was prepared.")
        voice = stage.voice
        voice.send(tones.melody(CHIME, NOTE, voice.rate).data)
        echo = asyncio.create_task(self._echo(stage), name="echo")
        over = asyncio.create_task(self._over.wait(), name="over")
        try:
            await asyncio.wait({echo, over}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (echo, over):
                task.cancel()
            await asyncio.wait({echo, over})
        voice.clear()
        voice.send(tones.melody(CHIME[::-1], NOTE, voice.rate).data)
        return "the caller pressed #"

    def digit(self, key: str, number: int = 0) -> None:
        """Answer a key by its tone, in place of all that is queued."""
        if self._stage is None:
            return
        if number:
            self._stage.hearing(Heard(last_key=number))
        if key == "#":
            self._over.set()
            return
        try:
            tone = Pcm(RATE, key_tones(key).astype("<i2").tobytes())
        except PeerFault:
            return
        self._stage.voice.clear()
        self._stage.voice.send(play.fitted(tone, self._stage.voice.rate).data)

    async def close(self) -> None:
        """Nothing is held."""

    async def _echo(self, stage: Stage) -> None:
        voice = stage.voice
        async for frame in stage.hear(voice.rate, FRAME_MS):
            if voice.queued < BEHIND:
                voice.send(frame)
