"""Workers say that they are there, and control knows within seconds when none is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.calls.shared.presence import LOST, Presence, keep_telling
from gateway.calls.shared.working import Working
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


READY = Working(True, 2, 20)


async def test_a_worker_counts_until_it_falls_silent(presence: Presence) -> None:
    assert await presence.there(Pool.AGENTS, 100.0) == []
    await presence.beat(Pool.AGENTS, "one", READY, 100.0)
    await presence.beat(Pool.AGENTS, "two", Working(False, 1, 20), 101.0)
    await presence.beat(Pool.HOUSE, "three", READY, 101.0)
    assert sorted(await presence.there(Pool.AGENTS, 101.0), key=lambda one: one.calls) == [Working(False, 1, 20), READY]
    assert await presence.there(Pool.AGENTS, 100.5 + LOST) == [Working(False, 1, 20)]
    assert await presence.there(Pool.AGENTS, 102.0 + LOST) == []
    assert await presence.there(Pool.AGENTS, 200.0) == []
    await presence.leave(Pool.HOUSE, "three")
    assert await presence.there(Pool.HOUSE, 101.0) == []


async def test_a_worker_that_is_not_ready_any_more_says_so_itself_at_once(presence: Presence) -> None:
    now = [READY]
    task = asyncio.create_task(keep_telling(presence, Pool.AGENTS, "one", lambda: now[0], lambda: 100.0))
    try:
        async with asyncio.timeout(5):
            while await presence.there(Pool.AGENTS, 100.0) != [READY]:
                await asyncio.sleep(0.01)
            now[0] = Working(False, 2, 20)
            while await presence.there(Pool.AGENTS, 100.0) != [Working(False, 2, 20)]:
                await asyncio.sleep(0.01)
    finally:
        await cancelled(task)
    assert await presence.there(Pool.AGENTS, 100.0) == [], "and that it is gone"


async def test_a_redis_that_does_not_answer_is_unavailable() -> None:
    client = open_client(f"redis://127.0.0.1:{free_port()}/0")
    with pytest.raises(Unavailable):
        await Presence(client).there(Pool.AGENTS, 1.0)
    await client.aclose()
