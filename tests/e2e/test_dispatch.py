"""Control on real servers, when nothing works but LiveKit's API: no webhook comes, no call state is told, no job comes."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest
from livekit import api, rtc

from gateway.calls.hearing import leg
from gateway.calls.shared.presence import BEAT, Presence
from gateway.calls.shared.working import Working
from gateway.dispatch.forsaken import AFTER
from gateway.redis_client import open_client
from gateway.tasks import Tasks
from gateway.terms.call import Pool
from tests.e2e.servers import LiveKit, free_port, livekit_server, redis_server, until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

FOUND_WITHIN = 4.0
"""Seconds: the look at the rooms every 2 s, and a busy machine."""


@dataclass
class World:
    """A LiveKit that tells nobody anything, and controls beside it."""

    livekit: LiveKit
    lk: api.LiveKitAPI

    async def dispatches(self, room: str) -> list[dict[str, object]]:
        """What the room's dispatches carry now."""
        there = await self.lk.agent_dispatch.list_dispatch(room)
        return [json.loads(one.metadata) for one in there if one.agent_name.startswith("offhook-")]

    async def dispatched(self, room: str, epoch: int, within: float) -> None:
        """Return once exactly the dispatch of that epoch is there."""
        async with asyncio.timeout(within):
            while [one["epoch"] for one in await self.dispatches(room)] != [epoch]:
                await asyncio.sleep(0.05)

    @asynccontextmanager
    async def caller(self, room: str, dialed: str) -> AsyncIterator[rtc.Room]:
        """A SIP participant, as a SIP service's are, of which nobody hears."""
        attributes = {
            "sip.callID": f"SCL_{room[-6:]}",
            "sip.ruleID": "SDR_1",
            "sip.trunkPhoneNumber": dialed,
            "sip.phoneNumber": "anonymous",
        }
        async with self.phone(room, "sip_caller", attributes) as made:
            yield made

    @asynccontextmanager
    async def phone(self, room: str, identity: str, attributes: dict[str, str]) -> AsyncIterator[rtc.Room]:
        """A SIP participant."""
        token = (
            api.AccessToken(self.livekit.key, self.livekit.secret)
            .with_identity(identity)
            .with_kind("sip")
            .with_attributes(attributes)
            .with_grants(api.VideoGrants(room_join=True, room=room))
        )
        made = rtc.Room()
        await made.connect(self.livekit.url, token.to_jwt())
        track = rtc.LocalAudioTrack.create_audio_track("caller", rtc.AudioSource(8000, 1))
        await made.local_participant.publish_track(track)
        try:
            yield made
        finally:
            await made.disconnect()


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str, LiveKit]]:
    directory = tmp_path_factory.mktemp("servers")
    with (
        redis_server(directory) as redis_url,
        livekit_server(directory, redis_url) as livekit,
        _control(directory, redis_url, livekit),
        _control(directory, redis_url, livekit),
    ):
        yield directory, redis_url, livekit


@pytest.fixture
async def world(servers: tuple[Path, str, LiveKit]) -> AsyncIterator[World]:
    _, redis_url, livekit = servers
    lk = livekit.api()
    async with aclosing(open_client(redis_url)) as redis, Tasks("workers") as tasks:
        tasks.start(_workers(Presence(redis)), "workers")
        yield World(livekit, lk)
    await lk.aclose()


async def _workers(presence: Presence) -> None:
    """Say that workers are there, though none comes."""
    while True:
        for pool in Pool:
            await presence.beat(pool, "worker", Working(True, 0, 20))
        await asyncio.sleep(BEAT)


@contextmanager
def _control(directory: Path, redis_url: str, livekit: LiveKit) -> Iterator[int]:
    """One of several controls, ready; the port of its HTTP endpoint."""
    port = free_port()
    environment = {
        **os.environ,
        "LIVEKIT_URL": livekit.url,
        "LIVEKIT_API_KEY": livekit.key,
        "LIVEKIT_API_SECRET": livekit.secret,
        "REDIS_URL": redis_url,
        "OFFHOOK_STATE": str(directory),
        "OFFHOOK_HTTP_PORT": str(port),
        "OFFHOOK_DIALPLANS": str(Path(__file__).parent / "plans"),
    }
    with (directory / f"control-{port}.log").open("wb") as log:
        process = subprocess.Popen([sys.executable, "-m", "gateway", "control"], env=environment, stderr=log)
        try:
            asyncio.run(_ready(process, port))
            yield port
        finally:
            process.terminate()
            assert process.wait(15) == 0


async def _ready(process: subprocess.Popen[bytes], port: int) -> None:
    async with aiohttp.ClientSession() as session, asyncio.timeout(30):
        while True:
            assert process.poll() is None
            try:
                async with session.get(f"http://127.0.0.1:{port}/readyz") as answer:
                    if answer.status == 200:
                        return
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.05)


async def test_a_call_that_nobody_told_of_is_found_and_given_one_job_by_two_controls(world: World) -> None:
    async with world.caller("call-_found1", "+15105550100"):
        await world.dispatched("call-_found1", 1, FOUND_WITHIN)
        assert await world.dispatches("call-_found1") == [{"call": "SCL_found1", "epoch": 1, "late": 0}]


@pytest.mark.long
async def test_a_job_that_does_not_come_is_replaced_until_the_caller_is_told(world: World) -> None:
    """Three of the agents', four of the house's."""
    async with world.caller("call-_nojob1", "+15105550100") as room:
        for epoch in range(1, 8):
            await world.dispatched("call-_nojob1", epoch, FOUND_WITHIN + 4)
        await until(lambda: not room.isconnected())


async def test_a_livekit_sip_is_told_the_status_to_end_the_call_with(world: World) -> None:
    payloads: list[str] = []
    async with world.caller("call-_livekit", "+15105550900") as room:

        @room.local_participant.register_rpc_method("lk.sip.EndCall")
        async def end_call(invocation: rtc.RpcInvocationData) -> str:
            payloads.append(invocation.payload)
            return "{}"

        await until(lambda: not room.isconnected(), FOUND_WITHIN)
    assert [json.loads(payload) for payload in payloads] == [{"headers": {"Reason": 'SIP;cause=603;text="Decline"'}}]


async def test_a_rejected_caller_is_told_why_and_put_out(world: World) -> None:
    statuses: list[str] = []
    async with world.caller("call-_reject", "+15105550900") as room:
        room.on("participant_attributes_changed", lambda changed, _: statuses.append(changed.get("offhook.reject", "")))
        await until(lambda: not room.isconnected(), FOUND_WITHIN)
    assert "603" in statuses
    assert await world.dispatches("call-_reject") == []


@pytest.mark.long
async def test_whoever_was_rung_isnt_left_alone_in_the_room_of_a_call_that_is_over(world: World) -> None:
    async with world.phone("call-_alone1", leg("dial-1"), {"sip.callID": "SCL_rung"}) as room:
        await until(lambda: not room.isconnected(), AFTER + 2 * FOUND_WITHIN)


async def test_another_applications_room_is_left_alone(world: World) -> None:
    async with world.caller("plain-_room01", "+15105550100"), world.caller("call-_other1", "+15105550100"):
        await world.dispatched("call-_other1", 1, FOUND_WITHIN)
        assert await world.dispatches("plain-_room01") == []
