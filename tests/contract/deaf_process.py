"""A process with two phones in one room, of which the second joins as the first, the only one, goes: prints how many frames of
what is said there the second hears.

python -m tests.contract.deaf_process URL KEY SECRET [--kept]
"""

from __future__ import annotations

import asyncio
import gc
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from urllib.parse import urlsplit

import numpy as np

from gateway.edge import engine
from gateway.edge.room import RoomLeg, warm
from gateway.edge.seat import LiveKit, Seat
from gateway.edge.switchboard import Switchboard
from gateway.net.signalling import relaying
from gateway.rtp import Samples
from gateway.tasks import Tasks
from tests.contract.test_room_memory import User
from tests.e2e.servers import until

ENOUGH = 25
"""Frames: half a second."""
WITHIN = 5.0
"""Seconds in which they are heard, or never."""


class Phone(User):
    """A call that counts what it hears."""

    def __init__(self) -> None:
        super().__init__()
        self.heard = 0

    def on_room_audio(self, frame: Samples) -> None:
        """Count it, if it is no silence."""
        self.heard += int(np.abs(frame.astype(int)).max()) > 1000


class Door:
    """A way to a server that opens later."""

    def __init__(self) -> None:
        self.knocked, self.open = asyncio.Event(), asyncio.Event()

    @asynccontextmanager
    async def to(self, url: str) -> AsyncIterator[str]:
        """The URL by which the server is reached while the context lasts, once it is open."""
        there = urlsplit(url)
        async with Tasks("door") as carrying:

            async def let_in(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                self.knocked.set()
                await self.open.wait()
                back, forth = await asyncio.open_connection(there.hostname, there.port)
                carrying.start(_carry(reader, forth))
                carrying.start(_carry(back, writer))

            async with await asyncio.start_server(let_in, "127.0.0.1", 0) as listening:
                yield f"ws://127.0.0.1:{listening.sockets[0].getsockname()[1]}"


async def _carry(one: asyncio.StreamReader, other: asyncio.StreamWriter) -> None:
    while some := await one.read(65536):
        other.write(some)
    other.close()


async def main(url: str, key: str, secret: str, *more: str) -> int:
    """How many frames the second hears."""
    await warm()
    async with AsyncExitStack() as stack:
        if "--kept" in more:
            await stack.enter_async_context(engine.running())
        relay, door, board = await stack.enter_async_context(relaying()), Door(), Switchboard()
        way = await stack.enter_async_context(door.to(url))
        first, second = Phone(), Phone()
        leaving = RoomLeg(LiveKit(url, key, secret), board, relay, first, "first")
        leaving.join(Seat("room", "first"), {})
        await until(lambda: first.heard >= ENOUGH)
        coming = RoomLeg(LiveKit(way, key, secret), board, relay, second, "second")
        coming.join(Seat("room", "second"), {})
        await asyncio.wait_for(door.knocked.wait(), WITHIN)
        await leaving.leave("")
        del leaving
        gc.collect()
        door.open.set()
        with suppress(TimeoutError):
            await until(lambda: second.heard >= ENOUGH, WITHIN)
        await coming.leave("")
        return second.heard


if __name__ == "__main__":
    print(asyncio.run(main(*sys.argv[1:])))
