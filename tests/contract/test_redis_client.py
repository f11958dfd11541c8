"""The clients of Redis against a real one that is slow, stands still, or comes back: what a connection costs, and whether
who asks is served again at once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path

import psutil
import pytest
from redis.asyncio import Redis

from gateway import redis_client
from gateway.app import rounds
from gateway.bus.errors import BusDown
from gateway.bus.feed import Published, feed, open_redis
from gateway.calls.shared.lifelines import held
from gateway.calls.shared.redis_answering import WITHIN, answering
from gateway.calls.store.port import Asked
from gateway.calls.store.redis_store import RedisStore
from gateway.errors import Unavailable
from gateway.redis_client import open_client
from gateway.tasks import Tasks
from gateway.terms.act import Because, Onward
from gateway.terms.call import Call, Pool
from gateway.terms.event import Event, Kind
from tests.chaos.proxy import proxy
from tests.contract.calls import a_call
from tests.contract.held_redis import server
from tests.e2e.servers import free_port, redis_server

__all__ = ["server"]

STANDS = 4.0
"""Seconds, longer than any wait may take."""
AGAIN = 1.0
"""Seconds from its return until everybody is served."""


@asynccontextmanager
async def late(url: str, seconds: float) -> AsyncIterator[str]:
    """The Redis, each of whose answers comes that much later."""
    upstream = int(url.rpartition(":")[2].partition("/")[0])
    loop, writers = asyncio.get_running_loop(), list[asyncio.StreamWriter]()

    async def passed(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, by: float) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(65536):
                loop.call_later(by, writer.write, data)
        writer.close()

    async def came(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far, away = await asyncio.open_connection("127.0.0.1", upstream)
        writers.extend((writer, away))
        await asyncio.gather(passed(reader, away, 0.0), passed(far, writer, seconds))

    async with await asyncio.start_server(came, "127.0.0.1", 0) as listening:
        yield url.replace(f":{upstream}/", f":{listening.sockets[0].getsockname()[1]}/")
        for one in writers:
            one.close()


@asynccontextmanager
async def client(url: str) -> AsyncIterator[Redis]:
    made = open_client(url, connect_within=WITHIN)
    try:
        yield made
    finally:
        await made.aclose()


async def test_a_new_connection_is_of_use_at_once(server: tuple[str, psutil.Process]) -> None:
    async with late(server[0], 0.4 * WITHIN) as url, client(url) as redis, answering():
        assert await redis.get("nothing") is None, (
            "an answer later than any that may be waited for, were more asked first"
        )


async def test_a_connection_is_made_though_who_wanted_it_has_given_up(server: tuple[str, psutil.Process]) -> None:
    async with client(server[0]) as plain:
        await plain.config_set("requirepass", "secret")
    of_one = server[0].replace("redis://", "redis://:secret@").replace("/0", "/1")
    async with late(of_one, 0.6 * WITHIN) as url, client(url) as redis:
        with pytest.raises(Unavailable):
            async with answering():
                await redis.get("nothing")  # the password's answer and the database's come too late for it
        async with answering():
            assert await redis.get("nothing") is None


async def test_connections_that_a_restart_has_cut_fail_nobody(tmp_path: Path) -> None:
    port = free_port()
    redis = open_client(f"redis://127.0.0.1:{port}/0", connect_within=WITHIN)
    with redis_server(tmp_path, port):
        await asyncio.gather(*(redis.blpop(["nothing"], timeout=0.2) for _ in range(8)))
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    await reader.read()  # the others have ended as this one has
    writer.close()
    with redis_server(tmp_path, port):
        async with answering():
            assert await asyncio.gather(*(redis.get("nothing") for _ in range(8))) == [None] * 8
        await redis.aclose()


class Users:
    """Whoever asks one Redis again and again, as a control and its hearer do, and which of them it has served."""

    ALL = frozenset({"asks", "lost", "standing", "live", "lifelines", "events", "news"})

    def __init__(self, call: Call) -> None:
        self.served, self._call, self._ending = set[str](), call, asyncio.Event()

    def start(self, tasks: Tasks, redis: Redis, bus: Redis) -> None:
        """Begin to ask."""
        store = RedisStore(redis)
        for _ in range(4):
            tasks.start(rounds.serve(self._noted("asks", store.asked), 1.0, self._ending))
            tasks.start(rounds.serve(self._noted("lost", store.lost), 1.0, self._ending))
            tasks.start(rounds.every(0.5, self._noted("standing", store.standing), self._ending))
            tasks.start(rounds.every(0.25, self._noted("live", store.live), self._ending))
            tasks.start(rounds.every(0.2, self._noted("lifelines", partial(held, redis)), self._ending))
        tasks.start(rounds.every(0.0, self._noted("events", partial(self._read, store)), self._ending))
        tasks.start(self._hear(bus))

    async def all_served(self, store: RedisStore, redis: Redis, within: float) -> None:
        """Ask and tell something of everybody, as jobs do, until all have served or heard it."""
        self.served.clear()
        began, call = time.monotonic(), self._call.id
        while left := self.ALL - self.served:
            assert time.monotonic() - began < within, left
            await store.ask(Asked(call, 1, 1, Onward(Because.KEY), Pool.HOUSE))
            await store.take(call, 1, "AJ_1", 10.0)
            await store.release(call, 1, "AJ_1")
            await store.tell(Event(call, Kind.TURN, time.time(), {"seq": 1}))
            await redis.publish("news", b"")
            await asyncio.sleep(0.05)  # they ask for what may be seen, again and again

    def _noted(self, name: str, ask: Callable[..., Awaitable[object]]) -> Callable[..., Awaitable[None]]:
        async def noted(*wait: float) -> None:
            if await ask(*wait) not in (None, []):
                self.served.add(name)

        return noted

    async def _read(self, store: RedisStore) -> object:
        found = await store.read("test", count=100, wait=1.0)
        await store.ack(found)
        return found

    async def _hear(self, bus: Redis) -> None:
        while True:
            with suppress(BusDown):
                async with feed(bus) as heard:
                    await heard.subscribe("news")
                    while True:
                        if isinstance(await heard.next(), Published):
                            self.served.add("news")


async def test_connections_that_a_burst_needed_are_closed_when_it_is_over(
    server: tuple[str, psutil.Process], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_client, "UNNEEDED_AFTER", 0.3)
    async with client(server[0]) as redis, client(server[0]) as other:

        async def used() -> int:
            return len(await other.client_list()) - 1

        await asyncio.gather(*(redis.blpop(["nobody tells"], 0.1) for _ in range(20)))
        assert await used() == 20
        async with asyncio.timeout(5):
            while await used() > 1:
                await redis.ping()
        assert await redis.ping()
        await asyncio.gather(*(redis.blpop(["nobody tells"], 0.1) for _ in range(5)))
        assert await used() == 5


@pytest.mark.parametrize("deed", ["stopped", "held"])
async def test_everybody_is_served_again_within_a_second_of_its_return(
    server: tuple[str, psutil.Process], deed: str
) -> None:
    """After a Redis that stood still for longer than anybody waits: the questions of all who gave up are in their
    connections yet, and the answers come to nobody."""
    url, process = server
    port, near, call = int(url.rpartition(":")[2].partition("/")[0]), free_port(), a_call()
    way = f"redis://127.0.0.1:{near}/0" if deed == "held" else url
    async with proxy(near, port) as between, client(way) as redis, client(url) as job, Tasks("users") as tasks:
        store, bus = RedisStore(job), open_redis(way)
        await store.open(call)
        users = Users(call)
        users.start(tasks, redis, bus)
        await users.all_served(store, job, 10.0)
        between.hold() if deed == "held" else process.suspend()
        try:
            await asyncio.sleep(STANDS)  # the fault itself
        finally:
            between.go_on() if deed == "held" else process.resume()
        await users.all_served(store, job, AGAIN)
        await bus.aclose()
