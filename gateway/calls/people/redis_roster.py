"""Rosters in Redis (6.2 or newer).

| key | holds |
| --- | --- |
| `offhook:roster:<team>` | the team's roster as JSON |
| `offhook:rosters` | the names of the teams that have one |
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import structlog
from redis.asyncio import Redis

from gateway.calls.people.roster import Roster, read, written
from gateway.calls.shared.redis_answering import answering, text
from gateway.errors import OurFault

_ROSTER, _TEAMS = "offhook:roster:", "offhook:rosters"

log = structlog.get_logger(__name__)


class RedisRosters:
    """Implements `gateway.calls.people.roster.Rosters`. The client is the caller's to close."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def get(self, team: str) -> Roster | None:
        """See the port."""
        async with answering():
            found = await self._redis.get(_ROSTER + team)
        return read(text(found)) if found is not None else None

    async def all(self) -> Mapping[str, Roster]:
        """See the port."""
        found = await self._texts()
        rosters = {}
        for team, one in found.items():
            try:
                rosters[team] = read(one)
            except OurFault as bad:  # another version's, as while a new one is rolled out: it must not hide the others
                log.warning("a roster can't be read", team=team, why=bad.what)
        return rosters

    async def put(self, rosters: Mapping[str, Roster]) -> bool:
        """See the port."""
        before = await self._texts()
        now = {team: written(roster) for team, roster in rosters.items()}
        if before == now:
            return False
        async with answering():
            pipe = self._redis.pipeline(transaction=True)
            for team in before.keys() - now.keys():
                pipe.delete(_ROSTER + team)
                pipe.srem(_TEAMS, team)
            for team, one in now.items():
                if before.get(team) != one:
                    pipe.set(_ROSTER + team, one)
                    pipe.sadd(_TEAMS, team)
            await pipe.execute()
        return True

    async def _texts(self) -> dict[str, str]:
        async with answering():
            teams = sorted(text(one) for one in await cast(Any, self._redis.smembers(_TEAMS)))
            found = await self._redis.mget([_ROSTER + team for team in teams]) if teams else []
        return {team: text(one) for team, one in zip(teams, found, strict=True) if one is not None}
