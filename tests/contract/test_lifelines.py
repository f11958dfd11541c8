"""Redis tells who holds a lifeline, and forgets one with its holder's connection."""

from __future__ import annotations

import asyncio
from pathlib import Path

from gateway.calls.shared.lifelines import held, hold
from gateway.calls.shared.presence import Presence
from gateway.calls.shared.working import Working
from gateway.redis_client import open_client
from gateway.tasks import cancelled
from gateway.terms.call import Pool
from tests.e2e.servers import redis_server


async def test_a_lifeline_is_held_for_as_long_as_its_holder_lives(tmp_path: Path) -> None:
    with redis_server(tmp_path) as url:
        client = open_client(url)

        async def until(workers: set[str]) -> None:
            async with asyncio.timeout(5):
                while await held(client) != workers:
                    await asyncio.sleep(0.01)

        one, two = (asyncio.create_task(hold(url, name)) for name in ("one", "two"))
        await until({"one", "two"})
        await cancelled(two)
        await until({"one"})
        await client.execute_command("CLIENT", "KILL", "TYPE", "pubsub")  # type: ignore[no-untyped-call]
        await until({"one"})
        assert not one.done()
        await cancelled(one)
        await until(set())
        await client.aclose()


async def test_the_dead_take_no_calls(tmp_path: Path) -> None:
    with redis_server(tmp_path) as url:
        client = open_client(url)
        presence = Presence(client)
        await presence.beat(Pool.AGENTS, "one", Working(True, 1, 9))
        await presence.beat(Pool.HOUSE, "two", Working(True, 1, 9))
        assert await presence.died("one")
        assert not await presence.died("three"), "it has said that it has ended"
        assert [one.ready for one in await presence.there(Pool.AGENTS)] == [False]
        assert [one.ready for one in await presence.there(Pool.HOUSE)] == [True]
        await client.aclose()
