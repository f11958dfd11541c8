"""The teams of the gateway that runs, for one command."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.calls.redis_members import RedisMembers
from gateway.calls.redis_roster import RedisRosters
from gateway.config import Settings
from gateway.errors import Unavailable
from gateway.operate.teams import TeamNow, teams
from gateway.redis_client import open_client
from gateway.up import runfile

_CONNECTS = 1.0
"""Seconds."""


async def teams_now(settings: Settings, now: float) -> Sequence[TeamNow] | None:
    """How the teams stand; None where no Redis is named or runs here, or it doesn't answer. Its address: REDIS_URL, or
    that of the gateway that runs on this state."""
    address = settings.redis_url.get_secret_value() if "redis_url" in settings.model_fields_set else ""
    if not address:
        running = runfile.read(settings.state)
        address = running.redis_url if running is not None else ""
    if not address:
        return None
    client = open_client(address, connect_within=_CONNECTS)
    try:
        return await teams(RedisMembers(client), RedisRosters(client), now)
    except Unavailable:
        return None
    finally:
        await client.aclose()
