"""SIP services say that they run, by Redis' clock."""

from __future__ import annotations

import asyncio
from pathlib import Path

from gateway.calls.shared.edges import BEAT, LOST, Beating, Edges
from gateway.redis_client import open_client
from gateway.tasks import cancelled
from tests.contract.clocks import beaten_ago
from tests.e2e.servers import redis_server, until


async def test_a_service_is_there_until_it_falls_silent(tmp_path: Path) -> None:
    with redis_server(tmp_path) as url:
        client = open_client(url)
        edges = Edges(client)
        assert await edges.there() == frozenset()
        await edges.beat("one")
        beating = asyncio.create_task(Beating(edges, "two").keep())
        async with asyncio.timeout(5):
            while await edges.there() != {"one", "two"}:
                await asyncio.sleep(0.01)
        await cancelled(beating)
        await beaten_ago(client, "offhook:edges", "one", LOST + 1)
        assert await edges.there() == {"two"}
        await beaten_ago(client, "offhook:edges", "two", LOST - 2)
        assert await edges.there() == {"two"}
        for run in ("one", "two"):
            await beaten_ago(client, "offhook:edges", run, 100)
        assert await edges.there() == frozenset()
        assert await client.hlen("offhook:edges") == 0  # type: ignore[misc]  # redis-py's unions
        await client.aclose()


async def test_a_service_knows_that_redis_takes_no_writes(tmp_path: Path) -> None:
    with redis_server(tmp_path) as url:
        client = open_client(url)
        beating = Beating(Edges(client), "one")
        going = asyncio.create_task(beating.keep())
        assert beating.taken
        await client.replicaof("127.0.0.1", "1")
        await until(lambda: not beating.taken, 3 * BEAT)
        assert await client.ping(), "it answers all the same"
        await client.replicaof("NO", "ONE")
        await until(lambda: beating.taken, BEAT)
        await cancelled(going)
        await client.aclose()
