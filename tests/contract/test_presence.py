"""Workers say that they are there, and control knows within seconds when none is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.calls.presence import LOST, Presence, keep_telling
from gateway.errors import Unavailable
from gateway.redis_client import open_client
from gateway.tasks import cancelled
from gateway.terms.call import Pool
from tests.e2e.servers import free_port, redis_server


@pytest.fixture
async def presence(tmp_path: Path) -> AsyncIterator[Presence]:
    with redis_server(tmp_path) as url:
        client = open_client(url)
        yield Presence(client)
        await client.aclose()


async def test_a_worker_counts_until_it_falls_silent(presence: Presence) -> None:
    assert await presence.workers(Pool.AGENTS, 100.0) == 0
    await presence.beat(Pool.AGENTS, "one", 100.0)
    await presence.beat(Pool.AGENTS, "two", 101.0)
    await presence.beat(Pool.HOUSE, "three", 101.0)
    assert await presence.workers(Pool.AGENTS, 101.0) == 2
    assert await presence.workers(Pool.AGENTS, 100.5 + LOST) == 1
    assert await presence.workers(Pool.AGENTS, 102.0 + LOST) == 0
    await presence.leave(Pool.HOUSE, "three")
    assert await presence.workers(Pool.HOUSE, 101.0) == 0


async def test_a_worker_that_is_not_ready_any_more_says_so_itself(presence: Presence) -> None:
    ready = [True]
    task = asyncio.create_task(keep_telling(presence, Pool.AGENTS, "one", lambda: ready[0], lambda: 100.0))
    try:
        async with asyncio.timeout(5):
            while not await presence.workers(Pool.AGENTS, 100.0):
                await asyncio.sleep(0.01)
            ready[0] = False
            while await presence.workers(Pool.AGENTS, 100.0):
                await asyncio.sleep(0.01)
    finally:
        await cancelled(task)


async def test_a_redis_that_does_not_answer_is_unavailable() -> None:
    client = open_client(f"redis://127.0.0.1:{free_port()}/0")
    with pytest.raises(Unavailable):
        await Presence(client).workers(Pool.AGENTS, 1.0)
    await client.aclose()
