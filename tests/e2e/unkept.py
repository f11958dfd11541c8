"""A job that dies between its hearing a key and what came of that being kept, or being known to be."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

import psutil
from redis.asyncio import Redis

from tests.e2e.gateway import Stack
from tests.e2e.servers import until

_MOST = 5000
"""Milliseconds for which Redis does no writes at the most."""


@asynccontextmanager
async def keeping_nothing(stack: Stack) -> AsyncIterator[None]:
    """Redis does no writes meanwhile. What a process has asked of it that dies meanwhile is never done."""
    async with Redis.from_url(stack.run.redis_url) as redis:
        await redis.client_pause(_MOST, all=False)
        try:
            yield
        finally:
            await redis.client_unpause()


async def dies(one: psutil.Process) -> None:
    """Kill a process, and return once its connections are closed."""
    one.kill()
    await until(lambda: not psutil.pid_exists(one.pid))  # a zombie may have threads that still hold them


async def last_key(stack: Stack, call: str) -> int:
    """The number of the call's last key that is acted on, as is kept."""
    async with Redis.from_url(stack.run.redis_url) as redis:
        return int(cast("bytes | None", await redis.hget(_hash(call), "last_key")) or 0)


async def keep_last_key(stack: Stack, call: str, number: int) -> None:
    """As if what came of that key were kept."""
    async with Redis.from_url(stack.run.redis_url) as redis:
        await redis.hset(_hash(call), "last_key", number)


def _hash(call: str) -> str:
    return f"offhook:call:{call}"
