"""Redis clients whose waits can be cancelled.

redis-py writes by `asyncio.wait_for` when it has a socket time-out, and Python before 3.12 forgets a cancellation that
comes as such a wait ends (python/cpython#86296): a loop that reads Redis then outlives whoever ends it. So our clients
have no socket time-out; every wait is bounded by an `asyncio.timeout` around it.

A wait that is cut off costs its connection: what it asked may yet be answered there. So after a Redis that stood still
all connections are made anew, at once and by whoever is slow already, and what is slower than a wait may be would be cut
off, and begun anew, for ever. Therefore little is asked on a new connection before it is of use, and what is begun isn't
thrown away with the wait.
"""

from __future__ import annotations

import asyncio
from typing import Any
from weakref import WeakKeyDictionary

from redis.asyncio import ConnectionPool, Redis
from redis.asyncio.connection import AbstractConnection

from gateway.tasks import cancelled

PROTOCOL = 2
"""RESP3 would ask two things more on each new connection (HELLO, CLIENT MAINT_NOTIFICATIONS), and redis-py then takes a
connection from its pool without looking whether the server has closed it: after a restart of Redis each fails a command."""
_MADE_WITHIN = 5.0
"""Seconds that a new connection may take until it is of use: TCP, TLS, the password and the database. Longer than Redis
usually stands still."""
UNNEEDED_AFTER = 20.0
"""Seconds after which a connection that nobody needed is closed: redis-py keeps as many as a burst of calls has ever needed at once, and
Redis has a place for each."""


class Connections(ConnectionPool):
    """A pool whose connections are made to the end, though who asked for one has given up: the next has it then. Whatever is
    given back closes those that weren't needed for long."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._making: dict[AbstractConnection, asyncio.Task[None]] = {}
        self._needed = WeakKeyDictionary[AbstractConnection, float]()
        """When each was given back, on the loop's clock."""

    def get_available_connection(self) -> AbstractConnection:
        """One that is up, else one that is being made, else one that is to be."""
        self._available_connections.sort(key=self._nearness)
        found: AbstractConnection = super().get_available_connection()  # type: ignore[no-untyped-call]  # takes the last
        return found

    def _nearness(self, connection: AbstractConnection) -> int:
        return 1 if connection in self._making else 2 * connection.is_connected

    async def ensure_connection(self, connection: AbstractConnection) -> None:
        """Return once the connection is up, and nothing is left in it."""
        making = self._making.get(connection)
        if making is None:
            if connection.is_connected and not await connection.can_read():
                return
            making = self._making[connection] = asyncio.create_task(self._make(connection), name="connect to Redis")
            making.add_done_callback(lambda done: self._made(connection, done))
        await asyncio.shield(making)

    async def release(self, connection: AbstractConnection) -> None:
        """Take one back that isn't in use any more."""
        await super().release(connection)
        now = self._needed[connection] = asyncio.get_running_loop().time()
        async with self._lock:
            unneeded = [one for one in self._available_connections if self._unneeded(one, now)]
            for one in unneeded:
                self._available_connections.remove(one)
        for one in unneeded:
            await one.disconnect(nowait=True)

    def _unneeded(self, connection: AbstractConnection, now: float) -> bool:
        return connection not in self._making and now - self._needed.get(connection, now) > UNNEEDED_AFTER

    async def disconnect(self, inuse_connections: bool = True) -> None:
        """Close them, also those that are being made."""
        await cancelled(*self._making.values())
        await super().disconnect(inuse_connections)

    async def _make(self, connection: AbstractConnection) -> None:
        async with asyncio.timeout(_MADE_WITHIN):
            await super().ensure_connection(connection)

    def _made(self, connection: AbstractConnection, done: asyncio.Task[None]) -> None:
        del self._making[connection]
        if not done.cancelled():
            done.exception()  # told to who waits, if anybody does


def open_client(url: str, *, connect_within: float = 5.0) -> Redis:
    """A client; close it with `aclose`. Bound each of its commands by an `asyncio.timeout`. `connect_within`: seconds
    until an address that doesn't answer is tried anew."""
    pool = Connections.from_url(
        url,
        protocol=PROTOCOL,
        socket_timeout=None,
        socket_connect_timeout=connect_within,
        driver_info=None,  # else redis-py reads what every installed package says of itself: a megabyte of memory
    )
    return Redis.from_pool(pool)
