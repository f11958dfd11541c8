"""What gateway.edge.heed and gateway.conduct.sfu.staying lean on, on the installed SDK and an unmodified livekit-server: a job whose
media is cut off is noticed by who hears it, and by itself, and one that is only silent isn't."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from livekit import api, rtc

from gateway.conduct.sfu.mouth import publishing
from gateway.conduct.sfu.staying import ASKS, TOPIC, Doubt, Staying, send_us
from gateway.edge.audio import QUIET, Ears, Mouth
from gateway.edge.heed import heed, heeded
from gateway.rtp import FRAME, FRAME_SECONDS, Samples
from gateway.tasks import cancelled
from tests.e2e.servers import LiveKit, livekit_server, redis_server, until
from tests.udp_relay import UdpRelay, udp_relay

BETWEEN = "127.0.0.2"
"""Where all media goes through the test."""
HEARD = 0.7
"""Seconds from the cut within which who hears it has noticed."""
FOUND = {"listens": 1.4, "hears nobody": 2.2}
"""Seconds within which the job itself has."""
BUSY = 0.8
"""What a busy machine may take in addition."""
SILENT = 3.0
"""Seconds of silence in which nobody notices anything."""


@dataclass
class Talk:
    """A job that says nothing, and the SIP service that hears it."""

    lk: api.LiveKitAPI
    media: UdpRelay
    job: rtc.Room
    edge: rtc.Room
    publication: rtc.RemoteTrackPublication
    participant: rtc.RemoteParticipant
    ports: frozenset[int]
    """The job's."""

    def cut(self) -> None:
        self.media.cut(self.ports)


async def joined(livekit: LiveKit, room: rtc.Room, who: str, kind: str, *, single: bool) -> None:
    token = api.AccessToken(livekit.key, livekit.secret).with_identity(who).with_kind(kind)
    token = token.with_grants(api.VideoGrants(room_join=True, room="r", agent=kind == "agent"))
    options = rtc.RoomOptions(single_peer_connection=single, auto_subscribe=kind != "agent")
    await room.connect(livekit.url, token.to_jwt(), options)


@pytest.fixture
async def talk(tmp_path: Path) -> AsyncIterator[Talk]:
    async with AsyncExitStack() as stack:
        redis_url = stack.enter_context(redis_server(tmp_path))
        livekit = stack.enter_context(livekit_server(tmp_path, redis_url, media_by=BETWEEN))
        media = await stack.enter_async_context(udp_relay((BETWEEN, livekit.media), ("127.0.0.1", livekit.media)))
        lk = await stack.enter_async_context(livekit.api())
        job, edge, source = rtc.Room(), rtc.Room(), rtc.AudioSource(24000, 1)
        stack.push_async_callback(source.aclose)
        came: asyncio.Future[tuple[rtc.RemoteTrackPublication, rtc.RemoteParticipant]] = asyncio.Future()
        edge.on("track_subscribed", lambda _, *told: came.set_result(told))
        await joined(livekit, edge, "edge", "sip", single=False)
        stack.push_async_callback(edge.disconnect)
        await until(lambda: media.carries)
        others = media.carries
        await joined(livekit, job, "job", "agent", single=True)
        stack.push_async_callback(job.disconnect)
        track = rtc.LocalAudioTrack.create_audio_track("voice", source)
        await job.local_participant.publish_track(track, publishing())
        publication, participant = await asyncio.wait_for(came, 10)
        await until(lambda: media.carries - others)
        yield Talk(lk, media, job, edge, publication, participant, media.carries - others)


async def test_who_hears_a_job_that_is_cut_off_has_it_filled(talk: Talk) -> None:
    assert heeded(talk.publication, talk.participant)
    heard: list[Samples] = []
    ears, track = Ears(heard.append), talk.publication.track
    assert track is not None
    ears.open(track)
    heeding = asyncio.create_task(heed(track, ears, "SCL_1"))
    await asyncio.sleep(SILENT)
    assert not sounds(heard), "it only listens"
    talk.cut()
    started = asyncio.get_running_loop().time()
    await until(lambda: sounds(heard), HEARD + BUSY)
    print(f"a sound {asyncio.get_running_loop().time() - started:.2f} s after the cut")
    ears.close_all()
    await asyncio.wait_for(heeding, 2.0)


def sounds(heard: list[Samples]) -> bool:
    return any(int(np.abs(frame.astype(int)).max()) > QUIET for frame in heard)


async def listens(talk: Talk, stack: AsyncExitStack) -> None:
    """Have the SIP service publish a caller who says nothing, whom the job hears."""
    mouth, came = Mouth("caller"), asyncio.Event()
    stack.push_async_callback(mouth.close)
    talk.job.on("track_published", lambda publication, _: publication.set_subscribed(True))
    talk.job.on("track_subscribed", lambda *_: came.set())
    options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE, red=False, dtx=False)
    await talk.edge.local_participant.publish_track(mouth.track, options)
    mouth.open()

    async def say() -> None:
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            mouth.say(np.zeros(FRAME, np.int16))
            due += FRAME_SECONDS
            await asyncio.sleep(due - loop.time())

    saying = asyncio.create_task(say())
    stack.push_async_callback(cancelled, saying)
    await asyncio.wait_for(came.wait(), 10)


@pytest.mark.parametrize("what", FOUND)
async def test_a_job_that_is_cut_off_finds_out_and_one_that_is_in_silence_does_not(talk: Talk, what: str) -> None:
    asked: list[str] = []

    async def ask() -> bool:
        asked.append("ask")
        return await send_us(talk.lk.room, talk.job)

    async def first() -> bool:
        asked.append("first")
        return True

    got: list[str] = []
    talk.job.on("data_received", lambda packet: got.append(packet.topic))
    others = list[str]()
    talk.edge.on("data_received", lambda packet: others.append(packet.topic))
    async with AsyncExitStack() as stack:
        if what == "listens":
            await listens(talk, stack)
        assert await send_us(talk.lk.room, talk.job)
        await until(partial(got.__contains__, TOPIC))
        staying = asyncio.create_task(Staying(talk.job, Doubt(lambda: True, ask, first)).astray())
        await asyncio.sleep(SILENT)
        assert asked in ([], ["ask"]), "something comes all the time"
        asked.clear()
        assert not others, "nobody else gets it"
        talk.cut()
        started = asyncio.get_running_loop().time()
        await asyncio.wait_for(staying, FOUND[what] + BUSY)
        print(f"a job that {what} has found it {asyncio.get_running_loop().time() - started:.2f} s after the cut")
        assert asked == [*["ask"] * ASKS, "first"]
