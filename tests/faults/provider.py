"""A provider that hears, thinks and speaks at once and exactly: what it was sent of an utterance is what it understands.

It takes its words from samples, not from sound: who sends it every sample of a word from beginning to end gets the word.
A word of which a sample is missing, or is there twice, is none.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
from aiohttp import WSMsgType, web

from gateway.phone.voice import Voice
from gateway.rtp import RATE, Samples, g711
from gateway.rtp.g711 import Codec
from gateway.tasks import Tasks

FRAME = RATE // 50
WORDS = ("please", "send", "Monday", "the", "invoice", "twice")
ANSWER = ("Of course. ", "We ", "send ", "the ", "invoice ", "on ", "Monday, ", "and ", "again ", "on ", "Tuesday.")
PER_LETTER = 0.04
"""Seconds of sound for a letter."""
SPOKEN_RATE = 24000
_QUIET = 0.4


@dataclass(frozen=True)
class Word:
    """A word of the utterance."""

    text: str
    first: int
    end: int
    """Samples."""


@dataclass(frozen=True)
class Utterance:
    """What is said to the recognizer."""

    sound: Samples
    words: Sequence[Word]

    @classmethod
    async def spoken(cls) -> Utterance:
        """The words, after half a second of silence."""
        pieces, words, at = [np.zeros(RATE // 2, np.int16)], [], RATE // 2
        for text in WORDS:
            sound = await Voice("rms").speak(text)
            sound = np.pad(sound, (0, -len(sound) % FRAME))
            words.append(Word(text, at, at + len(sound)))
            pieces.append(sound)
            at += len(sound)
        whole = np.concatenate(pieces)
        return cls(g711.decode(g711.encode(whole, Codec.PCMU), Codec.PCMU), words)


class Provider:
    """The routes. `utterance`: all that it can understand."""

    def __init__(self, utterance: Utterance) -> None:
        self.late = 0.0
        """Seconds that it takes to tell what it has heard."""
        self._words = utterance.words
        sound = utterance.sound
        self._places = {
            sound[at : at + FRAME].tobytes(): at
            for at in range(0, len(sound) - FRAME + 1, FRAME)
            if np.abs(sound[at : at + FRAME]).max() > 500
        }

    def app(self) -> web.Application:
        """To serve."""
        app = web.Application()
        app.add_routes(
            [
                web.get("/v1/listen", self._listen),
                web.post("/v1/chat/completions", _think),
                web.post("/v1/audio/speech", _speak),
                web.get("/v1/models", _models),
            ]
        )
        return app

    async def _listen(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        heard = _Heard(self._words, self._places)
        async with Tasks("telling") as tasks:
            await self._hear(socket, heard, tasks)
        return socket

    async def _hear(self, socket: web.WebSocketResponse, heard: _Heard, tasks: Tasks) -> None:
        async for message in socket:
            if message.type is WSMsgType.BINARY:
                for told in heard.more(message.data):
                    if self.late:
                        tasks.start(_tell(socket, told, self.late))
                    else:
                        await socket.send_json(told)
            elif message.type is WSMsgType.TEXT and json.loads(message.data)["type"] == "CloseStream":
                await socket.send_json({"type": "Metadata", "request_id": "r"})
                break


class _Heard:
    """What one connection has sent."""

    def __init__(self, words: Sequence[Word], places: dict[bytes, int]) -> None:
        self._words, self._places = words, places
        self._rest, self._at = b"", 0
        self._known: list[tuple[int, int]] = []
        """Frames that were recognized: where in the stream, and where in the utterance; in samples."""
        self._told: set[str] = set()
        self._started = False
        self._loud = 0

    def more(self, data: bytes) -> list[dict[str, object]]:
        told: list[dict[str, object]] = []
        self._rest += data
        while len(self._rest) >= FRAME * 2:
            frame, self._rest = self._rest[: FRAME * 2], self._rest[FRAME * 2 :]
            if (place := self._places.get(frame)) is not None:
                self._known.append((self._at, place))
                self._loud = self._at
                if not self._started:
                    self._started = True
                    told.append({"type": "SpeechStarted", "timestamp": self._at / RATE})
            self._at += FRAME
            told += self._results()
        return told

    def _results(self) -> list[dict[str, object]]:
        silent = self._at - self._loud >= _QUIET * RATE
        if not self._started or not (silent or self._at % (RATE // 5) == 0):
            return []
        new = [word for word in self._understood() if word.text not in self._told]
        if not new:
            return []
        if silent:
            self._started = False
            self._told |= {word.text for word in new}
        return [self._result(new, final=silent)]

    def _understood(self) -> list[Word]:
        """The words of which every loud frame was heard, once and in its place."""
        places = [place for _, place in self._known]
        found = []
        for word in self._words:
            wanted = sorted(place for place in self._places.values() if word.first <= place < word.end)
            if [place for place in places if word.first <= place < word.end] == wanted:
                found.append(word)
        return found

    def _result(self, words: Sequence[Word], *, final: bool) -> dict[str, object]:
        shift = next(at - place for at, place in self._known if place >= words[0].first)
        listed = [
            {
                "word": word.text,
                "start": (word.first + shift) / RATE,
                "end": (word.end + shift) / RATE,
                "confidence": 0.9,
            }
            for word in words
        ]
        alternative = {"transcript": " ".join(word.text for word in words), "confidence": 0.9, "words": listed}
        return {
            "type": "Results",
            "channel_index": [0, 1],
            "start": 0.0,
            "duration": self._at / RATE,
            "is_final": final,
            "speech_final": final,
            "channel": {"alternatives": [alternative]},
            "metadata": {"request_id": "r"},
        }


async def _tell(socket: web.WebSocketResponse, told: Mapping[str, object], late: float) -> None:
    await asyncio.sleep(late)  # the lateness itself
    with suppress(ConnectionError):
        await socket.send_json(told)


async def _think(request: web.Request) -> web.StreamResponse:
    await request.read()
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    base = {"id": "c", "object": "chat.completion.chunk", "created": 0, "model": "m"}
    for place, word in enumerate(ANSWER):
        finish = "stop" if place == len(ANSWER) - 1 else None
        chunk = {**base, "choices": [{"index": 0, "delta": {"content": word}, "finish_reason": finish}]}
        await response.write(f"data: {json.dumps(chunk)}\n\n".encode())
        await asyncio.sleep(0.005)
    await response.write(b"data: [DONE]\n\n")
    return response


async def _speak(request: web.Request) -> web.StreamResponse:
    text = (await request.json())["input"]
    response = web.StreamResponse(headers={"Content-Type": "audio/pcm"})
    await response.prepare(request)
    for first in range(0, len(text), 6):
        await response.write(b"\x01\x02" * round(len(text[first : first + 6]) * PER_LETTER * SPOKEN_RATE))
        await asyncio.sleep(0.005)
    return response


async def _models(_: web.Request) -> web.Response:
    return web.json_response({"object": "list", "data": []})
