"""Pacing's contract, on memory and on a real Redis."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from redis.asyncio import Redis

from gateway.calls.shared.pacing import MemoryPacer, Pacer
from gateway.calls.shared.redis_pacing import RedisPacer
from gateway.redis_client import PROTOCOL


@dataclass
class Clock:
    """A clock that is set by hand."""

    now: float = 1764000000.25

    def __call__(self) -> float:
        return self.now


@dataclass
class Lab:
    """Two replicas' pacers on one store."""

    one: Pacer
    other: Pacer
    clock: Clock


@pytest.fixture(params=["memory", "redis", "redis-resp3-text"])
async def lab(request: pytest.FixtureRequest) -> AsyncIterator[Lab]:
    clock = Clock()
    if request.param == "memory":
        pacer = MemoryPacer(clock)
        yield Lab(pacer, pacer, clock)
        return
    options = {"protocol": 3, "decode_responses": True} if "resp3" in request.param else {"protocol": PROTOCOL}
    client = Redis.from_url(request.getfixturevalue("redis_url"), socket_timeout=None, **options)
    await client.flushall()
    yield Lab(RedisPacer(client, clock), RedisPacer(client, clock), clock)
    await client.aclose()


async def test_slots_are_given_in_order_over_the_replicas(lab: Lab) -> None:
    waits = [await pacer.slot("pbx", 2.0) for pacer in (lab.one, lab.other, lab.one)]
    assert waits == [0.0, pytest.approx(0.5), pytest.approx(1.0)]
    lab.clock.now += 0.75
    assert await lab.other.slot("pbx", 2.0) == pytest.approx(0.75)


async def test_many_at_once_get_a_slot_each(lab: Lab) -> None:
    waits = await asyncio.gather(*(pacer.slot("pbx", 10.0) for pacer in (lab.one, lab.other) for _ in range(10)))
    assert sorted(waits) == pytest.approx([n / 10 for n in range(20)])


async def test_nothing_is_saved_up(lab: Lab) -> None:
    await lab.one.slot("pbx", 1.0)
    lab.clock.now += 60
    assert [await lab.one.slot("pbx", 1.0) for _ in range(2)] == [0.0, pytest.approx(1.0)]


async def test_each_trunk_has_its_own_pace_and_one_without_has_none(lab: Lab) -> None:
    assert [await lab.one.slot(name, 1.0) for name in ("pbx", "carrier")] == [0.0, 0.0]
    assert [await lab.one.slot("pbx", 0.0) for _ in range(3)] == [0.0, 0.0, 0.0]
