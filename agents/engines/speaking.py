"""A chain of voices, as one: the next takes a sentence up where one fails, and says the rest of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

from livekit import rtc
from livekit.agents import APIConnectionError, APIConnectOptions, APIError, tts
from livekit.agents.utils import shortuuid

from agents.engines.guide import TRY, Guide
from agents.engines.links import Link
from agents.engines.taking_up import left_of
from gateway.tasks import cancelled

RATE = 24000
"""Samples a second that every voice of a chain speaks with."""
FIRST_WITHIN = 2.0
"""Seconds until a voice begins."""
DRY_WITHIN = 0.7
"""Seconds that a voice may be behind the one who listens, once it has begun."""
LAST_WITHIN = 5.0
"""Both, for the last that there is: slowly is better than not at all."""


class ChainTTS(tts.TTS[Any]):
    """The chain."""

    def __init__(self, links: Sequence[tuple[Link, tts.TTS[Any]]], guide: Guide) -> None:
        super().__init__(capabilities=tts.TTSCapabilities(streaming=False), sample_rate=RATE, num_channels=1)
        self.links = [link for link, _ in links]
        self.guide = guide
        self.prewarms = True
        """As that of ChainLLM."""
        self._voices = dict(links)
        self._probing: set[asyncio.Task[None]] = set()
        for link, engine in links:
            guide.listen(link, engine)

    @property
    def model(self) -> str:
        """The first one's."""
        return self._voices[self.links[0]].model

    @property
    def provider(self) -> str:
        """The first one's."""
        return self._voices[self.links[0]].provider

    def of(self, link: Link) -> tts.TTS[Any]:
        """The link's voice."""
        return self._voices[link]

    def synthesize(self, text: str, *, conn_options: APIConnectOptions = TRY) -> tts.ChunkedStream:
        """Say it; the chain's own time-outs and retries hold, not `conn_options`."""
        return _Sentence(self, text)

    def probe(self, link: Link, text: str) -> None:
        """See whether a voice is back that was out: beside one that serves, so that no caller finds that out again."""
        if self._probing:
            return
        task = asyncio.create_task(self._probe(link, text), name="probe")
        self._probing.add(task)
        task.add_done_callback(self._probing.discard)

    async def _probe(self, link: Link, text: str) -> None:
        try:
            async with self.of(link).synthesize(text, conn_options=TRY) as stream, asyncio.timeout(FIRST_WITHIN):
                await anext(stream)
        except (APIError, TimeoutError, StopAsyncIteration) as bad:
            self.guide.failed(link, bad)
        else:
            self.guide.back(link)

    def prewarm(self) -> None:
        """Open the connections, unless `prewarms` says no."""
        for voice in self._voices.values() if self.prewarms else ():
            voice.prewarm()

    async def aclose(self) -> None:
        """Close every voice."""
        await cancelled(*self._probing)
        for voice in self._voices.values():
            await voice.aclose()


class _Sentence(tts.ChunkedStream):
    def __init__(self, chain: ChainTTS, text: str) -> None:
        super().__init__(tts=chain, input_text=text, conn_options=TRY)
        self._chain = chain

    async def _run(self, output_emitter: tts.AudioEmitter) -> None:
        guide, links = self._chain.guide, self._chain.links
        output_emitter.initialize(request_id=shortuuid(), sample_rate=RATE, num_channels=1, mime_type="audio/pcm")
        left, text = await guide.order(links), self._input_text
        if len(left) > 1 and guide.trusted(left[1]) and not guide.trusted(left[0]):
            self._chain.probe(left.pop(0), text)
        while True:
            link, said = left.pop(0), 0.0
            try:
                async with self._chain.of(link).synthesize(text, conn_options=TRY) as stream:
                    async for frame in _steadily(stream, last=not left):
                        if not said:
                            guide.served(links, link)
                        said += frame.duration
                        output_emitter.push_frame(frame)
            except (APIError, TimeoutError) as bad:
                guide.failed(link, bad)
                text = left_of(text, said)
                if left:
                    continue
                guide.gave_up(links)
                if isinstance(bad, APIError):
                    raise
                raise APIConnectionError("nobody of the chain speaks") from bad
            output_emitter.flush()
            return


async def _steadily(stream: tts.ChunkedStream, *, last: bool) -> AsyncIterator[rtc.AudioFrame]:
    """The frames; TimeoutError when the one who listens would have to wait for the next."""
    loop = asyncio.get_running_loop()
    due = loop.time() + (LAST_WITHIN if last else FIRST_WITHIN)
    begun = False
    while True:
        async with asyncio.timeout_at(due):
            try:
                audio = await anext(stream)
            except StopAsyncIteration:
                return
        if not begun:
            begun, due = True, loop.time() + (LAST_WITHIN if last else DRY_WITHIN)
        due += audio.frame.duration
        yield audio.frame
