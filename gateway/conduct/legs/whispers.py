"""What legs alone hear: to each a track of its own, which LiveKit itself keeps from everybody else, and an ear for what comes
back. Both last until the leg is dropped or connected."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Protocol, Self

import structlog
from livekit import rtc
from livekit.rtc.participant import PublishTrackError

from gateway.calls.acts.cues import LegHeard, LegSaid, LegSounds
from gateway.calls.hearing import whispering
from gateway.conduct.legs.leg_ear import LegEar
from gateway.conduct.sfu.mouth import PUBLISH_WITHIN, Mouth
from gateway.conduct.sound.play import Track
from gateway.conduct.sound.speak import Speaker
from gateway.conduct.sound.words import Audio, Wording
from gateway.rtp import RATE
from gateway.tasks import Tasks

UNPUBLISHED_AFTER = 1.0
"""Seconds after its end that a track is taken back: LiveKit negotiates with its listener for that, and then not again for
150 ms, in which a human who has just taken the call could wait for the caller's voice. On calls it made no difference that
was seen (204 ms, p95 of 8, beside 181 of 12 without)."""
TAKEN_WITHIN = 1.0
"""Seconds to wait until the leg is subscribed to its track: what is said before is lost."""

log = structlog.get_logger(__name__)

Happened = Callable[[LegHeard | LegSaid | LegSounds], None]


class Listen(Protocol):
    """Makes the ear of a leg."""

    def __call__(self, leg: str, happened: Callable[[LegSaid | LegSounds], None], /) -> LegEar:
        """An ear, entered as a context."""
        ...


class Whispers:
    """Those of one call. Use it as a context, entered once the room is connected. `happened` is called on the loop's
    thread."""

    def __init__(self, room: rtc.Room, wording: Wording, listen: Listen, happened: Happened) -> None:
        """`wording`: at a telephone's rate (gateway.rtp.RATE)."""
        self._room, self._wording, self._listen, self._happened = room, _Made(wording), listen, happened
        self._tasks = Tasks("whispers")
        self._legs: dict[str, _Whisper] = {}
        self._heard_only: dict[str, asyncio.Event] = {}
        """Set for a leg that is heard no more, and to which nothing was said."""

    async def __aenter__(self) -> Self:
        await self._tasks.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._tasks.__aexit__(kind, error, trace)

    def ready(self, texts: Sequence[str]) -> None:
        """Have words made that are said soon."""
        for text in texts:
            self._tasks.start(self._wording.make(text), "words that are whispered soon")

    def whisper(self, leg: str, texts: Sequence[str]) -> None:
        """Say these to the leg, in place of what it is being told; LegHeard follows."""
        one = self._legs.get(leg)
        if one is None:
            one = self._legs[leg] = _Whisper(leg)
            self._tasks.start(self._run(one), f"whisper {leg}")
        one.say(texts)

    def listen(self, leg: str) -> None:
        """Listen to the leg, and say nothing; it isn't being whispered to."""
        if leg not in self._heard_only:
            over = self._heard_only[leg] = asyncio.Event()
            self._tasks.start(self._hear(leg, over), f"listen to {leg}")

    async def _hear(self, leg: str, over: asyncio.Event) -> None:
        async with self._listen(leg, self._happened):
            await over.wait()

    def end(self, leg: str) -> None:
        """Fall silent to it at once, and listen no more."""
        if (over := self._heard_only.pop(leg, None)) is not None:
            over.set()
        if (one := self._legs.pop(leg, None)) is not None:
            one.end()

    async def _run(self, one: _Whisper) -> None:
        async with Mouth(self._room, RATE, whispering(one.leg)) as mouth, Track(mouth, RATE) as voice:
            try:
                async with asyncio.timeout(PUBLISH_WITHIN):
                    await mouth.open()
            except (PublishTrackError, TimeoutError) as bad:
                log.error("nothing can be whispered", leg=one.leg, why=type(bad).__name__)
                if self._legs.get(one.leg) is one:
                    del self._legs[one.leg]  # what it is told next is tried anew
                self._heard(one)  # nobody waits for the end of what isn't said
                return
            with suppress(TimeoutError):
                async with asyncio.timeout(TAKEN_WITHIN):
                    await mouth.taken()
            try:
                async with (
                    Speaker(voice, self._wording, lambda _: self._heard(one)) as speaker,
                    self._listen(one.leg, self._happened),
                ):
                    await one.follow(speaker)
                await asyncio.sleep(UNPUBLISHED_AFTER)
            finally:
                await mouth.close()

    def _heard(self, one: _Whisper) -> None:
        if not one.ended:
            self._happened(LegHeard(one.leg))


class _Whisper:
    """What one leg is to be told."""

    def __init__(self, leg: str) -> None:
        self.leg = leg
        self.ended = False
        self._texts: Sequence[str] | None = None
        self._more = asyncio.Event()

    def say(self, texts: Sequence[str]) -> None:
        self._texts = texts
        self._more.set()

    def end(self) -> None:
        self.ended = True
        self._more.set()

    async def follow(self, speaker: Speaker) -> None:
        """Say what is to be said, until the end."""
        while not self.ended:
            if (texts := self._texts) is not None:
                self._texts = None
                speaker.hush()
                for text in texts:
                    speaker.say(text)
            await self._more.wait()
            self._more.clear()
        speaker.hush()


class _Made:
    """Words that are made once: each leg is told the same."""

    def __init__(self, wording: Wording) -> None:
        self._wording = wording
        self._made: dict[str, asyncio.Future[Audio]] = {}

    async def make(self, text: str) -> None:
        if text in self._made:
            return
        made = self._made[text] = asyncio.get_running_loop().create_future()
        try:
            made.set_result(await self._wording.get(text))
        finally:
            if not made.done():
                made.cancel()
                self._made.pop(text, None)

    async def get(self, text: str) -> Audio:
        """See Wording."""
        while (made := self._made.get(text)) is not None and not made.done():
            await asyncio.wait({made})  # whoever makes it may fail, or want it no more: then we do
        await self.make(text)
        return self._made[text].result()

    async def sound(self, address: str) -> Audio | None:
        """See Wording."""
        return await self._wording.sound(address)
