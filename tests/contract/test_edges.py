"""SIP services say that they run."""

from __future__ import annotations

import asyncio
from pathlib import Path

from gateway.calls.shared.edges import LOST, Edges, keep_beating
from gateway.redis_client import open_client
from gateway.tasks import cancelled
from tests.e2e.servers import redis_server


async def test_a_service_is_there_until_it_falls_silent(tmp_path: Path) -> None:
    with redis_server(tmp_path) as url:
        client = open_client(url)
        edges = Edges(client)
        assert await edges.there(100.0) == frozenset()
        await edges.beat("one", 100.0)
        beating = asyncio.create_task(keep_beating(edges, "two", lambda: 104.0))
        async with asyncio.timeout(5):
            while await edges.there(104.0) != {"one", "two"}:
                await asyncio.sleep(0.01)
        await cancelled(beating)
        assert await edges.there(100.5 + LOST) == {"two"}
        assert await edges.there(200.0) == frozenset()
        assert await client.hlen("offhook:edges") == 0  # type: ignore[misc]  # redis-py's unions
        await client.aclose()
