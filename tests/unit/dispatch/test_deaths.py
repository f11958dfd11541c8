"""Calls are given back when a worker has died together with its jobs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from gateway.calls.shared.working import holder
from gateway.calls.store.memory import MemoryStore
from gateway.calls.store.port import Lost
from gateway.dispatch.deaths import LOOK, WORKERS_DIED, Deaths
from gateway.errors import Unavailable
from gateway.terms.call import CallId
from tests.contract.calls import a_call


class World:
    """Workers, and whose job has which call."""

    def __init__(self) -> None:
        self.now, self.settled, self.held = 100.0, True, frozenset({"one", "two"})
        self.away = self.livekit_away = False
        self.died: list[str] = []
        self.said: set[str] = set()
        """Workers that have said that they end."""
        self.store = MemoryStore(lambda: self.now)
        self.told = list[tuple[str, int, bool]]()
        """Whose caller hears that their job may be dead, or isn't."""
        self.deaths = Deaths(self.store, self._held, self._died, lambda: self.settled, self._still, lambda: self.now)

    async def _held(self) -> frozenset[str]:
        if self.away:
            raise Unavailable("Redis doesn't answer.")
        return self.held

    async def _still(self, call: CallId, epoch: int, still: bool) -> None:
        self.told.append((call, epoch, still))
        if self.livekit_away:
            raise Unavailable("LiveKit doesn't answer.")

    async def _died(self, worker: str) -> bool:
        self.died.append(worker)
        return worker not in self.said

    async def calls(self, *workers: str) -> None:
        for number, worker in enumerate(workers):
            await self.store.open(replace(a_call(), id=CallId(f"SCL_{number}")))
            assert await self.store.take(CallId(f"SCL_{number}"), 1, holder(worker, f"AJ_{number}"), 60.0)

    async def look(self, times: int = 1) -> None:
        for _ in range(times):
            self.now += LOOK
            await self.deaths.look()

    async def lost(self) -> Sequence[Lost]:
        found = []
        while (one := await self.store.lost(0.0)) is not None:
            found.append(one)
        return found


async def test_the_calls_of_the_dead_are_given_back_at_once_and_no_others() -> None:
    world = World()
    await world.calls("one", "two")
    await world.look(2)
    world.held = frozenset({"one"})
    before = world.now
    while not world.died:
        await world.look()
    assert world.now - before <= 0.8
    assert world.died == ["two"]
    assert await world.lost() == [Lost(CallId("SCL_1"), 1)]
    assert await world.store.holder(CallId("SCL_0")) == holder("one", "AJ_0")
    assert await world.store.holder(CallId("SCL_1")) is None
    await world.look(5)
    assert await world.lost() == []


@pytest.mark.parametrize("livekit_away", [False, True])
async def test_callers_hear_at_once_that_their_job_may_be_dead_and_that_it_isnt(livekit_away: bool) -> None:
    world = World()
    world.livekit_away = livekit_away
    await world.calls("one", "two")
    await world.look(2)
    world.held = frozenset({"one"})
    await world.look()
    assert world.told == [("SCL_1", 1, True)]
    world.held = frozenset({"one", "two"})
    await world.look(5)
    assert world.told == [("SCL_1", 1, True), ("SCL_1", 1, False)]
    assert world.died == [] and await world.lost() == []


async def test_who_has_said_that_they_end_is_no_alarm() -> None:
    world = World()
    await world.calls("one", "two")
    await world.look()
    world.held, world.said, before = frozenset({"three"}), {"one"}, counted()
    await world.look(5)
    assert (sorted(world.died), counted() - before) == (["one", "two"], 1.0)
    assert len(await world.lost()) == 2, "whatever they still had is given back"


def counted() -> float:
    return WORKERS_DIED._value.get()


async def test_a_call_whose_job_had_not_come_yet_is_given_back_too() -> None:
    world = World()
    for number, worker in enumerate(("two", "two", "one")):
        await world.store.open(replace(a_call(), id=CallId(f"SCL_{number}")))
        await world.store.promise(CallId(f"SCL_{number}"), 1, worker)
    await world.store.raise_epoch(CallId("SCL_1"), 1, world.now)  # it was sent to another since
    await world.look(2)
    world.held = frozenset({"one"})
    await world.look(5)
    assert await world.lost() == [Lost(CallId("SCL_0"), 1)]


async def test_nobody_is_judged_while_the_store_cant_be_believed() -> None:
    world = World()
    await world.calls("two")
    await world.look()
    world.held, world.settled = frozenset({"one"}), False
    await world.look(5)
    world.settled = True
    await world.look(5)
    world.away = True
    with pytest.raises(Unavailable):
        await world.look()
    world.away = False
    await world.look(5)
    assert world.died == [] and await world.lost() == []
