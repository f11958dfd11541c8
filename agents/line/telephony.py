"""The one preset for the telephone: what livekit-agents' defaults, made for microphones and browsers, do worse there."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Mapping
from typing import Any

from livekit.agents import NOT_GIVEN, AgentSession
from livekit.agents.stt import STT

from agents.engines import chains as engines
from gateway.terms.spoken import pronounced


def session(warm: engines.Warm, stt: STT[Any] | None, pronounce: Mapping[str, str]) -> AgentSession[None]:
    """A session for one call; its input and output are the caller's to set. Without `stt` it hears nothing."""
    return AgentSession(
        stt=stt or NOT_GIVEN,
        llm=warm.llm,
        tts=warm.tts,
        vad=warm.ears,
        turn_handling={
            "turn_detection": warm.turns,
            "endpointing": {"min_delay": 0.0, "max_delay": 0.7},
            # By voice alone: the default's model runs in a cloud.
            "interruption": {
                "mode": "vad",
                "min_duration": 0.15,
                "false_interruption_timeout": 1.2,
                # Whoever answers a question that can't be cut off is heard while it is said.
                "discard_audio_if_uninterruptible": False,
            },
            "preemptive_generation": {"enabled": True},
        },
        # A telephone has no echo of its own speaker in its microphone that would have to be learned first.
        aec_warmup_duration=None,
        # The caller's silence is ours to judge: agents.line.silence.
        user_away_timeout=None,
        session_close_transcript_timeout=0.2,
        conn_options=engines.CONNECT,
        tts_text_transforms=["filter_markdown", "filter_emoji", Pronounce(pronounce)],
    )


class Pronounce:
    """Puts the sounds of a route's `pronounce` in place of its words, in a stream of text cut anywhere."""

    def __init__(self, words: Mapping[str, str]) -> None:
        self._words = words

    def __call__(self, text: AsyncIterable[str]) -> AsyncIterable[str]:
        """The stream, its words replaced."""
        return self._replaced(text) if self._words else text

    async def _replaced(self, text: AsyncIterable[str]) -> AsyncIterator[str]:
        waiting = ""
        async for part in text:
            waiting += part
            # A word may go on in the next part, and a phrase of several words too: keep back to the clause's end.
            cut = max(waiting.rfind(sign) for sign in ".,;:!?\n") + 1
            if cut:
                yield pronounced(waiting[:cut], self._words)
                waiting = waiting[cut:]
        if waiting:
            yield pronounced(waiting, self._words)
