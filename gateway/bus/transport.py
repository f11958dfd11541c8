"""The bus's Redis connections: publish, subscribe, and the lock that lets one of many servers see a request."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from redis.asyncio import Redis

from gateway.bus.envelope import Envelope, decode, encode
from gateway.bus.errors import BusDown, BusSyntaxError
from gateway.bus.feed import BROKEN, FIRST_PAUSE, WAIT, Feed, Published, feed, longer, open_redis
from gateway.bus.port import Receiver
from gateway.metrics import EDGE_ERRORS
from gateway.tasks import Tasks

LOCK_SECONDS = 5
"""How long a request stays locked to the server process that took it (psrpc, bus_redis.go)."""

log = structlog.get_logger(__name__)


class RedisBus:
    """The shared connections of one process: a Bus. Made by `connect`."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._receivers: dict[str, Receiver] = {}
        self._confirmed: dict[str, asyncio.Event] = {}
        self._asking: set[str] = set()
        """Channels that are asked for and were never subscribed yet."""
        self._feed: Feed | None = None
        self._down = False

    @property
    def connected(self) -> bool:
        """True while every channel is subscribed; one that is just being asked for doesn't count: each call asks for
        its own, and others must not be turned away meanwhile."""
        known = (event.is_set() for channel, event in self._confirmed.items() if channel not in self._asking)
        return self._feed is not None and all(known)

    async def subscribe(self, channel: str, receiver: Receiver) -> None:
        """Have `receiver` called for each message; returns once none can be missed.

        The subscription outlasts lost connections. Raises BusDown, leaving nothing behind, when Redis doesn't
        confirm in time.
        """
        self._receivers[channel] = receiver
        confirmed = self._confirmed[channel] = asyncio.Event()
        self._asking.add(channel)
        try:
            if self._feed is not None:
                await self._feed.subscribe(channel)
            async with asyncio.timeout(WAIT):
                await confirmed.wait()
        except (BusDown, TimeoutError) as bad:
            await self.unsubscribe(channel)
            raise BusDown("Redis doesn't confirm a subscription.") from bad
        finally:
            self._asking.discard(channel)

    async def unsubscribe(self, channel: str) -> None:
        """Call the receiver no more."""
        self._receivers.pop(channel, None)
        self._confirmed.pop(channel, None)
        if self._feed is not None:
            try:
                await self._feed.unsubscribe(channel)
            except BusDown:
                return  # the connection's end has ended the subscription

    async def publish(self, channel: str, envelope: Envelope) -> None:
        """Publish, to whoever listens now. Raises BusDown."""
        try:
            async with asyncio.timeout(WAIT):
                await self._redis.publish(channel, encode(envelope))
        except BROKEN as bad:
            raise BusDown(f"Redis can't be reached ({type(bad).__name__}).") from bad

    async def first(self, data: bytes) -> bool:
        """Take the queue lock on a request's bytes: True for one of all the processes that try. Raises BusDown."""
        key = base64.b64encode(hashlib.sha256(data).digest()).decode()
        try:
            async with asyncio.timeout(WAIT):
                return bool(await self._redis.set(key, random.getrandbits(62), nx=True, ex=LOCK_SECONDS))
        except BROKEN as bad:
            raise BusDown(f"Redis can't be reached ({type(bad).__name__}).") from bad

    async def run(self, opened: asyncio.Event) -> None:
        """Receive for ever, reconnecting; `opened` is set once the first connection is there."""
        pause = FIRST_PAUSE
        while True:
            try:
                async with feed(self._redis) as self._feed:
                    if self._receivers:
                        await self._feed.subscribe(*self._receivers)
                    opened.set()
                    self._back()
                    pause = FIRST_PAUSE
                    await self._receive(self._feed)
            except BusDown as bad:
                self._lost(bad)
            finally:
                self._feed = None
                for event in self._confirmed.values():
                    event.clear()
            await asyncio.sleep(pause)
            pause = longer(pause)

    async def _receive(self, connection: Feed) -> None:
        while True:
            got = await connection.next()
            if isinstance(got, Published):
                self._deliver(got)
            elif event := self._confirmed.get(got.channel):
                event.set()

    def _deliver(self, got: Published) -> None:
        receiver = self._receivers.get(got.channel)
        if receiver is None:
            return
        try:
            receiver(decode(got.data), got.data)
        except BusSyntaxError as bad:
            log.warning("bus message ignored", why=bad.what)
        except Exception:  # a bug in one receiver must not deafen the whole process
            EDGE_ERRORS.labels("bus").inc()
            log.exception("bus message failed")

    def _lost(self, why: BusDown) -> None:
        if not self._down:
            log.warning("bus lost", why=why.what)
        self._down = True

    def _back(self) -> None:
        if self._down:
            log.info("bus is back")
        self._down = False


@asynccontextmanager
async def connect(url: str) -> AsyncIterator[RedisBus]:
    """The bus on the Redis at `url`, while the context lasts. Raises BusDown when Redis can't be reached at first.

    Later losses of Redis don't end it: calls fail meanwhile, and it reconnects.
    """
    redis = open_redis(url)
    bus, opened = RedisBus(redis), asyncio.Event()
    try:
        async with Tasks("bus") as tasks:
            tasks.start(bus.run(opened))
            await _until(opened)
            yield bus
    finally:
        await redis.aclose()


async def _until(opened: asyncio.Event) -> None:
    try:
        async with asyncio.timeout(WAIT):
            await opened.wait()
    except TimeoutError:
        raise BusDown("Redis can't be reached.", remedy="Start it, or set REDIS_URL.") from None
