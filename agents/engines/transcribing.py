"""Writes recordings down, by the plugin that the agents hear with (see gateway.conduct.talk.port.Transcriber)."""

from __future__ import annotations

from collections.abc import Iterator

import aiohttp
import numpy as np
from livekit import rtc
from livekit.agents import APIConnectOptions, APIError

from agents.engines import chains as engines
from gateway.conduct.talk.port import Pcm
from gateway.config import Settings
from gateway.errors import Unavailable

PIECE = 50.0
"""Seconds sent at once, at most: the plugin gives each half a minute."""
_LOOK = 5.0
"""Seconds at a piece's end in which its quietest moment is cut."""
_MOMENT = 0.1
_OPTIONS = APIConnectOptions(max_retry=1, retry_interval=0.5, timeout=5.0)


class Transcribing:
    """The transcriber."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    async def transcribe(self, audio: Pcm, language: str) -> str:
        """The words; raises Unavailable."""
        said = []
        async with aiohttp.ClientSession() as session:
            hearing = engines.hearing(self._settings, language, session)
            for piece in pieces(audio):
                frame = rtc.AudioFrame(piece, audio.rate, 1, len(piece) // 2)
                try:
                    event = await hearing.recognize([frame], conn_options=_OPTIONS)
                except APIError as bad:
                    raise Unavailable("What hears doesn't answer.") from bad
                said += [event.alternatives[0].text] if event.alternatives else []
        return " ".join(text.strip() for text in said if text.strip())


def pieces(audio: Pcm) -> Iterator[bytes]:
    """The audio in pieces of PIECE seconds at most, cut where it is quietest."""
    samples = np.frombuffer(audio.data, np.int16)
    longest, look, moment = (round(seconds * audio.rate) for seconds in (PIECE, _LOOK, _MOMENT))
    while len(samples) > longest:
        end = samples[longest - look : longest].astype(np.float64) ** 2
        loud = np.convolve(end, np.ones(moment), "valid")
        cut = longest - look + int(loud.argmin()) + moment // 2
        yield samples[:cut].tobytes()
        samples = samples[cut:]
    yield samples.tobytes()
