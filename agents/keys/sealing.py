"""An agent on a route that seals digits: those that the caller says are hidden before anything hears of them."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator

from livekit import rtc
from livekit.agents import ModelSettings
from livekit.agents.stt import SpeechData, SpeechEvent

from agents.talk.checking import CheckedAgent
from gateway.terms.said_digits import hidden


class SealingAgent(CheckedAgent):
    """What it hears has no digits: neither the model nor a turn, the end-of-turn detector or a log gets them."""

    async def stt_node(
        self, audio: AsyncIterable[rtc.AudioFrame], model_settings: ModelSettings
    ) -> AsyncIterator[SpeechEvent]:
        """What is heard, the digits in it hidden."""
        async for event in super().stt_node(audio, model_settings):
            event.alternatives = [_without_digits(one) for one in event.alternatives]
            yield event

    def shown(self, words: str) -> str:
        """The caller's words as a turn may have them."""
        return hidden(words)


def _without_digits(heard: SpeechData) -> SpeechData:
    text = hidden(heard.text)
    # The words one by one would tell what the sentence hides.
    return (
        heard
        if text == heard.text
        else SpeechData(
            language=heard.language,
            text=text,
            start_time=heard.start_time,
            end_time=heard.end_time,
            confidence=heard.confidence,
        )
    )
