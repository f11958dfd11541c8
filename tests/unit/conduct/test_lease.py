"""The lease, on the memory store, which the contract holds to what Redis does."""

from __future__ import annotations

import asyncio
import time

from gateway.calls.memory import MemoryStore
from gateway.conduct.lease import Lease
from gateway.terms.call import Brief, Call, CallId, Pool
from gateway.terms.personal import Number


def a_call() -> Call:
    return Call(
        id=CallId("SCL_1"),
        room="call-_a",
        sip_identity="sip_1",
        dialed=Number("+15105550100"),
        caller=None,
        trunk="ST_1",
        route="r",
        plan="p",
        pool=Pool.HOUSE,
        brief=Brief("echo"),
        started=0.0,
    )


async def test_only_the_epochs_job_gets_it_and_a_second_job_does_not() -> None:
    store = MemoryStore(time.monotonic)
    await store.open(a_call())
    assert not await Lease(store, CallId("SCL_1"), 2, "stale").take()
    first = Lease(store, CallId("SCL_1"), 1, "first")
    assert await first.take()
    assert not await Lease(store, CallId("SCL_1"), 1, "second").take()
    await first.release()
    assert await Lease(store, CallId("SCL_1"), 1, "second").take()


async def test_its_loss_is_told_once() -> None:
    store = MemoryStore(time.monotonic)
    await store.open(a_call())
    lease, lost = Lease(store, CallId("SCL_1"), 1, "first"), list[float]()
    assert await lease.take()
    keeping = asyncio.create_task(lease.keep(lambda: lost.append(time.monotonic())))
    await store.raise_epoch(CallId("SCL_1"), 1, 0.0)
    async with asyncio.timeout(3):
        await keeping
    assert len(lost) == 1
