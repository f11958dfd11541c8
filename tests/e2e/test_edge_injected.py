"""Forged packets at a call's media: none is heard in the room, none is answered, and the caller is heard on."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest

from tests.e2e.edge_lab import Lab, lab
from tests.e2e.rtp_blaster import TONE
from tests.e2e.rtp_probe import power
from tests.e2e.servers import LiveKit, until

pytestmark = pytest.mark.e2e
PACKETS = 1_000_000


@pytest.fixture
async def edge(servers: tuple[str, LiveKit], tmp_path: Path) -> AsyncIterator[Lab]:
    async with lab(tmp_path, *servers) as made:
        yield made
        await made.nothing_left()


async def blasted(source: str, there: tuple[str, int], packets: int) -> int:
    """Forge that many; how many answers came."""
    command = (sys.executable, "-m", "tests.e2e.rtp_blaster", source, there[0], str(there[1]), str(packets))
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    try:
        async with asyncio.timeout(200):
            printed, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return int(printed)


def heard(frames: list[np.ndarray], frequency: float) -> float:
    """How much of all that was heard, second by second, is at most that tone."""
    seconds = [np.concatenate(frames[at : at + 50]) for at in range(0, len(frames) - 50, 50)]
    return max((power(each, frequency) for each in seconds), default=0.0)


@pytest.mark.long
@pytest.mark.timeout(280)
async def test_forged_media_is_neither_heard_nor_answered(edge: Lab) -> None:
    async with edge.phone() as phone, edge.caller("call", rtp=phone.port, pause=260) as caller, edge.agent() as agent:
        phone.tone, phone.muted = 440, True
        await phone.hears(600)
        there = phone.peer
        assert there is not None
        # Nobody was heard yet: even so only the negotiated address, or the one that the signalling came from, may be.
        assert await blasted("127.0.0.77", there, PACKETS // 100) == 0
        assert heard(agent.heard, TONE) < 0.01, "before the caller was heard"
        phone.muted = False
        await agent.hears(440)
        since = len(agent.heard)
        # Now also from the caller's own address, by another port.
        answers = await asyncio.gather(
            blasted("127.0.0.77", there, PACKETS // 2), blasted("127.0.0.1", there, PACKETS // 2)
        )
        assert answers == [0, 0]
        during = agent.heard[since:]
        assert heard(during, TONE) < 0.01
        loud = [np.abs(each).max() > 2000 for each in during]
        assert np.mean(loud) > 0.5, "the caller was heard all the while, as far as the machine kept up"
        assert agent.keys == []
        await agent.hears(440)
        await phone.hears(600)
        caller.go_on()
        await caller.ended()


@pytest.mark.long
@pytest.mark.skipif(os.geteuid() != 0, reason="to send in another's name takes root's rights")
async def test_a_second_stream_in_the_callers_own_name_is_not_heard_beside_the_callers(edge: Lab) -> None:
    async with edge.phone() as phone, edge.caller("call", rtp=phone.port, pause=60) as caller, edge.agent() as agent:
        phone.tone = 440
        await agent.hears(440)
        await phone.hears(600)
        there = phone.peer
        assert there is not None
        await until(lambda: len(agent.heard) > 100)
        since = len(agent.heard)
        await blasted(f"127.0.0.1:{phone.port}", there, 2000)
        during = agent.heard[since:]
        assert heard(during, TONE) < 0.01
        assert np.mean([np.abs(each).max() > 2000 for each in during]) > 0.9, "the caller was heard all the while"
        # Where the caller falls silent, nothing tells one stream's beginning from another's; and the caller has it back at once.
        phone.muted = True
        forging = asyncio.create_task(blasted(f"127.0.0.1:{phone.port}", there, 2000))
        await agent.hears(TONE)
        phone.muted = False
        await agent.hears(440)
        since = len(agent.heard)
        await forging
        assert heard(agent.heard[since + 50 :], TONE) < 0.01
        caller.go_on()
        await caller.ended()
