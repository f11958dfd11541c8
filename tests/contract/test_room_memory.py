"""What the SDK's native side keeps of the rooms we were in, on the installed SDK and an unmodified livekit-server."""

from __future__ import annotations

import asyncio
import ctypes
import gc
import platform
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager

import pytest
from livekit import api, rtc

from gateway.edge.events import Event, Hearing, Joined, RoomGone
from gateway.edge.room import RoomLeg, warm
from gateway.edge.seat import LiveKit, Seat
from gateway.edge.switchboard import Switchboard
from gateway.net.signalling import Relay, relaying
from gateway.rtp import Samples
from tests.e2e.servers import livekit_server, redis_server

KEPT = 50_000
"""Bytes a room may leave behind: 160,000 and more are left by one that is kept, some 2,000 by one that isn't."""
ROOMS = 6
GONE_WITHIN = 5.0
"""Seconds until the server has nobody there any more: 0.1, on a busy machine one or two; 21 if it wasn't told."""


class _Memory(ctypes.Structure):
    """glibc's struct mallinfo2."""

    _fields_ = tuple(
        (name, ctypes.c_size_t)
        for name in [
            "arena",
            "ordblks",
            "smblks",
            "hblks",
            "hblkhd",
            "usmblks",
            "fsmblks",
            "uordblks",
            "fordblks",
            "keepcost",
        ]
    )


def in_use() -> int:
    """Bytes of native memory that somebody holds; exact, whatever is free between them."""
    gc.collect()
    told = ctypes.CDLL(None).mallinfo2
    told.restype = _Memory
    now = told()
    return int(now.uordblks) + int(now.hblkhd)


class User:
    """A call that only notes what comes."""

    def __init__(self) -> None:
        self.joined, self.hears = asyncio.Event(), asyncio.Event()
        self.put_out: asyncio.Queue[int] = asyncio.Queue()
        """Reasons, by which it was."""

    def post(self, event: Event) -> None:
        match event:
            case Joined():
                self.joined.set()
            case Hearing():
                self.hears.set()
            case RoomGone(reason):
                self.put_out.put_nowait(reason)

    def on_room_begins(self) -> None:
        """Nobody does."""

    def on_room_audio(self, frame: Samples) -> None:
        pass

    def on_room_key(self, key: str) -> None:
        pass

    def on_rpc(self, method: str, asked: Mapping[str, object]) -> Mapping[str, object]:
        return {}


@pytest.fixture
def livekit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveKit]:
    directory = tmp_path_factory.mktemp("servers")
    # Asking for our own address holds a room, too, until it is given up: 10 s, and longer for a name without DNS.
    with redis_server(directory) as redis_url, livekit_server(directory, redis_url, stun="127.0.0.1:9") as found:
        yield LiveKit(found.url, found.key, found.secret)


class Other:
    """Somebody who is in the room, and publishes all the time."""

    def __init__(self, asked: api.LiveKitAPI, room: rtc.Room) -> None:
        self.room, self._asked = room, asked.room

    async def put_out(self, identity: str) -> None:
        await self._asked.remove_participant(api.RoomParticipantIdentity(room=self.room.name, identity=identity))

    async def gone(self, identity: str) -> None:
        """Wait until the server has nobody of that name there; it needn't tell others of who was there for a moment only."""
        async with asyncio.timeout(GONE_WITHIN):
            while identity in await self._there():
                await asyncio.sleep(0.02)

    async def _there(self) -> set[str]:
        answer = await self._asked.list_participants(api.ListParticipantsRequest(room=self.room.name))
        return {one.identity for one in answer.participants}


@asynccontextmanager
async def other(livekit: LiveKit) -> AsyncIterator[Other]:
    token = api.AccessToken(livekit.key, livekit.secret).with_identity("other")
    room = rtc.Room()
    await room.connect(livekit.url, token.with_grants(api.VideoGrants(room_join=True, room="full")).to_jwt())
    source = rtc.AudioSource(8000, 1)
    await room.local_participant.publish_track(rtc.LocalAudioTrack.create_audio_track("other", source))
    try:
        async with api.LiveKitAPI(livekit.url, livekit.key, livekit.secret) as asked:
            yield Other(asked, room)
    finally:
        await room.disconnect()
        await source.aclose()


async def visit(livekit: LiveKit, relay: Relay, name: str, other: Other | None = None, *, stays: bool = False) -> None:
    """Be in a room for a moment: with whoever is there, and until they put us out if it `stays`."""
    user = User()
    leg = RoomLeg(livekit, Switchboard(), relay, user, name)
    leg.join(Seat(other.room.name if other else name, name), {})
    async with asyncio.timeout(20):
        await user.joined.wait()
        if other is not None:
            await user.hears.wait()
            if stays:
                await other.put_out(name)
                assert await user.put_out.get() == rtc.DisconnectReason.PARTICIPANT_REMOVED
    leaving = asyncio.create_task(leg.leave(""))
    if other is not None:
        await other.gone(name)
    await leaving
    assert user.put_out.empty()


@pytest.mark.long
@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc tells how much is in use")
@pytest.mark.parametrize("how", ["alone", "beside another", "put out"])
async def test_a_room_we_have_left_is_not_kept(livekit: LiveKit, how: str) -> None:
    await warm()
    async with relaying() as relay, other(livekit) as somebody:
        beside = somebody if how != "alone" else None
        for number in range(2):  # what is made once
            await visit(livekit, relay, f"first-{number}", beside, stays=how == "put out")
        before = in_use()
        for number in range(ROOMS):
            await visit(livekit, relay, f"room-{number}", beside, stays=how == "put out")
        async with asyncio.timeout(40):  # the native side lets go on its own threads
            while in_use() - before > ROOMS * KEPT:
                await asyncio.sleep(0.1)
