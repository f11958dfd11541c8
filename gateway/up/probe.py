"""Asking a child whether it serves."""

from __future__ import annotations

import asyncio

import aiohttp
from redis.exceptions import RedisError

from gateway.redis_client import open_client
from gateway.up.children import Check, Child

_EACH = 1.0
_BETWEEN = 0.05


async def serves(child: Child) -> str:
    """Ask once, for a second at most; "" when it serves, else why not."""
    try:
        async with asyncio.timeout(_EACH):
            return await (_redis(child.address) if child.check is Check.REDIS else _http(child.address))
    except TimeoutError:
        return "no answer"


async def until_serving(child: Child) -> None:
    """Ask until it serves; bound it by a timeout of your own."""
    while await serves(child):
        await asyncio.sleep(_BETWEEN)


async def _redis(url: str) -> str:
    client = open_client(url)
    try:
        await client.ping()
    except (RedisError, OSError) as bad:
        return str(bad)
    finally:
        await client.aclose()
    return ""


async def _http(url: str) -> str:
    try:
        async with aiohttp.ClientSession() as session, session.get(url) as answer:
            return "" if answer.status == 200 else (await answer.text()).strip()
    except (aiohttp.ClientError, OSError) as bad:
        return str(bad)
