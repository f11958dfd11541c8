"""A chain of recognizers, as one: when one fails, or hears nothing where somebody speaks, the next hears what was said
and not understood once more, so that no word is lost.

That somebody spoke and no words came may be noise. Only when another hears words in the same sound has the one before
failed; else the chain goes back to it.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from livekit import rtc
from livekit.agents import APIConnectionError, APIConnectOptions, APIError, stt, vad
from livekit.agents.types import NOT_GIVEN, NotGivenOr
from livekit.agents.utils import AudioBuffer

from agents.engines.guide import ALONE, TRY, Guide
from agents.engines.links import Link
from agents.engines.rewind import Rewind
from gateway.health.circuit import Reason
from gateway.tasks import Tasks, cancelled

LOOK_BACK = 1.0
"""Seconds between two looks whether the one whose turn it is may be back."""
LASTED = 5.0
"""Seconds after which a connection that is lost has been a good one."""
CLOSE_WITHIN = 0.5
"""Seconds that a recognizer may take to say goodbye at the end."""
_WORDS = {stt.SpeechEventType.INTERIM_TRANSCRIPT, stt.SpeechEventType.FINAL_TRANSCRIPT}


class ChainSTT(stt.STT[Any]):
    """The chain. `ears`: tells when somebody speaks; without it nobody is given up for hearing nothing."""

    def __init__(
        self, links: Sequence[tuple[Link, stt.STT[Any]]], guide: Guide, rate: int, ears: vad.VAD | None = None
    ) -> None:
        super().__init__(capabilities=links[0][1].capabilities)
        self.links = [link for link, _ in links]
        self.guide, self.rate = guide, rate
        self.ears = ears if len(links) > 1 else None
        self._recognizers = dict(links)
        for link, engine in links:
            guide.listen(link, engine)

    @property
    def model(self) -> str:
        """The first one's."""
        return self._recognizers[self.links[0]].model

    @property
    def provider(self) -> str:
        """The first one's."""
        return self._recognizers[self.links[0]].provider

    def of(self, link: Link) -> stt.STT[Any]:
        """The link's recognizer."""
        return self._recognizers[link]

    def stream(
        self, *, language: NotGivenOr[str] = NOT_GIVEN, conn_options: APIConnectOptions = TRY
    ) -> stt.RecognizeStream:
        """Hear; the chain's own time-outs and retries hold, not `conn_options`."""
        return _Hearing(self, language)

    async def _recognize_impl(
        self, buffer: AudioBuffer, *, language: NotGivenOr[str] = NOT_GIVEN, conn_options: APIConnectOptions
    ) -> stt.SpeechEvent:
        left = await self.guide.order(self.links)
        while True:
            link = left.pop(0)
            try:
                once = replace(conn_options, max_retry=0)
                heard = await self.of(link).recognize(buffer, language=language, conn_options=once)
            except APIError as bad:
                self.guide.failed(link, bad)
                if left:
                    continue
                self.guide.gave_up(self.links)
                raise
            self.guide.served(self.links, link)
            return heard

    async def aclose(self) -> None:
        """Close every recognizer."""
        for recognizer in self._recognizers.values():
            await recognizer.aclose()


class _Hearing(stt.RecognizeStream):
    def __init__(self, chain: ChainSTT, language: NotGivenOr[str]) -> None:
        super().__init__(stt=chain, conn_options=TRY, sample_rate=chain.rate)
        self._chain, self._language = chain, language
        self._links = chain.guide.chosen(chain.links)
        self._tape: Rewind[rtc.AudioFrame] = Rewind()
        self._listener: stt.RecognizeStream | None = None
        self._by = self._links[0]
        self._tried: Counter[Link] = Counter()
        """How often who failed in what is being said."""
        self._passed_over: set[Link] = set()
        """Who told no words of it."""
        self._suspect: Link | None = None
        """Who told no words, if the one who hears now tells some."""
        self._unknown = True
        """The one who hears now has told no words yet."""
        self._move = asyncio.Event()
        self._since = self._looked = 0.0
        """Since when the present one hears, and when we last looked for a better one."""
        self._over = False

    async def _run(self) -> None:
        async with Tasks("hearing") as tasks:
            ears = self._chain.ears.stream() if self._chain.ears is not None else None
            if ears is not None:
                tasks.start(self._watch(ears), "ears")
            feeding = tasks.start(self._feed(ears), "feeding")
            try:
                await self._follow(tasks)
            finally:
                await cancelled(feeding)
                await _close(self._listener)
                if ears is not None:
                    await ears.aclose()

    # What is heard.

    async def _feed(self, ears: vad.VADStream | None) -> None:
        async for data in self._input_ch:
            if isinstance(data, rtc.AudioFrame):
                if ears is not None:
                    ears.push_frame(data)
                self._tape.add(data, data.duration)
            with suppress(RuntimeError):  # it has failed, and its successor gets all of it
                if self._listener is None:
                    pass
                elif isinstance(data, rtc.AudioFrame):
                    self._listener.push_frame(data)
                else:
                    self._listener.flush()
            if self._tape.unheard or self._may_look_back():
                self._move.set()
        self._over = True
        with suppress(RuntimeError):
            if self._listener is not None:
                self._listener.end_input()

    def _may_look_back(self) -> bool:
        away = self._by != self._links[0] and not self._tape.owed
        return away and self._tape.now - self._looked >= LOOK_BACK

    async def _watch(self, ears: vad.VADStream) -> None:
        async for event in ears:
            if event.type is vad.VADEventType.START_OF_SPEECH:
                self._tape.speech_began()
            elif event.type is vad.VADEventType.END_OF_SPEECH:
                self._tape.speech_ended()

    # Who hears.

    async def _follow(self, tasks: Tasks) -> None:
        """Let one after the other hear, until there is no more sound. Raises APIError."""
        order = await self._chain.guide.order(self._links)
        self._by = order[0]
        while True:
            listener = self._listener = self._begin()
            telling = asyncio.create_task(self._tell(listener), name="telling")
            try:
                following = await self._until(telling)
            finally:
                telling.cancel()
                await asyncio.wait({telling})
            if following is None:
                return
            self._listener = None
            tasks.start(_close(listener), "closing")
            self._by = following

    def _begin(self) -> stt.RecognizeStream:
        chain = self._chain
        listener = chain.of(self._by).stream(
            language=self._language, conn_options=TRY if len(self._links) > 1 else ALONE
        )
        first, frames = self._tape.again()
        listener.start_time_offset = self.start_time_offset + first
        for frame in frames:
            listener.push_frame(frame)
        if self._over:
            listener.end_input()
        self._unknown, self._since = True, self._tape.now
        return listener

    async def _until(self, telling: asyncio.Task[None]) -> Link | None:
        """Let it tell until another is to hear; None once all is told."""
        while True:
            self._move.clear()
            moved = asyncio.create_task(self._move.wait())
            try:
                await asyncio.wait({telling, moved}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                moved.cancel()
            if telling.done():
                error = telling.exception()
                if error is None and self._over:
                    return None
                return await self._after(error or APIConnectionError("the recognizer ended"))
            if self._tape.unheard:
                following = await self._better()
                if following is not None:
                    self._passed_over.add(self._by)
                    self._suspect = self._suspect or self._by
                    return following
                self._tape.wait_on()
                if self._suspect is not None:
                    self._tape.utterance_ended()  # two have heard nothing: it was a noise
            elif self._may_look_back():
                self._looked = self._tape.now
                first = (await self._chain.guide.order(self._links))[0]
                if self._before(first, self._by) and not self._tape.owed:
                    self._forget()
                    return first

    async def _after(self, error: BaseException) -> Link:
        self._chain.guide.failed(self._by, error)
        if self._tape.now - self._since >= LASTED:
            self._forget()
        self._tried[self._by] += 1
        order = await self._chain.guide.order(self._links)
        following = next((link for link in order if self._tried[link] < order.count(link)), None)
        if following is None:
            self._chain.guide.gave_up(self._links)
            if isinstance(error, APIError):
                raise error
            raise APIConnectionError("nobody of the chain hears") from error
        return following

    async def _better(self) -> Link | None:
        """Who may hear what the present one hasn't told: one of whom nothing bad is known, and who wasn't asked yet."""
        order = await self._chain.guide.order(self._links)
        asked = {self._by, *self._passed_over, *self._tried}
        return next((link for link in order if link not in asked and self._chain.guide.trusted(link)), None)

    def _forget(self) -> None:
        self._tried.clear()
        self._passed_over.clear()

    def _before(self, one: Link, other: Link) -> bool:
        return self._links.index(one) < self._links.index(other)

    async def _tell(self, listener: stt.RecognizeStream) -> None:
        async for event in listener:
            self._heard(event)
            self._event_ch.send_nowait(event)

    def _heard(self, event: stt.SpeechEvent) -> None:
        alone = self._chain.ears is None
        said = event.alternatives[0] if event.type in _WORDS and event.alternatives else None
        if said is not None and said.text.strip():
            self._understood()
            if event.type is stt.SpeechEventType.FINAL_TRANSCRIPT:
                until = said.end_time - self.start_time_offset
                self._tape.final(until if said.end_time > 0 else self._tape.now)
            else:
                self._tape.words()
        elif event.type is stt.SpeechEventType.START_OF_SPEECH and alone:
            self._tape.speech_began()
        elif event.type is stt.SpeechEventType.END_OF_SPEECH:
            if alone:
                self._tape.speech_ended()
            self._tape.utterance_ended()

    def _understood(self) -> None:
        if not self._unknown:
            return
        self._unknown = False
        suspect, self._suspect = self._suspect, None
        if suspect is not None and suspect != self._by:
            self._chain.guide.judged(suspect, Reason.TIMEOUT)
        self._forget()
        self._chain.guide.served(self._links, self._by)


async def _close(stream: stt.RecognizeStream | None) -> None:
    """Say goodbye, for a moment at most: who has fallen silent doesn't answer that either."""
    if stream is not None:
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_WITHIN):
                await stream.aclose()
