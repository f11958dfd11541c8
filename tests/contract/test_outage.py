"""A real Redis that stands still, or comes back empty, beneath a job and a control, without any call."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import psutil
import pytest
from redis.asyncio import Redis

from gateway.calls.shared.redis_answering import WITHIN
from gateway.calls.store.redis_store import RedisStore
from gateway.conduct.lease import Lease
from gateway.conduct.spool import Spool
from gateway.conduct.tell import Teller
from gateway.dispatch.watching import Watch
from gateway.errors import Unavailable
from gateway.redis_client import open_client
from gateway.tasks import cancelled
from gateway.terms.call import Call, Phase
from gateway.terms.event import Event, Kind
from gateway.terms.times import patience
from tests.contract.calls import a_call
from tests.contract.held_redis import server
from tests.e2e.servers import free_port, redis_server, until

__all__ = ["server"]


@dataclass
class Job:
    """What a job holds of its call: the lease and the teller."""

    call: Call
    teller: Teller
    lost: bool = False


@pytest.fixture
async def client(server: tuple[str, psutil.Process]) -> AsyncIterator[Redis]:
    made = open_client(server[0])
    yield made
    await made.aclose()


@contextlib.asynccontextmanager
async def conducted(store: RedisStore, directory: Path) -> AsyncIterator[Job]:
    """A call that a job conducts."""
    call = a_call()
    await store.open(call)
    lease = Lease(store, call.id, 1, "AJ_1")
    assert await lease.take()
    async with Teller(store, call.id, Spool(directory, "AJ_1")) as teller:
        job = Job(call, teller)

        def lost() -> None:
            job.lost = True

        keeping = asyncio.create_task(lease.keep(lost, lambda: replace(call, checkpoint="so far"), teller.again))
        yield job
        await cancelled(keeping)


async def holds(store: RedisStore, job: Job, within: float = 10.0) -> None:
    """Return once the job holds its call."""
    async with asyncio.timeout(within):
        while await store.holder(job.call.id) != "AJ_1":
            await asyncio.sleep(0.05)


async def told(store: RedisStore) -> list[Event]:
    """All that was told so far, each once."""
    found = await store.read("test", count=100, wait=0.2)
    await store.ack(found)
    return list({event.uid: event for event in found}.values())


async def test_nothing_waits_longer_than_it_may(server: tuple[str, psutil.Process], client: Redis) -> None:
    store, call = RedisStore(client), a_call()
    await store.open(call)
    server[1].suspend()
    try:
        began = time.monotonic()
        asked = [
            store.get(call.id), store.live(), store.holder(call.id), store.take(call.id, 1, "job", 3), store.standing(),
            store.tell(Event(call.id, Kind.ANSWERED, 1.0)), store.read("test", count=1, wait=0.1), store.restore(call, "job", 3),
            store.keep(call.id, 1, 1, "", ""), store.latencies(0.0), store.asked(0.1), store.led(call.id, 1, 0.1),
        ]  # fmt: skip
        answers = await asyncio.gather(*asked, return_exceptions=True)
        assert all(isinstance(one, Unavailable) for one in answers), answers
        assert time.monotonic() - began < 3 * WITHIN
    finally:
        server[1].resume()


async def test_a_job_keeps_its_call_through_a_redis_that_stands_still(
    server: tuple[str, psutil.Process], client: Redis, tmp_path: Path
) -> None:
    store, watch = RedisStore(client), Watch(RedisStore(client))
    await watch.look()
    async with conducted(store, tmp_path / "spool") as job:
        await job.teller.told(Kind.ANSWERED, {}, 1.0)
        server[1].suspend()
        try:
            await watch.look()
            assert not watch.settled()
            for number in range(3):
                await job.teller.told(Kind.TURN, {"seq": number}, 2.0 + number)  # durable, on disk
            assert list((tmp_path / "spool").iterdir())
        finally:
            server[1].resume()
        await until(lambda: not list((tmp_path / "spool").iterdir()), 10.0)
        await watch.look()
        assert not watch.settled(), "leases have run out that nobody could renew"
        await holds(store, job)
        assert not job.lost
        assert [event.at for event in await told(store)] == [1.0, 2.0, 3.0, 4.0]


async def test_a_job_puts_its_call_back_into_a_redis_that_is_empty(client: Redis, tmp_path: Path) -> None:
    store = RedisStore(client)
    async with conducted(store, tmp_path / "spool") as job:
        await job.teller.told(Kind.ANSWERED, {}, 1.0)
        await client.flushall()
        await job.teller.told(Kind.TURN, {"seq": 1}, 2.0)
        async with asyncio.timeout(10):
            while (found := await store.get(job.call.id)) is None or "answered" not in found.told:
                await asyncio.sleep(0.05)
        assert (found.phase, found.epoch, found.checkpoint) == (Phase.TAKEN, 1, "so far")
        assert [one.id for one in await store.live()] == [job.call.id]
        assert await store.holder(job.call.id) == "AJ_1"
        assert not job.lost
        assert sorted(event.at for event in await told(store)) == [1.0, 2.0], "what was told before is told again, once"


STEP = 1.0
"""Seconds from one look to the next, by the control's clock."""


class Control:
    """A control's watch over a store that it has looked at for a while."""

    def __init__(self, store: RedisStore) -> None:
        self._now = 100.0
        self._watch = Watch(store, clock=lambda: self._now)

    async def settled(self) -> bool:
        """Whether it believes the store's leases, by another look."""
        self._now += STEP
        await self._watch.look()
        return self._watch.settled()

    async def settles(self) -> None:
        """Return once it does."""
        async with asyncio.timeout(5):
            while not await self.settled():
                pass


async def test_a_redis_that_takes_no_writes_is_away(client: Redis, tmp_path: Path) -> None:
    """As one that has become a replica in a fail-over: nobody can renew a lease there, though all can be read."""
    store, control = RedisStore(client), Control(RedisStore(client))
    async with conducted(store, tmp_path / "spool") as job:
        await job.teller.told(Kind.ANSWERED, {}, 1.0)
        await control.settles()
        await client.replicaof("127.0.0.1", "1")
        assert not await control.settled()
        await job.teller.told(Kind.TURN, {"seq": 1}, 2.0)
        assert list((tmp_path / "spool").iterdir())
        async with asyncio.timeout(10):
            while await store.holder(job.call.id) is not None:
                await asyncio.sleep(0.05)
        await client.replicaof("NO", "ONE")
        assert not await control.settled(), "leases have run out that nobody could renew"
        await goes_on(store, job, tmp_path / "spool")


async def test_a_redis_that_is_shut_down_in_order_is_away_until_it_has_loaded(tmp_path: Path) -> None:
    """That takes longer than a lease."""
    port, slowly = free_port(), ("--key-load-delay", "25000")
    async with AsyncExitStack() as stack:
        first = stack.enter_context(ExitStack())
        client = open_client(first.enter_context(redis_server(tmp_path, port)))
        stack.push_async_callback(client.aclose)
        store, control = RedisStore(client), Control(RedisStore(client))
        # It looks at who asks once in 2 MB.
        await client.mset({f"filler:{number}": os.urandom(100_000) for number in range(200)})
        job = await stack.enter_async_context(conducted(store, tmp_path / "spool"))
        await job.teller.told(Kind.ANSWERED, {}, 1.0)
        await control.settles()
        await client.shutdown(save=True)
        assert not await control.settled()
        first.close()
        stack.enter_context(redis_server(tmp_path, port, *slowly))
        began = time.monotonic()
        await job.teller.told(Kind.TURN, {"seq": 1}, 2.0)
        while not await readable(store, job):
            assert not await control.settled(), "it loads"
            assert time.monotonic() - began < 30
        assert time.monotonic() - began > patience(0), "or no lease has run out"
        assert not await control.settled(), "leases have run out that nobody could renew"
        await goes_on(store, job, tmp_path / "spool")


async def readable(store: RedisStore, job: Job) -> bool:
    """Whether the store says what it knows."""
    with contextlib.suppress(Unavailable):
        return await store.get(job.call.id) is not None
    return False


async def goes_on(store: RedisStore, job: Job, spool: Path) -> None:
    """The job has its call again, and nothing of what it told is lost."""
    await holds(store, job)
    await until(lambda: not list(spool.iterdir()), 10.0)
    assert not job.lost
    assert [event.at for event in await told(store)] == [1.0, 2.0]
