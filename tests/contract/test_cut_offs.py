"""Which jobs leave their calls at once where LiveKit doesn't reach them, on a real Redis."""

from __future__ import annotations

import asyncio

import pytest
from redis.asyncio import Redis

from gateway.calls.shared import cut_offs
from gateway.calls.shared.cut_offs import CutOffs
from tests.e2e.servers import free_port


async def test_one_job_of_a_worker_is_the_first_for_a_while(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cut_offs, "LATELY", 0.1)
    async with Redis.from_url(redis_url) as client, asyncio.timeout(5):
        await client.flushall()
        assert await CutOffs(client, "one").first()
        assert [await CutOffs(client, who).first() for who in ("one", "other")] == [False, True]
        while await client.exists("offhook:cut_off:one"):
            await asyncio.sleep(0.01)
        assert await CutOffs(client, "one").first()


async def test_nobody_is_where_redis_does_not_answer() -> None:
    async with Redis.from_url(f"redis://127.0.0.1:{free_port()}") as client:
        assert not await CutOffs(client, "one").first()
