"""The teams of the gateway that runs, for one command."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.app.running_redis import running_redis
from gateway.calls.people.redis_members import RedisMembers
from gateway.calls.people.redis_roster import RedisRosters
from gateway.config import Settings
from gateway.errors import Unavailable
from gateway.operate.teams import TeamNow, teams


async def teams_now(settings: Settings, now: float) -> Sequence[TeamNow] | None:
    """How the teams stand; None where no Redis is named or runs here, or it doesn't answer."""
    async with running_redis(settings) as client:
        if client is None:
            return None
        try:
            return await teams(RedisMembers(client), RedisRosters(client), now)
        except Unavailable:
            return None
