"""Workers say that they are there, and control knows within seconds when none is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from redis.asyncio import Redis

from gateway.calls.shared.presence import LOST, Presence, keep_telling
from gateway.calls.shared.working import Working
from gateway.errors import Unavailable
from gateway.redis_client import open_client
from gateway.tasks import cancelled
from gateway.terms.call import Pool
from tests.contract.clocks import beaten_ago
from tests.e2e.servers import free_port, redis_server


@pytest.fixture
async def redis(tmp_path: Path) -> AsyncIterator[Redis]:
    with redis_server(tmp_path) as url:
        client = open_client(url)
        yield client
        await client.aclose()


@pytest.fixture
def presence(redis: Redis) -> Presence:
    return Presence(redis)


READY = Working(True, 2, 20)


async def test_a_worker_counts_until_it_falls_silent(presence: Presence, redis: Redis) -> None:
    assert await presence.there(Pool.AGENTS) == []
    await presence.beat(Pool.AGENTS, "one", READY)
    await presence.beat(Pool.AGENTS, "two", Working(False, 1, 20))
    await presence.beat(Pool.HOUSE, "three", READY)
    assert sorted(await presence.there(Pool.AGENTS), key=lambda one: one.calls) == [Working(False, 1, 20), READY]
    await beaten_ago(redis, "offhook:at-work:agents", "one", LOST + 0.5)
    assert await presence.there(Pool.AGENTS) == [Working(False, 1, 20)]
    await beaten_ago(redis, "offhook:at-work:agents", "two", 100.0)
    assert await presence.there(Pool.AGENTS) == []
    assert await redis.hlen("offhook:at-work:agents") == 1, "who is long gone is forgotten"  # type: ignore[misc]
    await presence.leave(Pool.HOUSE, "three")
    assert await presence.there(Pool.HOUSE) == []


async def test_a_worker_that_is_not_ready_any_more_says_so_itself_at_once(presence: Presence) -> None:
    now = [READY]
    task = asyncio.create_task(keep_telling(presence, Pool.AGENTS, "one", lambda: now[0], lambda: 100.0))
    try:
        async with asyncio.timeout(5):
            while await presence.there(Pool.AGENTS) != [READY]:
                await asyncio.sleep(0.01)
            now[0] = Working(False, 2, 20)
            while await presence.there(Pool.AGENTS) != [Working(False, 2, 20)]:
                await asyncio.sleep(0.01)
    finally:
        await cancelled(task)
    assert await presence.there(Pool.AGENTS) == [], "and that it is gone"


async def test_a_redis_that_does_not_answer_is_unavailable() -> None:
    client = open_client(f"redis://127.0.0.1:{free_port()}/0")
    with pytest.raises(Unavailable):
        await Presence(client).there(Pool.AGENTS)
    await client.aclose()
