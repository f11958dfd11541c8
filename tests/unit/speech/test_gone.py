"""Clients that break a request off midway: no error of the server's, and nothing is made for them any more."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, cast

import aiohttp
import pytest
from aiohttp import web

from gateway.errors import Unavailable
from gateway.speech.deepgram import Deepgram
from gateway.speech.deepgram_file import DeepgramFile
from gateway.speech.dialogue import http as dialogue
from gateway.speech.flite import Flite
from gateway.speech.openai_speech import SPOKEN, OpenAiSpeech

SECOND = bytes(48_000)


class Voice:
    """Speaks without an end, or breaks after a second of sound."""

    def __init__(self, *, breaks: bool = False) -> None:
        self.breaks, self.ended = breaks, False

    async def speak(self, pieces: Sequence[str], *, voice: str, speed: float) -> AsyncGenerator[bytes]:
        try:
            while True:
                yield SECOND
                if self.breaks:
                    raise Unavailable("flite can't speak that.")
        finally:
            self.ended = True


class Pool:
    """Its streams are only opened and closed."""

    def open(self, **_: object) -> Pool:
        return self

    def close(self) -> None:
        pass


@asynccontextmanager
async def serving(voice: Voice, *middlewares: Any) -> AsyncIterator[str]:
    """The server's address; as in its process, a handler isn't cancelled as its client goes."""
    app, pool = web.Application(middlewares=middlewares), cast(Any, Pool())
    speech = OpenAiSpeech(cast(Flite, voice))
    app.add_routes([*Deepgram(pool).routes(), *DeepgramFile(pool).routes(), *speech.routes(), *dialogue.routes()])
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        async with asyncio.timeout(10):
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def settled() -> None:
    """The server has done with all its clients."""
    while others := asyncio.all_tasks() - {asyncio.current_task()}:
        await asyncio.wait(others)


def spoken(outcome: str) -> float:
    return cast(float, SPOKEN.labels(outcome)._value.get())


def errors(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


async def test_whoever_goes_in_the_midst_of_a_sentence_is_counted_and_no_error(
    caplog: pytest.LogCaptureFixture,
) -> None:
    voice, before = Voice(), (spoken("gone"), spoken("spoken"))
    async with serving(voice) as server:
        async with aiohttp.ClientSession() as session:
            answer = await session.post(f"{server}/v1/audio/speech", json={"input": "Hello."})
            await answer.content.readexactly(4800)
            answer.close()
        await settled()
    assert voice.ended
    assert (spoken("gone"), spoken("spoken")) == (before[0] + 1, before[1])
    assert errors(caplog) == []


async def test_what_cant_be_spoken_to_its_end_breaks_off(caplog: pytest.LogCaptureFixture) -> None:
    before = spoken("failed")
    async with serving(Voice(breaks=True)) as server, aiohttp.ClientSession() as session:
        answer = await session.post(f"{server}/v1/audio/speech", json={"input": "Hello."})
        with pytest.raises(aiohttp.ClientPayloadError):
            await answer.read()
    assert spoken("failed") == before + 1
    assert not [one for one in errors(caplog) if "Error handling request" in one]


async def test_whoever_goes_in_the_midst_of_a_reply_is_no_error(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def endless(*_: object, **__: object) -> Iterator[dict[str, object]]:
        while True:
            yield {"choices": "x" * 4096}

    monkeypatch.setattr(dialogue, "chunks", endless)
    asked = {"messages": [{"role": "user", "content": "Hello"}], "stream": True}
    async with serving(Voice()) as server:
        async with aiohttp.ClientSession() as session:
            answer = await session.post(f"{server}/v1/chat/completions", json=asked)
            await answer.content.readexactly(100)
            answer.close()
        await settled()
    assert errors(caplog) == []


@pytest.mark.parametrize("path", ["/v1/audio/speech", "/v1/chat/completions", "/v1/listen"])
async def test_whoever_goes_before_all_is_asked_is_no_error(path: str, caplog: pytest.LogCaptureFixture) -> None:
    async with serving(Voice()) as server:
        _, writer = await asyncio.open_connection("127.0.0.1", int(server.rpartition(":")[2]))
        writer.write(f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{{".encode())
        await writer.drain()
        writer.close()
        await writer.wait_closed()
        await settled()
    assert errors(caplog) == []


async def test_whoever_goes_as_they_are_let_in_is_no_error(caplog: pytest.LogCaptureFixture) -> None:
    @web.middleware
    async def cut(request: web.Request, handler: Any) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.close()
        return cast(web.StreamResponse, await handler(request))

    async with serving(Voice(), cut) as server, aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.ClientError):
            await session.ws_connect(f"{server}/v1/listen?encoding=linear16&sample_rate=8000")
    assert errors(caplog) == []


async def test_anothers_broken_connection_is_an_error_still(caplog: pytest.LogCaptureFixture) -> None:
    class Broken(Voice):
        async def speak(self, pieces: Sequence[str], *, voice: str, speed: float) -> AsyncGenerator[bytes]:
            raise BrokenPipeError
            yield b""

    async with serving(Broken()) as server, aiohttp.ClientSession() as session:
        answer = await session.post(f"{server}/v1/audio/speech", data=json.dumps({"input": "Hello."}))
        assert answer.status == 500
    assert errors(caplog)
