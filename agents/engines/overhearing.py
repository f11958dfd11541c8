"""Understands who asks for a person, or never to be called again, by the recognizers that the agents hear with, and without loading any of them (see
gateway.conduct.talk.port.Overhearer): one phrase at a time, in Deepgram's protocol for recordings.

Source: https://developers.deepgram.com/reference/speech-to-text/listen-pre-recorded
"""

from __future__ import annotations

import io
import wave
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import aiohttp

from agents.engines.links import Link, chain
from gateway.conduct.talk.port import Pcm, Wants
from gateway.config import Settings
from gateway.donotcall.wish import no_more_calls
from gateway.errors import Unavailable
from gateway.speech.dialogue.phrases import Means, means, plain
from gateway.terms.engine import Engine

CONNECT_WITHIN, WITHIN = 0.5, 2.0
"""Seconds to reach a recognizer, and until it has answered: a caller who gets nowhere says it again, or presses 0."""


class Overhearing:
    """The overhearer of one job. Whoever has failed is asked last from then on."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    @cached_property
    def _links(self) -> list[Link]:
        return list(chain(Engine.STT, self._settings))

    async def wants(self, phrase: Pcm, language: str) -> Wants | None:
        """What the caller asks for; by English words where it isn't another language's. Raises Unavailable."""
        words = await self.transcribe(phrase, language)
        if no_more_calls(words):
            return Wants.NO_CALLS
        return Wants.PERSON if means(plain(words), Means.PERSON) else None

    async def transcribe(self, audio: Pcm, language: str) -> str:
        """The words of a phrase; "" for none. Raises Unavailable."""
        why: Exception | None = None
        timeout = aiohttp.ClientTimeout(total=WITHIN, sock_connect=CONNECT_WITHIN)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            for link in tuple(self._links):
                try:
                    return await _heard(session, link, audio, language)
                except (aiohttp.ClientError, TimeoutError, ValueError, LookupError, TypeError) as bad:
                    why = bad
                    self._links.remove(link)
                    self._links.append(link)
        raise Unavailable("No recognizer answers about a phrase.") from why


async def _heard(session: aiohttp.ClientSession, link: Link, phrase: Pcm, language: str) -> str:
    address = f"http{link.address.removeprefix('ws')}" if link.address.startswith("ws") else link.address
    asked = {"model": link.model or "nova-3", "language": language}
    headers = {"Authorization": f"Token {link.key}", "Content-Type": "audio/wav"}
    async with session.post(address, params=asked, data=_wav(phrase), headers=headers) as answer:
        answer.raise_for_status()
        told: Mapping[str, Any] = await answer.json()
    return " ".join(str(each["alternatives"][0]["transcript"]) for each in told["results"]["channels"])


def _wav(phrase: Pcm) -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(phrase.rate)
        file.writeframes(phrase.data)
    return out.getvalue()
