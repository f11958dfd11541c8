"""The Redis of the gateway that runs, for one command."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from redis.asyncio import Redis

from gateway.config import Settings
from gateway.redis_client import open_client
from gateway.up import runfile

_CONNECTS = 1.0
"""Seconds."""


@asynccontextmanager
async def running_redis(settings: Settings) -> AsyncIterator[Redis | None]:
    """A client; None where no Redis is named or runs here. Its address: REDIS_URL, or that of the gateway that runs on
    this state."""
    address = settings.redis_url.get_secret_value() if "redis_url" in settings.model_fields_set else ""
    if not address:
        running = runfile.read(settings.state)
        address = running.redis_url if running is not None else ""
    if not address:
        yield None
        return
    client = open_client(address, connect_within=_CONNECTS)
    try:
        yield client
    finally:
        await client.aclose()
