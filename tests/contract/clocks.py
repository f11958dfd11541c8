"""Beats as if they were older than they are."""

from __future__ import annotations

from typing import Any, cast

from redis.asyncio import Redis

from gateway.calls.shared.redis_answering import seconds, text


async def beaten_ago(redis: Redis, key: str, who: str, age: float) -> None:
    """Somebody was heard of last that many seconds ago, by Redis' clock."""
    now = seconds(await cast(Any, redis.time()))
    said = text(await cast(Any, redis.hget(key, who)))
    at, comma, rest = said.lstrip("[").partition(",")
    assert abs(now - float(at)) < 3600, said
    await cast(Any, redis.hset(key, who, f"{'[' if said[0] == '[' else ''}{now - age}{comma}{rest}"))
