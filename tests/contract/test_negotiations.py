"""What a job and an unmodified livekit-server have to tell each other while many phones ring: it must come to an end."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from types import SimpleNamespace
from typing import cast

import aiohttp
import pytest
from livekit import api, rtc
from livekit.agents import AutoSubscribe, JobContext
from livekit.agents.job import _apply_auto_subscribe_opts

from gateway.app.job import _Job
from gateway.calls.hearing import ATTENDED, consults
from gateway.conduct.sfu.hearing import Hearing
from gateway.rtp import RATE
from tests.e2e.servers import LiveKit, free_port, livekit_server, redis_server, until

TRACKS = 8
"""That are published at once: more than the three media sections for audio with which the SDK joins."""
TIMES = 4
QUIET = 1.0
"""Seconds without a negotiation after which there is no more to come: an endless one has fifteen."""
_ANSWERS = re.compile(r'^livekit_node_service_operation\{.*type="answer".*\} (\S+)$', re.MULTILINE)


@dataclass(frozen=True)
class Server:
    """A livekit-server, and the port of its metrics."""

    livekit: LiveKit
    metrics: int

    def token(self, identity: str) -> str:
        grants = api.VideoGrants(room_join=True, room="ring", agent=identity == "job")
        token = api.AccessToken(self.livekit.key, self.livekit.secret).with_identity(identity)
        return token.with_kind("agent" if identity == "job" else "standard").with_grants(grants).to_jwt()

    async def answers(self, session: aiohttp.ClientSession) -> float:
        """How many offers it has answered so far."""
        async with session.get(f"http://127.0.0.1:{self.metrics}/metrics") as told:
            return sum(map(float, _ANSWERS.findall(await told.text())))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    directory, metrics = tmp_path_factory.mktemp("servers"), free_port()
    with (
        redis_server(directory) as redis_url,
        livekit_server(directory, redis_url, metrics=metrics) as found,
    ):
        yield Server(found, metrics)


@asynccontextmanager
async def somebody(server: Server, identity: str) -> AsyncIterator[rtc.Room]:
    room = rtc.Room()
    await room.connect(server.livekit.url, server.token(identity), rtc.RoomOptions(auto_subscribe=False))
    try:
        yield room
    finally:
        await room.disconnect()


@asynccontextmanager
async def a_job(server: Server) -> AsyncIterator[tuple[rtc.Room, Hearing]]:
    """A job that talks with "caller", in its room as `gateway.app.job` and livekit-agents join it."""
    room = rtc.Room()

    async def connect(*, auto_subscribe: AutoSubscribe, single_peer_connection: bool) -> None:
        options = rtc.RoomOptions(auto_subscribe=False, single_peer_connection=single_peer_connection)
        await room.connect(server.livekit.url, server.token("job"), options)
        _apply_auto_subscribe_opts(room, auto_subscribe)

    job = object.__new__(_Job)
    job._context = cast(JobContext, SimpleNamespace(connect=connect))
    job.connected = asyncio.get_running_loop().create_future()
    async with AsyncExitStack() as stack:
        lk = server.livekit.api()
        stack.push_async_callback(lk.aclose)
        hearing = await stack.enter_async_context(Hearing(room, lk.room, "caller"))
        await job._connect(hearing, talks=True)
        stack.push_async_callback(room.disconnect)
        yield room, hearing


async def publish(room: rtc.Room, source: rtc.AudioSource, name: str) -> str:
    track = rtc.LocalAudioTrack.create_audio_track(name, source)
    return (await room.local_participant.publish_track(track)).sid


async def quiet(server: Server, within: float) -> None:
    """Return once nothing has been negotiated for QUIET seconds. Raises TimeoutError."""
    before, since = -1.0, time.monotonic()
    async with aiohttp.ClientSession() as session, asyncio.timeout(within):
        while time.monotonic() - since < QUIET:
            if (answers := await server.answers(session)) != before:
                before, since = answers, time.monotonic()
            await asyncio.sleep(0.1)


async def test_phones_that_ring_and_fall_silent_leave_nothing_to_negotiate(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A track that is left, or gone, before it is negotiated may leave a media section that livekit-server (1.13.5) asks for after
    each of its answers. So whoever isn't to be heard must never be asked for, not even for a moment."""
    asked: list[str] = []
    ask = rtc.RemoteTrackPublication.set_subscribed

    def noted(publication: rtc.RemoteTrackPublication, subscribed: bool) -> None:
        asked.extend([publication.name] * subscribed)
        ask(publication, subscribed)

    monkeypatch.setattr(rtc.RemoteTrackPublication, "set_subscribed", noted)
    async with a_job(server) as (_, hearing), somebody(server, "leg-1") as phone:
        hearing.set(consults(()))
        source = rtc.AudioSource(RATE, 1)
        for _ in range(TIMES):
            sids = await asyncio.gather(*(publish(phone, source, f"phone {one}") for one in range(TRACKS)))
            await asyncio.gather(*(phone.local_participant.unpublish_track(sid) for sid in sids))
        await quiet(server, 15)
        assert not asked
        await source.aclose()


async def test_a_caller_is_heard_before_it_is_said_who_hears_whom_and_again_after_a_handoff(server: Server) -> None:
    async with somebody(server, "caller") as caller:
        source = rtc.AudioSource(RATE, 1)
        await publish(caller, source, "caller")
        async with a_job(server) as (room, hearing):
            heard: list[str] = []
            room.on("track_subscribed", lambda *_: heard.append("subscribed"))
            room.on("track_unsubscribed", lambda *_: heard.append("left"))
            await until(lambda: heard == ["subscribed"])
            hearing.set(ATTENDED)
            hearing.set(consults(()))
            await until(lambda: heard == ["subscribed", "left"])
            hearing.set(ATTENDED)
            await until(lambda: heard == ["subscribed", "left", "subscribed"])
        await source.aclose()
