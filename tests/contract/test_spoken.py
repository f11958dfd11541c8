"""The contract of what callers say on their way to an agent, on memory and on a real Redis."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from gateway.calls.shared import redis_spoken, spoken
from gateway.calls.shared.redis_spoken import RedisSpoken
from gateway.calls.shared.spoken import MemorySpoken, Spoken
from gateway.terms.call import CallId
from tests.e2e.servers import until

CALL, OTHER = CallId("SCL_1"), CallId("SCL_2")


@pytest.fixture(params=["memory", "redis"])
async def kept(request: pytest.FixtureRequest) -> AsyncIterator[Spoken]:
    if request.param == "memory":
        yield MemorySpoken(time.monotonic)
        return
    client = Redis.from_url(request.getfixturevalue("redis_url"))
    await client.flushall()
    yield RedisSpoken(client)
    await client.aclose()


async def test_what_is_said_is_had_whole_and_again_by_who_comes_after_a_dead_job(kept: Spoken) -> None:
    await kept.add(CALL, 2, b"\x01\xff")
    await kept.add(CALL, 2, b"\x00\x80")
    assert [await kept.said(CALL, 2) for _ in range(2)] == [b"\x01\xff\x00\x80"] * 2


async def test_it_is_the_one_calls_and_stops(kept: Spoken) -> None:
    await kept.add(CALL, 2, b"ours")
    assert [await kept.said(OTHER, 2), await kept.said(CALL, 3)] == [b"", b""]
    assert await kept.said(CALL, 2) == b"ours"


async def test_nobody_finds_it_later(kept: Spoken, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (spoken, redis_spoken):
        monkeypatch.setattr(module, "KEPT", 0.05)
    await kept.add(CALL, 2, b"ours")
    gone = time.monotonic() + 0.2
    await until(lambda: time.monotonic() > gone)
    assert await kept.said(CALL, 2) == b""
