"""The health stores, and what several processes make of one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence

import pytest
from redis.asyncio import Redis

from gateway.errors import Unavailable
from gateway.health.board import FRESH, Board
from gateway.health.circuit import FIRST, Circuit, Reason, State
from gateway.health.redis_store import RedisHealth
from gateway.health.store import Change, HealthStore, MemoryHealth
from gateway.redis_client import PROTOCOL


class Clock:
    """A clock that is set."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(params=["memory", "redis", "redis-resp3-text"])
async def health(request: pytest.FixtureRequest) -> AsyncIterator[HealthStore]:
    if request.param == "memory":
        yield MemoryHealth()
        return
    options = {"protocol": 3, "decode_responses": True} if "resp3" in request.param else {"protocol": PROTOCOL}
    client = Redis.from_url(request.getfixturevalue("redis_url"), socket_timeout=None, **options)
    await client.flushall()
    yield RedisHealth(client)
    await client.aclose()


async def test_what_is_changed_is_seen(health: HealthStore) -> None:
    assert await health.look([]) == {}
    assert await health.look(["llm a"]) == {"llm a": Circuit()}
    down = await health.change("llm a", lambda circuit: circuit.failed(5.0, Reason.RATE, 7.0))
    assert down.until == 12.0
    assert await health.look(["llm a", "llm b"]) == {"llm a": down, "llm b": Circuit()}
    await health.change("llm b", Circuit.worked)
    assert await health.out() == {"llm a": down}


async def test_changes_at_the_same_time_are_all_made(health: HealthStore) -> None:
    def once_more(circuit: Circuit) -> Circuit:
        return Circuit(State.OPEN, Reason.FAULT, 0.0, circuit.trips + 1)

    await asyncio.gather(*(health.change("tts a", once_more) for _ in range(8)))
    assert (await health.look(["tts a"]))["tts a"].trips == 8


async def test_one_outage_is_found_out_once(health: HealthStore) -> None:
    clock = Clock()
    first, second, third = (Board(health, who, clock) for who in ("one", "two", "three"))
    both = ["llm cloud", "llm local"]
    assert await first.usable(both) == both
    assert await second.usable(both) == both
    first.failed("llm cloud", Reason.TIMEOUT)
    assert await first.usable(both) == ["llm local"], "at once for who has seen it"
    await first.close()
    assert await third.usable(both) == ["llm local"], "and for every call that begins"
    clock.now += FRESH
    assert await second.usable(both) == ["llm local"], "and within a second for those that are there"


async def test_one_call_probes_for_all(health: HealthStore) -> None:
    clock = Clock()
    boards = [Board(health, f"call {number}", clock) for number in range(5)]
    both = ["llm cloud", "llm local"]
    boards[0].failed("llm cloud", Reason.FAULT)
    await boards[0].close()
    clock.now += FIRST + FRESH
    found = await asyncio.gather(*(board.usable(both) for board in boards))
    probing = [board for board, usable in zip(boards, found, strict=True) if usable == both]
    assert len(probing) == 1
    assert sum(list(usable) == ["llm local"] for usable in found) == 4
    probing[0].worked("llm cloud")
    await probing[0].close()
    clock.now += FRESH
    assert [await board.usable(both) for board in boards] == [both] * 5


async def test_who_is_behind_a_provider_that_serves_isnt_probed(health: HealthStore) -> None:
    clock = Clock()
    board = Board(health, "one", clock)
    board.failed("llm second", Reason.FAULT)
    await board.close()
    clock.now += FIRST + FRESH
    assert await board.usable(["llm first", "llm second"]) == ["llm first"]
    assert board.circuit("llm second").state is State.OPEN


class Frozen(MemoryHealth):
    """A store that doesn't answer."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0

    async def look(self, names: Sequence[str]) -> Mapping[str, Circuit]:
        self.asked += 1
        await asyncio.Event().wait()
        raise AssertionError

    async def change(self, name: str, change: Change) -> Circuit:
        raise Unavailable("It doesn't answer.")


async def test_a_store_that_doesnt_answer_costs_a_caller_a_tenth_of_a_second_once() -> None:
    clock, store = Clock(), Frozen()
    board = Board(store, "one", clock)
    async with asyncio.timeout(1.0):
        for _ in range(20):
            assert await board.usable(["a", "b"]) == ["a", "b"]
        board.failed("a", Reason.FAULT)
        assert await board.usable(["a", "b"]) == ["b"], "what the process has seen itself counts all the same"
        clock.now += FIRST
        assert await board.usable(["a", "b"]) == ["a", "b"], "it probes by its own knowledge"
        await board.close()
    assert store.asked == 1
