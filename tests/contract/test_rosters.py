"""The rosters' contract, on memory and on a real Redis."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from redis.asyncio import Redis

from gateway.calls.people.redis_roster import RedisRosters
from gateway.calls.people.roster import MemoryRosters, Roster, Rosters
from gateway.errors import OurFault
from gateway.redis_client import PROTOCOL
from gateway.terms.act import Callee

DESK = Roster("desk", (Callee("ana", "+15105550111"), Callee("ben", "sip:ben@pbx")), "linear", 15.5, 60.0, "Asia/Tokyo")
SALES = Roster("sales")


@pytest.fixture(params=["memory", "redis", "redis-resp3-text"])
async def rosters(request: pytest.FixtureRequest) -> AsyncIterator[Rosters]:
    if request.param == "memory":
        yield MemoryRosters()
        return
    options = {"protocol": 3, "decode_responses": True} if "resp3" in request.param else {"protocol": PROTOCOL}
    client = Redis.from_url(request.getfixturevalue("redis_url"), socket_timeout=None, **options)
    await client.flushall()
    yield RedisRosters(client)
    await client.aclose()


async def test_what_is_put_is_read_by_team(rosters: Rosters) -> None:
    assert await rosters.get("desk") is None
    assert await rosters.all() == {}
    assert await rosters.put({"desk": DESK, "sales": SALES})
    assert await rosters.get("desk") == DESK
    assert await rosters.all() == {"desk": DESK, "sales": SALES}


async def test_only_what_changed_is_written(rosters: Rosters) -> None:
    assert await rosters.put({"desk": DESK, "sales": SALES})
    assert not await rosters.put({"sales": SALES, "desk": DESK})
    assert await rosters.put({"desk": replace(DESK, members=DESK.members[:1]), "sales": SALES})
    found = await rosters.get("desk")
    assert found
    assert [one.name for one in found.members] == ["ana"]


async def test_a_team_that_is_gone_is_forgotten(rosters: Rosters) -> None:
    await rosters.put({"desk": DESK, "sales": SALES})
    assert await rosters.put({"sales": SALES})
    assert await rosters.get("desk") is None
    assert await rosters.all() == {"sales": SALES}


async def test_what_redis_lost_is_written_again(redis_url: str) -> None:
    async with Redis.from_url(redis_url) as client:
        rosters = RedisRosters(client)
        for lost in ("offhook:roster:desk", "offhook:rosters"):
            await rosters.put({"desk": DESK, "sales": SALES})
            await client.delete(lost)
            assert await rosters.put({"desk": DESK, "sales": SALES})
            assert await rosters.all() == {"desk": DESK, "sales": SALES}


async def test_a_roster_of_another_version_hides_no_other(redis_url: str) -> None:
    async with Redis.from_url(redis_url) as client:
        rosters = RedisRosters(client)
        await rosters.put({"desk": DESK, "sales": SALES})
        await client.set("offhook:roster:desk", '{"members": 3}')
        assert await rosters.all() == {"sales": SALES}
        with pytest.raises(OurFault):
            await rosters.get("desk")
