"""The fault server itself, before a small provider: what it does wrong is what it was told to, and nothing else."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.faults.faults import Does, Fault, Kind, Phase, kind_of
from tests.faults.server import FaultServer

SOON = 0.3
SPEECH = "/v1/audio/speech"


async def _speech(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    for _ in range(4):
        await response.write(b"x" * 100)
        await asyncio.sleep(0.01)
    return response


async def _listen(request: web.Request) -> web.WebSocketResponse:
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    async for message in socket:
        await socket.send_str(f"heard {message.data}")
    return socket


@pytest.fixture
async def faulty() -> AsyncIterator[FaultServer]:
    app = web.Application()
    app.add_routes([web.post(SPEECH, _speech), web.get("/v1/listen", _listen)])
    async with (
        asyncio.timeout(20),
        TestServer(app) as upstream,
        FaultServer(str(upstream.make_url("")).rstrip("/")) as server,
    ):
        yield server


@pytest.fixture
async def client(faulty: FaultServer) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(base_url=faulty.url) as session:
        yield session


async def spoken(client: aiohttp.ClientSession) -> tuple[int, bytes, str]:
    async with client.post(SPEECH, json={"input": "x" * 100_000}) as answer:
        return answer.status, await answer.read(), answer.headers.get("Retry-After", "")


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/v1/listen?model=nova", Kind.STT),
        ("/v1/chat/completions", Kind.LLM),
        ("/v1/audio/speech", Kind.TTS),
        ("/v1/speak?encoding=linear16", Kind.TTS),
        ("/v1/models", Kind.OTHER),
    ],
)
def test_a_request_is_known_by_its_path(path: str, kind: Kind) -> None:
    assert kind_of(path) is kind


async def test_without_a_fault_everything_passes(faulty: FaultServer, client: aiohttp.ClientSession) -> None:
    for _ in range(2):
        assert await spoken(client) == (200, b"x" * 400, "")
    async with client.ws_connect("/v1/listen") as socket:
        await socket.send_str("a")
        assert await socket.receive_str() == "heard a"
    assert faulty.seen == {Kind.TTS: 2, Kind.STT: 1}
    assert not faulty.struck


@pytest.mark.parametrize("status", [401, 429, 500])
async def test_a_status_is_answered(faulty: FaultServer, client: aiohttp.ClientSession, status: int) -> None:
    faulty.set(Kind.TTS, Fault(Does.STATUS, status=status, retry_after="7" if status == 429 else ""))
    got, _, after = await spoken(client)
    assert (got, after) == (status, "7" if status == 429 else "")
    faulty.clear()
    assert (await spoken(client))[0] == 200


@pytest.mark.parametrize("does", [Does.STALL, Does.HALF_OPEN])
@pytest.mark.parametrize("phase", Phase)
async def test_who_stalls_says_nothing_more(
    faulty: FaultServer, client: aiohttp.ClientSession, does: Does, phase: Phase
) -> None:
    faulty.set(Kind.TTS, Fault(does, phase))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(SOON):
            await spoken(client)
    faulty.clear()
    assert (await spoken(client))[0] == 200


@pytest.mark.parametrize("does", [Does.TRUNCATE, Does.GARBAGE])
@pytest.mark.parametrize("phase", Phase)
async def test_what_is_cut_or_garbled_is_an_error(
    faulty: FaultServer, client: aiohttp.ClientSession, does: Does, phase: Phase
) -> None:
    faulty.set(Kind.TTS, Fault(does, phase, times=1))
    with pytest.raises(aiohttp.ClientError):
        await spoken(client)
    assert (await spoken(client))[0] == 200, "one was to be struck"
    assert faulty.struck == {Kind.TTS: 1}


@pytest.mark.parametrize("phase", Phase)
async def test_what_is_late_or_drips_comes_whole(
    faulty: FaultServer, client: aiohttp.ClientSession, phase: Phase
) -> None:
    for fault in (Fault(Does.DELAY, phase, seconds=SOON), Fault(Does.DRIP, phase, rate=1000)):
        faulty.set(Kind.TTS, fault)
        started = time.monotonic()
        assert await spoken(client) == (200, b"x" * 400, "")
        assert time.monotonic() - started >= SOON * 0.9


async def test_an_open_websocket_is_struck_from_its_next_words_on(
    faulty: FaultServer, client: aiohttp.ClientSession
) -> None:
    async with client.ws_connect("/v1/listen") as socket:
        await socket.send_str("a")
        assert await socket.receive_str() == "heard a"
        faulty.set(Kind.STT, Fault(Does.GARBAGE, Phase.MIDDLE))
        await socket.send_str("b")
        assert await socket.receive_str() == '{"type": nonsense'
        await socket.send_str("c")
        with pytest.raises(TimeoutError):
            await socket.receive(timeout=SOON)
    faulty.set(Kind.STT, Fault(Does.STATUS, Phase.FIRST, status=429))
    async with client.ws_connect("/v1/listen") as socket:
        closed = await socket.receive(timeout=5)
        assert (closed.type, closed.data) == (aiohttp.WSMsgType.CLOSE, 1008)


async def test_open_connections_are_cut(faulty: FaultServer, client: aiohttp.ClientSession) -> None:
    async with client.ws_connect("/v1/listen") as socket:
        await faulty.until(lambda server: server.live(Kind.STT) == 1)
        assert faulty.cut(Kind.STT) == 1
        ended = await socket.receive(timeout=5)
        assert ended.type in {aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR}
    await faulty.until(lambda server: server.live(Kind.STT) == 0)
