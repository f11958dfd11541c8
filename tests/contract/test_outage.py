"""A real Redis that stands still, or comes back empty, beneath a job and a control, without any call."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
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
from tests.contract.calls import a_call
from tests.contract.held_redis import server
from tests.e2e.servers import until

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
        async with asyncio.timeout(10):
            while await store.holder(job.call.id) != "AJ_1":
                await asyncio.sleep(0.05)
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
