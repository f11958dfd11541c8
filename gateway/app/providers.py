"""The providers that calls keep away from now, for one command."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.app.running_redis import running_redis
from gateway.config import Settings
from gateway.errors import Unavailable
from gateway.health.circuit import Circuit
from gateway.health.redis_store import RedisHealth


async def providers_out(settings: Settings) -> Mapping[str, Circuit]:
    """The circuits that aren't closed, by `ENGINE PROVIDER`; none where no Redis runs here, or it doesn't answer."""
    async with running_redis(settings) as client:
        try:
            return await RedisHealth(client).out() if client is not None else {}
        except Unavailable:
            return {}
