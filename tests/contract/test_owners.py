"""Whose callers are: the contract, in memory and in a real Redis."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from gateway.calls.people import owners, redis_owners
from gateway.calls.people.owners import MemoryOwners, Owners
from gateway.calls.people.redis_owners import RedisOwners
from gateway.terms.personal import Number
from tests.e2e.servers import until

ADA, BEA = Number("+15105550142"), Number("+15105550143")


@pytest.fixture(params=["memory", "redis"])
async def known(request: pytest.FixtureRequest) -> AsyncIterator[Owners]:
    if request.param == "memory":
        yield MemoryOwners(time.monotonic)
        return
    client = Redis.from_url(request.getfixturevalue("redis_url"))
    await client.flushall()
    yield RedisOwners(client)
    keys = await client.keys("*")
    assert not [key for key in keys if b"0142" in key], "no key holds a number"
    await client.aclose()


async def test_the_last_who_talked_with_them(known: Owners) -> None:
    assert await known.of(ADA) == ""
    await known.talked(ADA, "ana")
    await known.talked(BEA, "ben")
    assert [await known.of(ADA), await known.of(BEA)] == ["ana", "ben"]
    await known.talked(ADA, "ben")
    assert await known.of(ADA) == "ben"


async def test_not_for_ever(known: Owners, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (owners, redis_owners):
        monkeypatch.setattr(module, "KNOWN", 1.0)
    await known.talked(ADA, "ana")
    gone = time.monotonic() + 1.5
    await until(lambda: time.monotonic() > gone)
    assert await known.of(ADA) == ""
