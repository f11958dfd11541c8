"""What gateway.edge.heed leans on, on the installed SDK and an unmodified livekit-server: a job whose media is cut off is noticed by
who hears it, and one that is only silent isn't."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from livekit import api, rtc

from gateway.conduct.sfu.mouth import publishing
from gateway.edge.audio import QUIET, Ears
from gateway.edge.heed import heed, heeded
from gateway.rtp import Samples
from tests.e2e.servers import LiveKit, livekit_server, redis_server, until
from tests.udp_relay import UdpRelay, udp_relay

BETWEEN = "127.0.0.2"
"""Where all media goes through the test."""
HEARD = 0.7
"""Seconds from the cut within which who hears it has noticed."""
BUSY = 0.8
"""What a busy machine may take in addition."""
SILENT = 3.0
"""Seconds of silence in which nobody notices anything."""


@dataclass
class Talk:
    """A job that says nothing, and the SIP service that hears it."""

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
    await room.connect(livekit.url, token.to_jwt(), rtc.RoomOptions(single_peer_connection=single))


@pytest.fixture
async def talk(tmp_path: Path) -> AsyncIterator[Talk]:
    async with AsyncExitStack() as stack:
        redis_url = stack.enter_context(redis_server(tmp_path))
        livekit = stack.enter_context(livekit_server(tmp_path, redis_url, media_by=BETWEEN))
        media = await stack.enter_async_context(udp_relay((BETWEEN, livekit.media), ("127.0.0.1", livekit.media)))
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
        yield Talk(media, job, edge, publication, participant, media.carries - others)


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
