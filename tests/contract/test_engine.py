"""What gateway.edge.engine is for, on the installed SDK and an unmodified livekit-server."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest
from livekit.rtc._ffi_client import FfiClient
from livekit.rtc._proto.ffi_pb2 import FfiEvent
from livekit.rtc._proto.room_pb2 import RoomEvent

from gateway.edge import engine
from tests.contract.deaf_process import ENOUGH
from tests.e2e.room_peer import room_peer
from tests.e2e.servers import livekit_server, redis_server, until


@pytest.mark.timeout(60)
@pytest.mark.parametrize("kept", [True, False])
async def test_who_joins_as_the_last_goes_hears_their_room_where_the_engine_is_kept(tmp_path: Path, kept: bool) -> None:
    with redis_server(tmp_path) as redis_url, livekit_server(tmp_path, redis_url) as livekit:
        async with room_peer(livekit, "room"):
            command = [sys.executable, "-m", "tests.contract.deaf_process", livekit.url, livekit.key, livekit.secret]
            process = await asyncio.create_subprocess_exec(
                *command, *(["--kept"] if kept else []), stdout=asyncio.subprocess.PIPE
            )
            told, _ = await process.communicate()
    heard = int(told.split()[-1])
    if kept:
        assert heard >= ENOUGH
    else:
        assert heard == 0, "the SDK has been mended: gateway.edge.engine isn't needed any more"


async def test_it_keeps_nothing_that_the_sdk_tells_of_other_rooms() -> None:
    queue = FfiClient.instance.queue
    before = len(queue._subscribers)
    async with engine.running():
        await until(
            lambda: len(queue._subscribers) == before + 1
        )  # what waits for the answer; the room's own is gone again
        queue.put(FfiEvent(room_event=RoomEvent(room_handle=1)))
        await asyncio.sleep(0)  # the loop brings it
        await asyncio.sleep(0)  # and who waits looks at it
        assert [kept.qsize() for kept, *_ in queue._subscribers[before:]] == [0]
    assert len(queue._subscribers) == before
