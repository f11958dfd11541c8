"""One subscribed connection to Redis, from its first channel until it breaks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.client import PubSub
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from gateway.bus.errors import BusDown
from gateway.redis_client import PROTOCOL

WAIT = 3.0
"""Seconds that any one exchange with Redis may take."""
HEARTBEAT = 5.0
"""Seconds of silence after which the connection is tried by a PING; as long again, and it counts as broken."""
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 0.25
"""Seconds between attempts to reach Redis again."""
BROKEN = (RedisError, OSError, TimeoutError)
"""What redis-py raises when Redis is away or the connection breaks."""


@dataclass(frozen=True, slots=True)
class Published:
    """A message on a channel."""

    channel: str
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Subscribed:
    """Redis confirmed a subscription: from now on nothing published there is missed."""

    channel: str


def open_redis(url: str) -> Redis:
    """A client of bounded waits and connections; close it with `aclose`. Connects on first use.

    A command is tried a second time when its connection turns out to be dead, as after a restart of Redis.
    """
    pool = BlockingConnectionPool.from_url(
        url,
        protocol=PROTOCOL,
        max_connections=32,
        timeout=WAIT,
        socket_timeout=None,  # see gateway.redis_client
        socket_connect_timeout=WAIT,
        retry=Retry(NoBackoff(), 1),
    )
    return Redis(connection_pool=pool)


@asynccontextmanager
async def feed(redis: Redis) -> AsyncIterator[Feed]:
    """Open a connection for subscriptions. Raises BusDown when Redis can't be reached."""
    pubsub = redis.pubsub()
    try:
        try:
            async with asyncio.timeout(WAIT):
                await pubsub.connect()  # type: ignore[no-untyped-call]  # redis-py leaves it unannotated
        except BROKEN as bad:
            raise BusDown(f"Redis can't be reached ({type(bad).__name__}).") from bad
        yield Feed(pubsub)
    finally:
        await pubsub.aclose()  # type: ignore[no-untyped-call]  # as above


class Feed:
    """Subscribe, and take what comes by `next`. Every method raises BusDown once the connection is broken."""

    def __init__(self, pubsub: PubSub) -> None:
        self._pubsub = pubsub

    async def subscribe(self, *channels: str) -> None:
        """Ask for channels; `next` yields Subscribed for each."""
        await self._send(self._pubsub.subscribe(*channels))

    async def unsubscribe(self, *channels: str) -> None:
        """Ask for no more of them; what is under way still comes."""
        await self._send(self._pubsub.unsubscribe(*channels))

    async def next(self) -> Published | Subscribed:
        """Wait for the next message or confirmation; a dead connection is noticed within two heartbeats."""
        quiet = 0
        while quiet < 2:
            try:
                got = await self._pubsub.get_message(timeout=HEARTBEAT)
            except BROKEN as bad:
                raise BusDown(f"The connection to Redis broke ({type(bad).__name__}).") from bad
            if got is None:
                quiet += 1
                await self._send(self._pubsub.ping())
            elif got["type"] == "message":
                return Published(got["channel"].decode(), got["data"])
            elif got["type"] == "subscribe":
                return Subscribed(got["channel"].decode())
            else:
                quiet = 0
        raise BusDown("The connection to Redis is dead.")

    async def _send(self, command: object) -> None:
        try:
            async with asyncio.timeout(WAIT):
                await command  # type: ignore[misc]  # redis-py types its commands as sync-or-async unions
        except BROKEN as bad:
            raise BusDown(f"The connection to Redis broke ({type(bad).__name__}).") from bad


def longer(pause: float) -> float:
    """The pause before the next attempt."""
    return min(pause * 2, LONGEST_PAUSE)
