"""The lease, on the memory store, which the contract holds to what Redis does."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace

import pytest

from gateway.calls.store.memory import MemoryStore
from gateway.conduct import lease as lease_module
from gateway.conduct.lease import AWAY_FOR, Lease, patiently
from gateway.errors import Unavailable
from gateway.tasks import cancelled
from gateway.terms.call import Brief, Call, CallId, Pool
from gateway.terms.personal import Number
from gateway.terms.times import patience
from tests.unit.conduct import virtual


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


async def test_a_job_is_sure_of_it_only_while_nobody_else_can_have_it(monkeypatch: pytest.MonkeyPatch) -> None:
    store, now = MemoryStore(time.monotonic), time.monotonic()
    monkeypatch.setattr(lease_module.time, "monotonic", lambda: now)
    await store.open(a_call())
    lease = Lease(store, CallId("SCL_1"), 1, "first")
    assert not lease.sure
    assert await lease.take()
    assert lease.sure
    now += patience(0)
    assert not lease.sure, "this process was stopped meanwhile"
    assert await lease.take()
    assert lease.sure
    await store.raise_epoch(CallId("SCL_1"), 1, 0.0)
    assert not await lease.take()
    assert not lease.sure


async def test_its_loss_is_told_once() -> None:
    store = MemoryStore(time.monotonic)
    await store.open(a_call())
    lease, lost = Lease(store, CallId("SCL_1"), 1, "first"), list[float]()
    assert await lease.take()
    keeping = asyncio.create_task(lease.keep(lambda: lost.append(time.monotonic()), a_call, lambda: None))
    await store.raise_epoch(CallId("SCL_1"), 1, 0.0)
    async with asyncio.timeout(3):
        await keeping
    assert len(lost) == 1


async def test_a_store_that_has_lost_the_call_gets_it_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease_module, "RENEW", 0.01)
    store = MemoryStore(time.monotonic)
    led = replace(a_call(), epoch=2, stop=3)
    await store.open(replace(led, stop=2))  # what was led last is lost
    again, lost = asyncio.Event(), asyncio.Event()
    keeping = asyncio.create_task(Lease(store, led.id, 2, "job").keep(lost.set, lambda: led, again.set))
    async with asyncio.timeout(3):
        await again.wait()
    found = await store.get(led.id)
    assert found is not None
    assert (found.epoch, found.stop) == (2, 3)
    assert await store.holder(led.id) == "job"
    await store.raise_epoch(led.id, 2, 0.0)
    async with asyncio.timeout(3):
        await keeping
    assert lost.is_set()


class Away(MemoryStore):
    """A store that can be away."""

    away = False

    async def take(self, call: CallId, epoch: int, job: str, ttl: float, stop: int = 0) -> bool:
        if self.away:
            raise Unavailable("away")
        return await super().take(call, epoch, job, ttl, stop)


async def test_a_store_that_was_away_learns_what_was_done_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease_module, "RENEW", 0.01)
    store, call, done = Away(time.monotonic), a_call(), dict[str, str]()
    await store.open(call)
    known = asyncio.Event()

    def knows() -> Call:
        if store.away:
            done["book"] = "booked"
            store.away = False
            raise Unavailable("away")
        known.set()
        return replace(call, done=done)

    store.away = True
    again, lost = asyncio.Event(), asyncio.Event()
    keeping = asyncio.create_task(Lease(store, call.id, 1, "job").keep(lost.set, knows, again.set))
    async with asyncio.timeout(3):
        while (found := await store.get(call.id)) is None or not found.done:
            await known.wait()
            await asyncio.sleep(0)
    await cancelled(keeping)
    assert found.done == {"book": "booked"}
    assert not again.is_set(), "it has lost nothing"
    assert not lost.is_set()


def test_a_job_that_comes_while_the_store_is_away_waits_for_it() -> None:
    async def work() -> tuple[str, float]:
        loop = asyncio.get_running_loop()

        async def ask() -> str:
            if loop.time() < 4.0:
                raise Unavailable("It is away.")
            return "taken"

        return await patiently(ask), loop.time()

    said, at = virtual.run(work())
    assert said == "taken" and at < 4.5


def test_a_store_that_stays_away_is_waited_for_no_longer_than_a_caller_rings() -> None:
    async def work() -> float:
        async def ask() -> str:
            raise Unavailable("It is away.")

        with pytest.raises(Unavailable):
            await patiently(ask)
        return asyncio.get_running_loop().time()

    assert AWAY_FOR <= virtual.run(work()) < AWAY_FOR + 1.0
