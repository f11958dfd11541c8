"""Where the words of a call come from: rendered ahead, asked for at this moment, or spoken by the house itself.

A caller never waits long for them, and always hears something: when the agents' voice can't be had in ASK_WITHIN, the
house's own voice says it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

import numpy as np
import structlog
from livekit import rtc

from gateway.conduct.sound.play import fitted
from gateway.conduct.sound.prompts import PromptBook
from gateway.conduct.talk.port import Pcm, Renderer
from gateway.errors import Unavailable
from gateway.metrics import counter
from gateway.rtp import RATE
from gateway.rtp.level import levelled
from gateway.terms.catalogue import Line
from gateway.terms.spoken import is_sound, pronounced

ASK_WITHIN = 1.5
"""Seconds in which the agents' voice must have rendered what wasn't ready."""
BEFORE_HOUSE = 0.5
"""Of those, the seconds after which the house's voice gets ready too."""
READ_WITHIN = 1.0
"""Seconds in which what is ready must have come from Redis: one that hangs mustn't let the caller wait."""
PIECE = 1.0
"""Seconds that are sent at a time."""
_STORED_PIECE = 5.0
"""Seconds of a plan's sound that are fetched at a time: ten minutes of music are too much for a job's memory."""

SPOKEN = counter("prompts_spoken", "Words said in calls, by where they came from: ahead, asked, house, none", "source")

log = structlog.get_logger(__name__)
_T = TypeVar("_T")


class Audio(Protocol):
    """Something to be heard."""

    def pieces(self) -> AsyncIterator[bytes]:
        """Its samples from the beginning, mono 16-bit at the voice's rate; again each time. Doesn't raise."""
        ...


@dataclass(frozen=True, slots=True)
class Clip:
    """Audio at hand."""

    audio: Pcm = field(repr=False)

    async def pieces(self) -> AsyncIterator[bytes]:
        """See Audio."""
        size = int(PIECE * self.audio.rate) * 2
        for start in range(0, len(self.audio.data), size):
            yield self.audio.data[start : start + size]


@dataclass(frozen=True, slots=True)
class Stored:
    """A sound of the plan, fetched piece by piece."""

    book: PromptBook
    address: str
    rate: int
    """Of the voice."""

    async def pieces(self) -> AsyncIterator[bytes]:
        """See Audio; it ends early when Redis doesn't answer."""
        resampler = rtc.AudioResampler(RATE, self.rate) if self.rate != RATE else None
        start, size = 0, int(_STORED_PIECE * RATE) * 2
        try:
            while piece := await _soon(self.book.sound(self.address, start, size)):
                start += len(piece)
                yield piece if resampler is None else _joined(resampler.push(bytearray(piece)))
        except Unavailable as bad:
            log.warning("a sound of the plan ends early", why=str(bad))
        if resampler is not None and start:
            yield _joined(resampler.flush())


NOTHING = Clip(Pcm(RATE, b""))


@dataclass(frozen=True, slots=True)
class Wording:
    """Finds what is to be said in one call."""

    book: PromptBook
    house: Renderer
    """Speaks when the agents' voice can't."""
    rendered_in: str
    """The agents' voice; "" for none."""
    language: str
    """BCP 47 tag."""
    rate: int
    """Samples a second of the voice that plays it."""
    pronounce: Mapping[str, str] = field(default_factory=dict)
    """A word, and how it sounds."""

    async def get(self, text: str) -> Audio:
        """A sentence, or a sound of the plan by its address (`wav:…`); NOTHING when it can't be had at all."""
        if is_sound(text):
            return await self.sound(text) or NOTHING
        line = Line(text=text, spoken=pronounced(text, self.pronounce), language=self.language)
        found, source = await self._found(line)
        SPOKEN.labels(source).inc()
        return Clip(await asyncio.to_thread(_for_telephone, found, self.rate)) if found is not None else NOTHING

    async def sound(self, address: str) -> Audio | None:
        """A sound of the plan; None when it isn't there."""
        try:
            if await _soon(self.book.has_sound(address)):
                return Stored(self.book, address, self.rate)
            log.error("a sound of the plan isn't there")
        except Unavailable as bad:
            log.warning("a sound of the plan can't be had", why=str(bad))
        return None

    async def _found(self, line: Line) -> tuple[Pcm | None, str]:
        there = True
        try:
            if ready := await _soon(self.book.get(self.rendered_in, line)):
                return ready, "ahead"
            if asked := await _soon(self._asked(line), ASK_WITHIN + READ_WITHIN):
                return asked, "asked"
        except Unavailable as bad:
            there = False
            log.warning("a prompt can't be had", why=str(bad))
        try:
            return await (self._by_house(line) if there else self.house.render(line)), "house"
        except Unavailable as bad:
            log.error("the house can't speak", why=str(bad))
            return None, "none"

    async def _asked(self, line: Line) -> Pcm | None:
        """The line in the agents' voice, if it is rendered soon; the house's gets ready meanwhile."""
        if not self.rendered_in:
            return None
        await self.book.ask(line, time.time())
        if soon := await self.book.rendered(self.rendered_in, line, BEFORE_HOUSE):
            return soon
        ready = asyncio.create_task(self._ready_house(line), name="the house's voice")
        try:
            return await self.book.rendered(self.rendered_in, line, ASK_WITHIN - BEFORE_HOUSE)
        finally:
            if not ready.done():
                ready.cancel()
            await asyncio.wait({ready})

    async def _ready_house(self, line: Line) -> None:
        with suppress(Unavailable):
            await self._by_house(line)

    async def _by_house(self, line: Line) -> Pcm:
        """The line in the house's own voice, which is kept for the next time. Raises Unavailable."""
        with suppress(Unavailable):
            if kept := await _soon(self.book.get(self.house.voice, line)):
                return kept
        made = await self.house.render(line)
        with suppress(Unavailable):
            await _soon(self.book.put(self.house.voice, line, made))
        return made


async def _soon(asked: Awaitable[_T], within: float = READ_WITHIN) -> _T:
    """What Redis tells. Raises Unavailable when it takes longer than a caller is to wait for it."""
    try:
        async with asyncio.timeout(within):
            return await asked
    except TimeoutError:
        raise Unavailable("Redis is too slow for a caller who waits.") from None


def _for_telephone(audio: Pcm, rate: int) -> Pcm:
    """The audio at the voice's rate; at a telephone's also as loud as callers are."""
    narrow = fitted(audio, rate)
    if rate != RATE:
        return narrow
    return Pcm(rate, levelled(np.frombuffer(narrow.data, "<i2") / 32768).astype("<i2").tobytes())


def _joined(frames: list[rtc.AudioFrame]) -> bytes:
    return b"".join(bytes(frame.data) for frame in frames)
