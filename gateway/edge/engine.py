"""Keeps the SDK's media engine running while nobody calls.

WebRTC stops its engine with the last connection of a process, and starts it with the next. The SDK's audio device (1.1.21; rust-sdks,
webrtc-sys/src/adm_proxy.cpp) ends by that, and its Init does nothing. The SDK makes another with the first room after the last; but
where a room is being joined as the last goes, that one has the device that has ended. From then on packets come and nobody asks for
what is in them: each caller is deaf to their room, until a moment comes at which no room is there.

So one connection is there all the time: of a room that is being joined at a server that never answers. It has an offer, and neither
a network nor media.

It leans on a private part of the SDK, the room's queue of events: tests/contract/test_engine.py proves it on the installed version.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import structlog
from livekit import rtc
from livekit.rtc._ffi_client import FfiClient

from gateway.tasks import Tasks

HOST: Final = "127.0.0.1"
NEVER: Final = 10 * 365 * 86400.0
"""Seconds until the SDK stops waiting for the answer."""
GIVES_UP: Final = 2.0
"""Seconds that it may take to give up once the server is gone."""

log = structlog.get_logger(__name__)


@asynccontextmanager
async def running() -> AsyncIterator[None]:
    """The media engine runs while the context lasts. Enter it before the first room is joined."""
    async with Tasks("media engine") as tasks:
        with socket.create_server((HOST, 0)) as silent:  # the system lets the SDK in, and nobody reads what it asks
            joining = tasks.start(_join(silent, silent.getsockname()[1]), "keep the media engine")
            yield
        await asyncio.wait([joining], timeout=GIVES_UP)


async def _join(silent: socket.socket, port: int) -> None:
    # With one peer connection the SDK makes it before it asks the server, else after the answer.
    options = rtc.RoomOptions(auto_subscribe=False, single_peer_connection=True, connect_timeout=NEVER)
    room = rtc.Room()
    joining = asyncio.ensure_future(room.connect(f"ws://{HOST}:{port}", "nobody", options))
    await asyncio.sleep(0)
    # Until it is in, the room would keep all that the SDK tells of any room: 41 kB a call.
    FfiClient.instance.queue.unsubscribe(room._ffi_queue)
    try:
        await joining
    except rtc.ConnectError:
        if silent.fileno() >= 0:
            log.warning("the media engine stops between calls", remedy="Set no HTTP_PROXY for the edge.")
