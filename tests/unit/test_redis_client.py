"""Which connection of the pool is given out."""

from __future__ import annotations

import asyncio

import pytest
from redis.asyncio.connection import AbstractConnection

from gateway.redis_client import Connections


class Line(AbstractConnection):
    """A connection that is up once it is let."""

    def __init__(self, **_: object) -> None:
        super().__init__()
        self.up, self.lets = False, asyncio.Event()

    @property
    def is_connected(self) -> bool:
        return self.up

    async def connect(self) -> None:
        await self.lets.wait()
        self.up = True

    async def can_read(self) -> bool:
        return False

    async def disconnect(self, *_: object, **__: object) -> None:
        self.up = False

    def should_reconnect(self) -> bool:
        return False

    async def _connect(self) -> None: ...
    def _host_error(self) -> str: ...  # type: ignore[empty-body]
    def repr_pieces(self) -> list[tuple[str, str]]:
        return []


@pytest.fixture
def pool() -> Connections:
    return Connections(connection_class=Line)


async def begun(pool: Connections) -> Line:
    """A connection that somebody wanted and gave up on: it is still being made."""
    asking = asyncio.create_task(pool.get_connection())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    [making] = pool._making
    assert isinstance(making, Line)
    return making


async def test_one_that_is_up_comes_before_one_that_is_being_made(pool: Connections) -> None:
    up = pool.make_connection()
    up.up = True
    making = await begun(pool)
    pool._available_connections.insert(0, up)
    assert await pool.get_connection() is up
    making.lets.set()
    assert await pool.get_connection() is making, "it has been made, though nobody waited for it"
    await pool.disconnect()


async def test_one_that_is_being_made_comes_before_one_that_is_to_be(pool: Connections) -> None:
    making = await begun(pool)
    pool._available_connections.append(pool.make_connection())
    making.lets.set()
    assert await pool.get_connection() is making
    await pool.disconnect()


async def test_the_pools_end_is_theirs_too(pool: Connections) -> None:
    await begun(pool)
    await pool.disconnect()
    assert not pool._making
