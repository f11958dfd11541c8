"""Redis clients whose waits can be cancelled.

redis-py writes by `asyncio.wait_for` when it has a socket time-out, and Python before 3.12 forgets a cancellation that
comes as such a wait ends (python/cpython#86296): a loop that reads Redis then outlives whoever ends it. So our clients
have no socket time-out; every wait is bounded by an `asyncio.timeout` around it.
"""

from __future__ import annotations

from redis.asyncio import Redis


def open_client(url: str, *, connect_within: float = 5.0) -> Redis:
    """A client; close it with `aclose`. Bound each of its commands by an `asyncio.timeout`. `connect_within`: seconds
    that a connection may take."""
    # To tell Redis its version, redis-py would read what every installed package says of itself: a megabyte of memory.
    return Redis.from_url(url, socket_timeout=None, socket_connect_timeout=connect_within, driver_info=None)
