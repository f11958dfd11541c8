"""A chain of recognizers, as one: when one fails, the next hears what was said and not understood once more, so that no
word is lost. When one tells nothing where somebody speaks, another hears it beside, and who tells words first goes on.

That somebody spoke and no words came may be noise, or who hears is slow. Only when another hears words in the same sound
has the one before failed; else it hears on. It is let go by nothing but words: a busy machine makes all of them slow.
"""

from __future__ import annotations

import asyncio
import math
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from typing import Any

from livekit import rtc
from livekit.agents import APIConnectionError, APIConnectOptions, APIError, stt, vad
from livekit.agents.types import NOT_GIVEN, NotGivenOr
from livekit.agents.utils import AudioBuffer

from agents.engines.ears import Ears
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
    """The chain. `ears`: the session's, which tell when somebody speaks; without them nobody is given up for hearing
    nothing, nor is the only one asked anew."""

    def __init__(
        self, links: Sequence[tuple[Link, stt.STT[Any]]], guide: Guide, rate: int, ears: Ears | None = None
    ) -> None:
        super().__init__(capabilities=links[0][1].capabilities)
        self.links = [link for link, _ in links]
        self.guide, self.rate, self.ears = guide, rate, ears
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


@dataclass(eq=False)
class _Listener:
    """One connection with a recognizer."""

    link: Link
    stream: stt.RecognizeStream
    since: float
    """The place in the caller's audio at which it was asked."""
    unknown: bool = True
    """It has told no words yet."""
    lives: float = -math.inf
    """The place up to which it is known not to be dead: it has told something, if only that somebody speaks."""
    telling: asyncio.Task[None] = field(init=False)

    def tell(self, heard: Callable[[_Listener, stt.SpeechEvent], None]) -> None:
        """From now on have its events told."""

        async def telling() -> None:
            async for event in self.stream:
                heard(self, event)

        self.telling = asyncio.create_task(telling(), name="telling")
        self.telling.add_done_callback(lambda task: task.cancelled() or task.exception())


class _Hearing(stt.RecognizeStream):
    def __init__(self, chain: ChainSTT, language: NotGivenOr[str]) -> None:
        super().__init__(stt=chain, conn_options=TRY, sample_rate=chain.rate)
        self._chain, self._language = chain, language
        self._links = chain.guide.chosen(chain.links)
        self._tape: Rewind[rtc.AudioFrame] = Rewind()
        self._listeners: list[_Listener] = []
        """Who hears: the first is the one whose words count, another was asked because it tells none."""
        self._tried: Counter[Link] = Counter()
        """How often who failed in what is being said."""
        self._asked: set[Link] = set()
        """Who was asked beside in it."""
        self._patient = True
        """The only one may get its time once more."""
        self._move = asyncio.Event()
        self._looked = 0.0
        """When we last looked for a better one."""
        self._over = False
        self._tasks = Tasks("hearing")

    async def _run(self) -> None:
        async with self._tasks as tasks:
            with ExitStack() as overhearing:
                if self._chain.ears is not None:
                    overhearing.enter_context(self._chain.ears.overheard(self._spoken))
                feeding = tasks.start(self._feed(), "feeding")
                try:
                    await self._follow()
                finally:
                    await cancelled(feeding)
                    left, self._listeners = self._listeners, []
                    await cancelled(*(one.telling for one in left))
                    await asyncio.gather(*(_close(one.stream) for one in left))

    # What is heard.

    async def _feed(self) -> None:
        loop = asyncio.get_running_loop()
        async for data in self._input_ch:
            if isinstance(data, rtc.AudioFrame):
                self._tape.add(data, data.duration, loop.time())
            for one in self._listeners:
                with suppress(RuntimeError):  # it has failed, and its successor gets all of it
                    one.stream.push_frame(data) if isinstance(data, rtc.AudioFrame) else one.stream.flush()
            if self._tape.unheard or self._settled() or self._may_look_back():
                self._move.set()
        self._over = True
        for one in self._listeners:
            with suppress(RuntimeError):
                one.stream.end_input()

    def _settled(self) -> bool:
        """Others were asked about a sound that was none, or who hears was waited for."""
        asked = len(self._listeners) > 1 or bool(self._asked) or not self._patient
        return asked and not self._tape.owed

    def _may_look_back(self) -> bool:
        away = len(self._listeners) == 1 and self._listeners[0].link != self._links[0] and not self._tape.owed
        return away and self._tape.now - self._looked >= LOOK_BACK

    def _spoken(self, event: vad.VADEvent, behind: float) -> None:
        place = max(0.0, self._tape.now - behind)
        self._tape.looked(place)
        if event.type is vad.VADEventType.START_OF_SPEECH:
            self._tape.speech_began(place)
        elif event.type is vad.VADEventType.END_OF_SPEECH:
            self._tape.speech_ended(place)

    # Who hears.

    async def _follow(self) -> None:
        """Let one after the other hear, until there is no more sound. Raises APIError."""
        self._begin((await self._chain.guide.order(self._links))[0])
        while True:
            self._move.clear()
            moved = asyncio.create_task(self._move.wait())
            try:
                await asyncio.wait(
                    {moved, *(one.telling for one in self._listeners)}, return_when=asyncio.FIRST_COMPLETED
                )
            finally:
                moved.cancel()
            while ended := [one for one in self._listeners if one.telling.done()]:
                if await self._ended(ended[0]):
                    return
            if self._tape.unheard:
                await self._ask_another()
            elif self._settled():
                self._let_go(self._listeners[1:])
                self._forget()
            elif self._may_look_back():
                await self._look_back()

    def _begin(self, link: Link) -> None:
        last = all(self._tried[other] for other in self._links if other != link)
        stream = self._chain.of(link).stream(language=self._language, conn_options=ALONE if last else TRY)
        first, frames = self._tape.again()
        stream.start_time_offset = self.start_time_offset + first
        for frame in frames:
            stream.push_frame(frame)
        if self._over:
            stream.end_input()
        listener = _Listener(link, stream, self._tape.now)
        listener.tell(self._heard)
        self._listeners.append(listener)

    def _let_go(self, listeners: Sequence[_Listener]) -> None:
        for one in listeners:
            self._listeners.remove(one)
            one.telling.cancel()
            self._tasks.start(_close(one.stream), "closing")

    async def _ended(self, one: _Listener) -> bool:
        """One has ended, well or not; whether all is told."""
        error = one.telling.exception()
        beside = one in self._listeners[1:]
        self._let_go([one])
        if error is None and self._over:
            return beside or not self._listeners or not self._tape.owed
        await self._after(one, error or APIConnectionError("the recognizer ended"))
        return False

    async def _after(self, one: _Listener, error: BaseException) -> None:
        excused = self._tape.stood_still(asyncio.get_running_loop().time())
        self._chain.guide.failed(one.link, error, excused=excused)
        if self._tape.now - one.since >= LASTED:
            self._forget()
        self._tried[one.link] += 1
        if self._listeners:
            if self._listeners[0].link == one.link:  # it may be there again in a moment
                self._asked.discard(one.link)
            return
        order = await self._chain.guide.order(self._links)
        following = next((link for link in order if self._tried[link] < order.count(link)), None)
        if following is None:
            self._chain.guide.gave_up(self._links)
            if isinstance(error, APIError):
                raise error
            raise APIConnectionError("nobody of the chain hears") from error
        self._begin(following)

    async def _ask_another(self) -> None:
        """Have another hear, too, what the one who hears hasn't told."""
        following = await self._beside() if len(self._listeners) == 1 else None
        if not self._tape.unheard:
            return
        if following is None:
            self._tape.wait_on()
        else:
            self._asked.add(following)
            self._begin(following)

    async def _beside(self) -> Link | None:
        """Who wasn't asked yet, the best first; at last the same one anew, as its connection may be dead."""
        if self._chain.ears is None:  # it alone has told that somebody speaks: it isn't dead
            return None
        guide, own = self._chain.guide, self._listeners[0].link
        if len(self._links) == 1 and self._patient and self._tape.amid(self._listeners[0].lives):
            self._patient = False  # it is late: that it is asked twice would make it later
            return None
        order = [link for link in await guide.order(self._links) if link not in self._asked and guide.may_help(link)]
        return min(order, key=lambda link: (link == own, not guide.trusted(link)), default=None)

    async def _look_back(self) -> None:
        self._looked = self._tape.now
        first = (await self._chain.guide.order(self._links))[0]
        # Meanwhile the caller may have begun to talk, or the one who hears may have failed.
        hears = self._listeners[0]
        if hears.telling.done() or self._tape.owed:
            return
        if self._links.index(first) < self._links.index(hears.link):
            self._forget()
            self._let_go(tuple(self._listeners))
            self._begin(first)

    def _forget(self) -> None:
        self._tried.clear()
        self._asked.clear()
        self._patient = True

    # What is told.

    def _heard(self, one: _Listener, event: stt.SpeechEvent) -> None:
        alone = self._chain.ears is None
        if event.type is not stt.SpeechEventType.RECOGNITION_USAGE:
            one.lives = self._tape.now
        final = event.type is stt.SpeechEventType.FINAL_TRANSCRIPT
        said = event.alternatives[0] if event.type in _WORDS and event.alternatives else None
        if said is not None and said.text.strip():
            if final or one not in self._listeners[:1]:  # who tells nothing for good may tell something for now
                self._goes_on(one, said)
            self._understood(one)
            if final:
                self._forget()
                until = said.end_time - self.start_time_offset
                self._tape.final(until if said.end_time > 0 else self._tape.now)
            else:
                self._tape.words()
        elif one not in self._listeners[:1]:
            return
        elif event.type is stt.SpeechEventType.START_OF_SPEECH and alone:
            self._tape.speech_began(self._tape.now)
        elif event.type is stt.SpeechEventType.END_OF_SPEECH:
            if alone:
                self._tape.speech_ended(self._tape.now)
            self._tape.utterance_ended()
        self._event_ch.send_nowait(event)

    def _goes_on(self, one: _Listener, said: stt.SpeechData) -> None:
        """It has words of what two were asked about: the others are let go."""
        if len(self._listeners) == 1:
            return
        before, asked_at = self._listeners[0], self._listeners[-1].since
        self._let_go([other for other in self._listeners if other is not one])
        if before.link != one.link and said.start_time - self.start_time_offset < asked_at:
            self._chain.guide.judged(before.link, Reason.TIMEOUT)

    def _understood(self, one: _Listener) -> None:
        if one.unknown:
            one.unknown = False
            self._forget()
            self._chain.guide.served(self._links, one.link)


async def _close(stream: stt.RecognizeStream | None) -> None:
    """Say goodbye, for a moment at most: who has fallen silent doesn't answer that either."""
    if stream is not None:
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_WITHIN):
                await stream.aclose()
