"""A job that takes a call over, whose human has left while no job was there: the call's store says how."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from gateway.calls.acts.deeds import Dial
from gateway.calls.store.memory import MemoryStore
from gateway.conduct.acts import machines
from gateway.conduct.acts.house import House
from gateway.handoff.machine import Transfer
from gateway.terms.act import RING_BACK, Handoff, Over
from gateway.terms.call import Left, Pool
from gateway.terms.handoff import Tried
from tests.contract.calls import a_call
from tests.e2e.servers import until
from tests.unit.conduct.acts.world import World

ACT = Handoff("desk", ring_back=RING_BACK)


@pytest.mark.parametrize(("lost", "after"), [(True, 30.0), (True, RING_BACK), (False, 30.0)])
async def test_the_next_job_rings_back_whose_line_was_lost_and_nobody_else(lost: bool, after: float) -> None:
    """`after`: seconds from when they took the call."""
    world, taken = World(), time.time() - 300.0
    world.release = world.exit = world.enter = lambda *_: None  # type: ignore[attr-defined, method-assign]
    talks = Transfer(
        ACT, begun=True, since=taken, talking="desk-1", talks_with="ana", taken=taken, reach="+15105550111", legs=1,
        tried={"ana": Tried.TAKEN},
    )  # fmt: skip
    store, call = MemoryStore(time.monotonic), replace(a_call(), act=ACT, pool=Pool.HOUSE)
    await store.open(call)
    assert await store.keep(call.id, 1, 1, machines.written(talks), "desk-1")
    assert await store.left(call.id, Left("desk-1", taken + after, lost))
    resumed = await store.raise_epoch(call.id, 1, 0.0)
    assert resumed is not None
    stage: Any = SimpleNamespace(facts={}, reason="", note=lambda *_: None)
    house = House(store, lambda *_: world.tools(), SimpleNamespace(close=_closed))  # type: ignore[arg-type]
    performing = asyncio.create_task(house.perform(stage, resumed))
    if lost and after < RING_BACK:
        await until(lambda: any(isinstance(one, Dial) and one.callee.name == "ana" for one in world.done), 2.0)
        assert not performing.done()
        performing.cancel()
        await asyncio.wait({performing})
    else:
        async with asyncio.timeout(2.0):
            assert isinstance(await performing, Over)


async def _closed() -> None:
    pass
