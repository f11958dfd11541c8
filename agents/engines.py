"""The engines behind the agents: LiveKit's Deepgram and OpenAI plugins, pointed at a cloud or at the local server.

A key means the cloud, an address any server that speaks the protocol, neither the local speech server.
"""

from __future__ import annotations

from dataclasses import dataclass

import aiohttp
from livekit.agents import NOT_GIVEN, APIConnectOptions, APIError, inference, vad
from livekit.agents.voice.agent_session import SessionConnectOptions
from livekit.plugins import deepgram, openai

from agents.where import voice, where
from gateway.conduct.port import Pcm
from gateway.config import Settings
from gateway.errors import Unavailable
from gateway.terms.catalogue import Line

TELEPHONE = 8000
"""Samples a second of what callers' telephones carry: nothing is won by more."""
ONCE = APIConnectOptions(max_retry=1, retry_interval=0.2, timeout=3.0)
CONNECT = SessionConnectOptions(
    stt_conn_options=ONCE, llm_conn_options=ONCE, tts_conn_options=ONCE, max_unrecoverable_errors=0
)
"""A caller in silence waits for each try: two, soon, then the caller is told."""


@dataclass(frozen=True, slots=True)
class Warm:
    """What a process makes once, before there is a call: the clients alone load certificates for a tenth of a second."""

    vad: vad.VAD
    turns: inference.TurnDetector
    llm: openai.LLM
    tts: openai.TTS


def warm(settings: Settings) -> Warm:
    """Make the engines that no call's route changes."""
    return Warm(
        # Short silences matter on the telephone, and speech on it is faint.
        vad=inference.VAD(min_speech_duration=0.05, min_silence_duration=0.25, activation_threshold=0.5),
        # Local, and pinned: the default asks a cloud.
        turns=inference.TurnDetector(version="v1-mini"),
        llm=thinking(settings),
        tts=speaking(settings),
    )


def hearing(settings: Settings, language: str, session: aiohttp.ClientSession | None = None) -> deepgram.STT:
    """Speech to text. `session`: needed outside of a job."""
    at = where(settings)
    return deepgram.STT(
        base_url=at.listen,
        api_key=at.listen_key,
        model="nova-3",
        language=language,
        sample_rate=TELEPHONE,
        interim_results=True,
        smart_format=at.cloud_hearing,
        numerals=at.cloud_hearing,
        http_session=session,
    )


def thinking(settings: Settings) -> openai.LLM:
    """The language model."""
    at = where(settings)
    return openai.LLM(model=settings.openai_model, base_url=at.openai or NOT_GIVEN, api_key=at.openai_key)


def speaking(settings: Settings) -> openai.TTS:
    """Text to speech."""
    at = where(settings)
    return openai.TTS(
        voice=settings.voice, response_format="pcm", base_url=at.openai or NOT_GIVEN, api_key=at.openai_key
    )


class Rendering:
    """Renders lines ahead of the calls (see gateway.conduct.port.Renderer)."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._tts: openai.TTS | None = None

    @property
    def voice(self) -> str:
        """What tells this voice from others."""
        return voice(self._settings)

    async def render(self, line: Line) -> Pcm:
        """The line's audio. Raises gateway.errors.Unavailable."""
        self._tts = self._tts or speaking(self._settings)
        sound = bytearray()
        try:
            async with self._tts.synthesize(line.spoken, conn_options=ONCE) as stream:
                async for event in stream:
                    sound += event.frame.data
        except APIError as bad:
            raise Unavailable("The voice's provider doesn't answer.") from bad
        return Pcm(self._tts.sample_rate, bytes(sound))
