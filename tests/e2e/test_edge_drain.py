"""An edge that is told to stop: its calls go on, new ones go elsewhere; what LiveKit's loss does to it."""

from __future__ import annotations

import asyncio
import signal
import time
from contextlib import AsyncExitStack, ExitStack
from pathlib import Path

import pytest
from livekit import api

from tests.e2e import sipp_steps as steps
from tests.e2e.edge_lab import DIALED, lab, make_trunks
from tests.e2e.edge_process import edge_process
from tests.e2e.room_peer import room_peer
from tests.e2e.rtp_probe import rtp_probe
from tests.e2e.servers import LiveKit, livekit_server, redis_server, until
from tests.e2e.sipp import sipp

pytestmark = pytest.mark.e2e
UP = (steps.invite(), steps.expect(180), steps.expect(200), steps.ack())
STAYS = steps.scenario(*UP, steps.pause(), steps.request("BYE"), steps.expect(200))
HUNG_UP_ON = steps.scenario(*UP, steps.serve("BYE"))
TURNED_AWAY = steps.scenario(steps.invite(), steps.refused(503, "Retry-After: "))


async def _rooms(livekit: LiveKit) -> set[str]:
    lk = livekit.api()
    try:
        return {room.name for room in (await lk.room.list_rooms(api.ListRoomsRequest())).rooms}
    finally:
        await lk.aclose()


async def _new_room(livekit: LiveKit, before: set[str]) -> str:
    async with asyncio.timeout(10):
        while not (new := await _rooms(livekit) - before):
            await asyncio.sleep(0.05)
    return new.pop()


@pytest.mark.parametrize("patient", [True, False])
async def test_a_deploy_cuts_no_call_unless_it_is_told_twice(
    servers: tuple[str, LiveKit], tmp_path: Path, patient: bool
) -> None:
    redis_url, livekit = servers
    before = await _rooms(livekit)
    async with edge_process(redis_url, livekit) as edge, rtp_probe() as phone:
        made = STAYS if patient else HUNG_UP_ON
        calling = sipp(tmp_path / "a", made, edge.address, DIALED, rtp=phone.port, pause=5)
        async with calling as caller, room_peer(livekit, await _new_room(livekit, before)):
            await phone.hears(600)
            edge.process.send_signal(signal.SIGTERM)
            await until(lambda: edge.ready() == "draining: 1 calls left")
            async with sipp(tmp_path / "b", TURNED_AWAY, edge.address, DIALED) as late:
                await late.ended()
            await phone.hears(600)
            if not patient:
                edge.process.send_signal(signal.SIGTERM)
            await caller.ended()
        assert await asyncio.wait_for(edge.process.wait(), 10) == 0


async def test_livekit_is_lost_and_comes_back(tmp_path: Path) -> None:
    """New calls are turned away at once, and taken at once after its return."""
    async with AsyncExitStack() as stack:
        redis_url = stack.enter_context(redis_server(tmp_path))
        livekit = ExitStack()
        found = livekit.enter_context(livekit_server(tmp_path, redis_url))
        stack.push(livekit)
        await make_trunks(found)
        edge = await stack.enter_async_context(lab(tmp_path, redis_url, found))
        async with edge.caller(STAYS, rtp=9, pause=0.2) as caller, edge.agent():
            await caller.ended()
        await edge.nothing_left()  # a livekit-server that is killed amid a leaving keeps the participant in its list
        livekit.close()
        lost = time.monotonic()
        await until(lambda: bool(edge.edge.edge.why_not_ready()))
        assert time.monotonic() - lost < 5.0
        async with edge.caller(TURNED_AWAY, rtp=9) as caller:
            await caller.ended()
        port = int(found.url.rpartition(":")[2])
        again = livekit.enter_context(livekit_server(tmp_path, redis_url, port=port))
        back = time.monotonic()
        await until(lambda: not edge.edge.edge.why_not_ready())
        assert time.monotonic() - back < 5.0
        assert again.url == found.url
        before = len(edge.rooms())
        async with edge.caller(STAYS, rtp=9, pause=0.2) as caller, edge.agent(before):
            await caller.ended()
        await edge.nothing_left()
