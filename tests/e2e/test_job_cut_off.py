"""A job whose media alone is cut off from LiveKit, while it lives, signals, and keeps its lease by Redis: its caller hears at once that
somebody is there, and soon after that another job's agent. By an `offhook up` whose media all goes through the test."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil
import pytest

from gateway.conduct.sfu.room import ASTRAY
from gateway.phone.call import Call
from gateway.phone.phone import Phone
from gateway.rtp import FRAME, FRAME_SECONDS
from gateway.sip.sdp import Direction
from tests.chaos.faults import job, media_ports
from tests.e2e.gateway import Stack, running_gateway
from tests.e2e.records import record, sip_id
from tests.e2e.servers import free_port, livekit_server, redis_server
from tests.udp_relay import UdpRelay, udp_relay

pytestmark = [pytest.mark.e2e, pytest.mark.long, pytest.mark.speech, pytest.mark.timeout(600)]

BETWEEN = "127.0.0.2"
"""Where all media goes through the test."""
NUMBER = "+15105550100"
LOUD, WORDS = 300, 4000
"""Peak of a frame that a caller hears as sound, and of one that isn't the edge's soft notes."""
SOUND, SPEECH = 0.8, 3.0
"""Seconds at most from the cut, or the end of what was still heard, to a sound, and to words."""
BUSY = 0.5
"""What a busy machine may take in addition."""
STANDS = 2.0
"""Seconds for which a livekit-server stands still and no call changes jobs."""
CALLS = 3
"""Of each kind."""
NOTICED = ("nothing comes of", "doesn't reach this job")
"""What edges and jobs log of a job that nothing comes of, or to."""


@dataclass(frozen=True)
class Place:
    """A gateway, and what its media goes through."""

    stack: Stack
    media: UdpRelay

    async def cut(self, call: Call) -> float:
        """Cut the call's job off; when that was."""
        found = job(self.stack, sip_id(call))
        assert found is not None
        ports = media_ports(found)
        assert ports & self.media.carries
        self.media.cut(ports)
        return time.monotonic()

    def noticed(self, call: Call) -> list[str]:
        """What was, of cut connections of that call."""
        lines = (
            line for name in ("edge", "worker-agents", "worker-house") for line in self.stack.log(name).splitlines()
        )
        return [line for line in lines if sip_id(call) in line and any(words in line for words in NOTICED)]


@asynccontextmanager
async def gateway(directory: Path) -> AsyncIterator[Place]:
    with redis_server(directory) as redis_url, livekit_server(directory, redis_url, media_by=BETWEEN) as livekit:
        async with udp_relay((BETWEEN, livekit.media), ("127.0.0.1", livekit.media)) as media:
            running = running_gateway(
                directory / "state",
                REDIS_URL=redis_url,
                LIVEKIT_URL=livekit.url,
                LIVEKIT_API_KEY=livekit.key,
                LIVEKIT_API_SECRET=livekit.secret,
                OFFHOOK_LOG_LEVEL="info",
            )
            stack = await asyncio.to_thread(running.__enter__)
            try:
                yield Place(stack, media)
            finally:
                await asyncio.to_thread(running.__exit__, None, None, None)


async def test_a_caller_whose_job_alone_is_cut_off_hears_somebody_at_once(tmp_path: Path) -> None:
    found: list[tuple[str, float, float, float]] = []
    async with gateway(tmp_path) as there, Phone(there.stack.sip, port=free_port()) as phone:
        for kind in ["silent", "speaking"] * CALLS:
            call = await phone.dial(NUMBER)
            await call.answered(15)
            if kind == "silent":
                await call.spoken(25, 1.0)
            else:
                await call.talking(0.4)
            assert there.noticed(call) == [], "nobody was cut off before"
            cut = await there.cut(call)
            await call.wait(2 * SPEECH)
            found.append((kind, *heard_again(call, cut)))
            print(
                "{}: sound ended after {:.2f} s, sound again {:.2f} s later, speech {:.2f} s later".format(*found[-1])
            )
            await call.hang_up()
            notes = (await record(there.stack, sip_id(call)))["notes"]
            left = [note["about"] for note in notes if note["kind"] == "left"]
            assert [one["why"] for one in left] == [ASTRAY]
            print("\n".join(there.noticed(call)))
    assert max(sound for _, _, sound, _ in found) < SOUND + BUSY
    assert max(words for *_, words in found) < SPEECH + BUSY


def heard_again(call: Call, cut: float) -> tuple[float, float, float]:
    """Seconds from the cut to the end of what was still heard, and from there to the next sound, and to the next words."""
    tape = call.tape.between(call.tape.heard, cut, call.tape.now)
    peaks = np.abs(tape[: len(tape) // FRAME * FRAME].reshape(-1, FRAME).astype(int)).max(axis=1)
    quiet = [number for number in range(len(peaks) - 10) if peaks[number : number + 10].max() < LOUD]
    ended = quiet[0] * FRAME_SECONDS
    again = np.flatnonzero(peaks[quiet[0] :] > LOUD)
    assert again.size, "nothing is heard any more"
    words = np.flatnonzero(peaks[quiet[0] :] > WORDS)
    assert words.size, "nobody speaks any more"
    return ended, float(again[0]) * FRAME_SECONDS, float(words[0]) * FRAME_SECONDS


async def test_nobody_is_taken_for_cut_off_whose_caller_is_silent_or_whose_livekit_stands_still(tmp_path: Path) -> None:
    async with gateway(tmp_path) as there, Phone(there.stack.sip, port=free_port()) as phone:
        call = await phone.dial(NUMBER)
        await call.answered(15)
        await call.spoken(25, 1.0)
        for direction in (Direction.RECVONLY, Direction.INACTIVE, Direction.SENDRECV):
            await phone.hold(call, direction)
            await call.wait(4.0)
        assert there.noticed(call) == []
        [server] = [one for one in psutil.Process().children() if "livekit-server" in " ".join(one.cmdline())]
        server.suspend()
        try:
            await call.wait(STANDS)
        finally:
            server.resume()
        await call.wait(6.0)
        print("\n".join(there.noticed(call)))
        await call.hang_up()
        notes = (await record(there.stack, sip_id(call)))["notes"]
        assert [note for note in notes if note["kind"] == "left"] == [], "the call has kept its job"
