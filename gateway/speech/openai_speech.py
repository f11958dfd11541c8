"""OpenAI's POST /v1/audio/speech on flite (https://platform.openai.com/docs/api-reference/audio/createSpeech)."""

from __future__ import annotations

import struct
import time
import uuid
from contextlib import aclosing
from typing import Literal

import structlog
from aiohttp import web
from pydantic import BaseModel, Field, ValidationError

from gateway.errors import Unavailable
from gateway.metrics import counter, seconds
from gateway.speech.flite import RATE, Flite
from gateway.speech.gone import broken_off, may_go
from gateway.speech.speaking import VOICES, pieces

SPOKEN = counter("speech_spoken", "Texts that were spoken, by outcome: spoken, failed, gone", "outcome")
FIRST_AUDIO = seconds("speech_first_audio", "From a text's arrival to its first audio")
_CHUNK = 4800
"""Bytes of one chunk: 100 ms."""

log = structlog.get_logger(__name__)


class SpeechRequest(BaseModel):
    """The request; what it doesn't name is passed over, as OpenAI does."""

    input: str = Field(min_length=1, max_length=4096)
    model: str = ""
    voice: str = "alloy"
    response_format: Literal["pcm", "wav"] = "pcm"
    speed: float = Field(1.0, ge=0.25, le=4.0)


class OpenAiSpeech:
    """The route."""

    def __init__(self, flite: Flite) -> None:
        self._flite = flite

    def routes(self) -> list[web.RouteDef]:
        """For the server."""
        return [web.post("/v1/audio/speech", may_go(self._speak, SPOKEN.labels("gone").inc))]

    async def _speak(self, request: web.Request) -> web.StreamResponse:
        started = time.monotonic()
        try:
            wanted = SpeechRequest.model_validate_json(await request.read())
            voice = VOICES[wanted.voice]
        except ValidationError as bad:
            told = bad.errors()[0]
            return refused(f"{'.'.join(map(str, told['loc'])) or 'body'}: {told['msg']}")
        except KeyError:
            return refused(f"voice: there are {', '.join(VOICES)}")
        parts = pieces(wanted.input.replace("\0", " "))
        headers = {"Content-Type": f"audio/{wanted.response_format}", "x-request-id": f"req_{uuid.uuid4().hex}"}
        response = web.StreamResponse(headers=headers)
        try:
            async with aclosing(self._flite.speak(parts, voice=voice, speed=wanted.speed)) as sounds:
                async for sound in sounds:
                    if not response.prepared:
                        FIRST_AUDIO.observe(time.monotonic() - started)
                        await _begin(response, request, wanted.response_format)
                    for first in range(0, len(sound), _CHUNK):
                        await response.write(sound[first : first + _CHUNK])
        except Unavailable as bad:
            SPOKEN.labels("failed").inc()
            log.error("a text couldn't be spoken", why=str(bad))
            if not response.prepared:
                return refused(str(bad), status=503, kind="server_error")
            return broken_off(request)
        if not response.prepared:  # nothing in it can be spoken
            await _begin(response, request, wanted.response_format)
        await response.write_eof()
        SPOKEN.labels("spoken").inc()
        return response


def refused(message: str, *, status: int = 400, kind: str = "invalid_request_error") -> web.Response:
    """An error as OpenAI tells it."""
    return web.json_response({"error": {"message": message, "type": kind, "param": None, "code": None}}, status=status)


async def _begin(response: web.StreamResponse, request: web.Request, form: str) -> None:
    await response.prepare(request)
    if form == "wav":
        # The length isn't known yet: the greatest there is, as OpenAI streams it.
        head = struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", 0xFFFFFFFF, b"WAVE", b"fmt ", 16, 1, 1, RATE, RATE * 2, 2, 16,
                           b"data", 0xFFFFFFFF)  # fmt: skip
        await response.write(head)
