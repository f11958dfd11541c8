"""The engines behind the agents: chains of LiveKit's Deepgram and OpenAI plugins, pointed at clouds or at the local
server (see agents.engines.links).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from livekit.agents import NOT_GIVEN, APIConnectOptions, APIError, inference, llm, stt, tts
from livekit.agents.voice.agent_session import SessionConnectOptions
from livekit.plugins import deepgram, openai

from agents.engines.ears import Ears
from agents.engines.guide import TRY, Guide
from agents.engines.hearing import ChainSTT
from agents.engines.links import Link, chain, voice
from agents.engines.speaking import RATE, ChainTTS
from agents.engines.thinking import ChainLLM
from gateway.conduct.talk.port import Pcm
from gateway.config import Settings
from gateway.errors import Unavailable
from gateway.terms.catalogue import Line
from gateway.terms.engine import Engine

TELEPHONE = 8000
"""Samples a second of what callers' telephones carry: nothing is won by more."""
ONCE = APIConnectOptions(max_retry=1, retry_interval=0.2, timeout=3.0)
"""For what nobody waits for on the telephone."""
CONNECT = SessionConnectOptions(
    stt_conn_options=TRY, llm_conn_options=TRY, tts_conn_options=TRY, max_unrecoverable_errors=0
)
"""The chains try whom there is; then the caller is told."""
_DEEPGRAM_VOICE, _OPENAI_VOICES = "aura-2-andromeda-en", "gpt-4o-mini-tts"


@dataclass(frozen=True, slots=True)
class Warm:
    """What a process makes once, before there is a call: the clients alone load certificates for a tenth of a second."""

    ears: Ears
    turns: inference.TurnDetector
    llm: ChainLLM
    tts: ChainTTS
    guide: Guide = field(default_factory=Guide)
    """What every chain goes by."""


def warm(settings: Settings) -> Warm:
    """Make the engines that no call's route changes."""
    guide = Guide()
    return Warm(
        ears=Ears(),
        # Local, and pinned: the default asks a cloud.
        turns=inference.TurnDetector(version="v1-mini"),
        llm=thinking(settings, guide),
        tts=speaking(settings, guide),
        guide=guide,
    )


def hearing(
    settings: Settings,
    language: str,
    session: aiohttp.ClientSession | None = None,
    *,
    guide: Guide | None = None,
    ears: Ears | None = None,
) -> ChainSTT:
    """Speech to text. `session`: needed outside of a job. `ears`: see ChainSTT."""
    links = [(link, _recognizer(link, language, session)) for link in chain(Engine.STT, settings)]
    return ChainSTT(links, guide or Guide(), TELEPHONE, ears)


def thinking(settings: Settings, guide: Guide | None = None) -> ChainLLM:
    """The language model."""
    links = [(link, _model(link, settings)) for link in chain(Engine.LLM, settings)]
    return ChainLLM(links, guide or Guide(), settings.hedge)


def speaking(settings: Settings, guide: Guide | None = None) -> ChainTTS:
    """Text to speech."""
    return ChainTTS(_voices(settings), guide or Guide())


def _voices(settings: Settings) -> Sequence[tuple[Link, tts.TTS[Any]]]:
    return [(link, _voice(link, settings)) for link in chain(Engine.TTS, settings)]


def _recognizer(link: Link, language: str, session: aiohttp.ClientSession | None) -> stt.STT[Any]:
    return deepgram.STT(
        base_url=link.address,
        api_key=link.key,
        model=link.model or "nova-3",
        language=language,
        sample_rate=TELEPHONE,
        interim_results=True,
        # The local server's words are as they were said.
        smart_format=not link.local,
        numerals=not link.local,
        http_session=session,
    )


def _model(link: Link, settings: Settings) -> llm.LLM[Any]:
    return openai.LLM(model=link.model or settings.openai_model, base_url=link.address or NOT_GIVEN, api_key=link.key)


def _voice(link: Link, settings: Settings) -> tts.TTS[Any]:
    if link.deepgram:
        return deepgram.TTS(
            model=link.model or _DEEPGRAM_VOICE, base_url=link.address, api_key=link.key, sample_rate=RATE
        )
    return openai.TTS(
        model=link.model or _OPENAI_VOICES,
        voice=settings.voice,
        response_format="pcm",
        base_url=link.address or NOT_GIVEN,
        api_key=link.key,
    )


class Rendering:
    """Renders lines ahead of the calls (see gateway.conduct.talk.port.Renderer)."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._tts: tts.TTS[Any] | None = None

    @property
    def voice(self) -> str:
        """What tells this voice from others."""
        return voice(self._settings)

    async def render(self, line: Line) -> Pcm:
        """The line's audio. Raises gateway.errors.Unavailable."""
        # The first voice alone: what is rendered is kept under its name.
        self._tts = self._tts or _voices(self._settings)[0][1]
        sound = bytearray()
        try:
            async with self._tts.synthesize(line.spoken, conn_options=ONCE) as stream:
                async for event in stream:
                    sound += event.frame.data
        except APIError as bad:
            raise Unavailable("The voice's provider doesn't answer.") from bad
        return Pcm(self._tts.sample_rate, bytes(sound))
