"""A job that is cut off from LiveKit, and not from Redis: it can't be heard, and must let another have its caller."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from pathlib import Path

import pytest

from agents.echo import CHIME
from gateway.conduct.sfu.reach import LOOK, LOST
from gateway.conduct.sfu.room import ASTRAY
from gateway.phone.call import silence
from gateway.terms.event import Kind
from tests.chaos.proxy import proxy
from tests.e2e.edge_lab import make_trunks
from tests.e2e.job_lab import desk, worker
from tests.e2e.servers import free_port, livekit_server, redis_server, until
from tests.udp_relay import udp_relay

pytestmark = [pytest.mark.e2e, pytest.mark.long]

BETWEEN = "127.0.0.2"
"""Where all media goes through the test."""
BUSY = 2.0
"""What a busy machine may take in addition."""


async def test_a_job_that_is_cut_off_from_livekit_gives_its_call_to_another(tmp_path: Path) -> None:
    with redis_server(tmp_path) as redis_url, livekit_server(tmp_path, redis_url, media_by=BETWEEN) as livekit:
        await make_trunks(livekit)
        port = free_port()
        async with (
            udp_relay((BETWEEN, livekit.media), ("127.0.0.1", livekit.media)) as media,
            proxy(port, int(livekit.url.rpartition(":")[2])) as signals,
            worker(tmp_path, redis_url, replace(livekit, url=f"ws://127.0.0.1:{port}")) as house,
            desk(tmp_path, redis_url, livekit) as line,
        ):
            phone = await line.dial()
            await phone.answered()
            await phone.tone([CHIME[-1]])
            call = await line.call()
            [job] = house.jobs()
            ports = {each.laddr.port for each in job.net_connections("udp")}
            assert ports & media.carries
            media.cut(ports)
            signals.hold()
            cut = time.monotonic()
            assert await line.store.holder(call.id)
            left = await line.told(call, Kind.LEFT, LOST + 3 * LOOK + BUSY)
            print(f"the job says that it leaves {time.monotonic() - cut:.1f} s after the cut")
            assert left.data == {"epoch": 1, "why": ASTRAY}
            async with asyncio.timeout(BUSY):
                while await line.store.holder(call.id) is not None:
                    await asyncio.sleep(0.02)
            signals.go_on()
            await phone.say(silence(0.1))
            await line.again(call, 1)
            await phone.tone([CHIME[-1]])
            print(f"another is heard {time.monotonic() - cut:.1f} s after the cut")
            await phone.press("4")
            await phone.pressed("4")
            await until(lambda: not job.is_running() or job.status() == "zombie")
            await phone.press("#")
            await phone.ended(10)
