"""Calls through the edge, as only its own process and settings show; tests/contract/sip has the rest."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, ExitStack, suppress
from functools import partial
from pathlib import Path

import pytest
from livekit import api

from gateway.app import edge as app
from gateway.config import Settings
from gateway.net.media import Media
from gateway.rtp.session import Timeouts
from gateway.sip.transaction import Timers
from gateway.terms.ending import Party
from tests.e2e.edge_lab import (
    Lab,
    lab,
    make_trunks,
    open_sockets,
    rtp_ports,
)
from tests.e2e.rtp_probe import rtp_probe
from tests.e2e.servers import LiveKit, free_port, livekit_server, redis_server, until

pytestmark = pytest.mark.e2e
Servers = tuple[str, LiveKit]


@pytest.fixture
async def edge(servers: Servers, tmp_path: Path) -> AsyncIterator[Lab]:
    """The edge; afterwards nothing may be left of any call."""
    async with lab(tmp_path, *servers) as made:
        yield made
        await made.nothing_left()
        assert rtp_ports() == set()


async def test_calls_beyond_the_limit(servers: Servers, tmp_path: Path) -> None:
    async with lab(tmp_path, *servers, OFFHOOK_EDGE_CALLS=1) as edge:
        async with edge.caller("cancelled", rtp=9, pause=1.5) as first:
            await edge.room()
            async with edge.caller("refused_at_once", rtp=9, status="503", headers="Retry-After: 5") as second:
                await second.ended()
            await first.ended()
        await edge.nothing_left()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    def media(settings: Settings, host: str) -> Media:
        return Media(host, settings.rtp_first, settings.rtp_last, timeouts=Timeouts(1.5, 1.0))

    monkeypatch.setattr(app, "_media", media)


@pytest.mark.parametrize("ever", [True, False])
@pytest.mark.usefixtures("impatient")
async def test_media_that_stops_coming(servers: Servers, tmp_path: Path, ever: bool) -> None:
    async with lab(tmp_path, *servers) as edge:
        async with rtp_probe() as phone, edge.caller("hung_up_on", rtp=phone.port) as caller, edge.agent() as agent:
            phone.muted = not ever
            phone.tone = 440
            if ever:
                await agent.hears(440)
                phone.muted = True
            await caller.ended()
            await until(lambda: agent.left)
            assert agent.statuses[-1] == "hangup"
        ended = await edge.end()
        assert (ended.by, ended.sip_text) == (Party.NETWORK, "media-timeout")
        await edge.nothing_left()


async def test_stopping_ends_every_call(servers: Servers, tmp_path: Path) -> None:
    async with lab(tmp_path, *servers) as edge, rtp_probe() as phone:
        async with edge.caller("hung_up_on", rtp=phone.port) as talking, edge.agent():
            await phone.hears(600)
            async with edge.caller("refused", rtp=9, status="503") as ringing:
                await edge.room(1)
                await edge.edge.edge.stop()
                await talking.ended()
                await ringing.ended()
        async with edge.caller("refused_at_once", rtp=9, status="503", headers="Retry-After: 5") as late:
            await late.ended()
        assert {(await edge.end(number)).by for number in (0, 1)} == {Party.GATEWAY}
        await edge.nothing_left()


async def test_no_bus(tmp_path: Path) -> None:
    with redis_server(tmp_path) as redis_url:
        # Redis without a livekit-server: nobody answers for trunks and rules.
        async with lab(tmp_path, redis_url, LiveKit("ws://127.0.0.1:9", "key", "s" * 32)) as edge:
            async with edge.caller("refused_at_once", rtp=9, status="503", headers="Retry-After: 5") as caller:
                await caller.ended()
            async with edge.caller("request", method="OPTIONS", status="503") as carrier:
                await carrier.ended()


async def test_redis_is_lost_and_comes_back(tmp_path: Path) -> None:
    port = free_port()
    async with AsyncExitStack() as stack:
        redis = ExitStack()
        redis_url = redis.enter_context(redis_server(tmp_path, port))
        livekit = stack.enter_context(livekit_server(tmp_path, redis_url))
        await make_trunks(livekit)
        edge = await stack.enter_async_context(lab(tmp_path, redis_url, livekit))
        phone = await stack.enter_async_context(rtp_probe())
        talking = await stack.enter_async_context(edge.caller("call", rtp=phone.port, pause=40))
        await stack.enter_async_context(edge.agent())
        await phone.hears(600)
        redis.close()
        began = time.monotonic()
        async with edge.caller("refused_at_once", rtp=9, status="503", headers="Retry-After: 5") as caller:
            await caller.ended()
        assert caller.times()[-1]["final"] < 3.0
        assert time.monotonic() - began < 10.0
        with redis_server(tmp_path, port):
            await make_trunks(livekit)
            back = time.monotonic()
            await until(lambda: not edge.edge.edge._ready())
            assert time.monotonic() - back < 5.0
            await _takes_rooms(edge)  # livekit-server finds itself in an empty Redis only after a while
            async with edge.caller("cancelled", rtp=9, pause=0.3) as caller:
                await caller.ended()
            phone.heard.clear()
            await phone.hears(600)  # the call of before goes on
            talking.go_on()
            await talking.ended()


async def test_a_livekit_server_that_cant_be_joined(
    servers: Servers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fine(*_: object) -> bool:
        return True

    monkeypatch.setattr(app.LiveKitLook, "_look", fine)  # its signalling is gone, its health isn't
    redis_url, livekit = servers
    async with lab(tmp_path, redis_url, LiveKit("ws://127.0.0.1:9", livekit.key, livekit.secret)) as edge:
        async with edge.caller("refused", rtp=9, status="503") as caller:
            await caller.ended()
        assert (await edge.end()).sip_text == "the room can't be joined"


async def test_an_answer_that_is_never_acknowledged(
    servers: Servers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app.sip_udp, "serve", partial(app.sip_udp.serve, timers=Timers(t1=0.03)))
    async with lab(tmp_path, *servers) as edge:
        async with rtp_probe() as phone, edge.caller("not_acknowledged", rtp=phone.port) as caller, edge.agent():
            await caller.ended()
        ended = await edge.end()
        assert (ended.by, ended.sip_text) == (Party.NETWORK, "no-ack")
        await edge.nothing_left()


async def test_many_calls_leave_no_socket_and_no_task(edge: Lab) -> None:
    async def round_of_calls() -> None:
        for pause in (0.0, 0.03, 0.06, 0.09, 0.2):
            async with edge.caller("cancelled", rtp=9, pause=pause) as caller:
                await caller.ended()
        number = len(edge.rooms())
        async with edge.caller("call", rtp=9, pause=0.2) as caller, edge.agent(number):
            await caller.ended()
        await edge.nothing_left()

    await round_of_calls()  # what the SDK and Redis open once
    gc.collect()
    before = open_sockets(), len(asyncio.all_tasks())
    await round_of_calls()
    gc.collect()
    await until(lambda: len(asyncio.all_tasks()) <= before[1] and open_sockets() <= before[0])


async def _takes_rooms(edge: Lab) -> None:
    async with asyncio.timeout(15):
        while True:
            with suppress(api.TwirpError):
                await edge.lk.room.create_room(api.CreateRoomRequest(name="probe"))
                return
            await asyncio.sleep(0.1)
