"""What the SDK's native side keeps of the rooms we were in, on the installed SDK and an unmodified livekit-server."""

from __future__ import annotations

import asyncio
import ctypes
import gc
import platform
from collections.abc import Iterator, Mapping

import pytest

from gateway.edge.events import Event, Joined
from gateway.edge.room import RoomLeg, warm
from gateway.edge.seat import LiveKit, Seat
from gateway.edge.switchboard import Switchboard
from gateway.rtp import Samples
from tests.e2e.servers import livekit_server, redis_server

KEPT = 150_000
"""Bytes a room may leave behind: 287,000 are left by one that is kept, about 1,000 by one that isn't."""
ROOMS = 6


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
    """A call that only waits until it has joined."""

    def __init__(self) -> None:
        self.joined = asyncio.Event()

    def post(self, event: Event) -> None:
        if isinstance(event, Joined):
            self.joined.set()

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


async def visit(livekit: LiveKit, room: str) -> None:
    user = User()
    leg = RoomLeg(livekit, Switchboard(), user, room)
    leg.join(Seat(room, "caller"), {})
    await asyncio.wait_for(user.joined.wait(), 20)
    await leg.leave("")


@pytest.mark.long
@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc tells how much is in use")
async def test_a_room_we_have_left_is_not_kept(livekit: LiveKit) -> None:
    await warm()
    for number in range(2):  # what is made once
        await visit(livekit, f"first-{number}")
    before = in_use()
    for number in range(ROOMS):
        await visit(livekit, f"room-{number}")
    async with asyncio.timeout(40):  # the native side lets go on its own threads
        while in_use() - before > ROOMS * KEPT:
            await asyncio.sleep(0.1)
