"""What is left of calls that are over: rooms, jobs, and keys in Redis."""

from __future__ import annotations

import asyncio
import re
import time
from collections import Counter

import psutil
from livekit import api
from redis.exceptions import RedisError

from gateway.redis_client import open_client
from tests.e2e.gateway import Stack

GONE_WITHIN = 15.0
_KEPT = (
    "offhook:call:",
    "offhook:prompt",
    "offhook:at-work:",
    "offhook:member:",
    "offhook:team:",
    "offhook:latencies",
    "offhook:messages:unheard",
    "offhook:health:",
    "offhook:owner:",
    "offhook:donotcall",
)
"""Kept on purpose: a call for an hour, what was rendered for longer; who can take calls, how people and teams stand, how
long callers wait for answers, how providers do, which messages are still to be written down; whose callers
are, and who is never called."""


async def left_over(stack: Stack, livekit: int, usual: Counter[str]) -> list[str]:
    """What is there beyond the usual after GONE_WITHIN, in words. `livekit`: the port at which jobs reach LiveKit."""
    ends = time.monotonic() + GONE_WITHIN
    while True:
        try:
            found = await census(stack, livekit) - usual
        except (RedisError, OSError, api.TwirpError, TimeoutError) as bad:
            found = Counter({f"nobody answers ({type(bad).__name__})": 1})
        if not found:
            return []
        if time.monotonic() > ends:
            return [f"{count} × {what}" for what, count in sorted(found.items())]
        await asyncio.sleep(0.5)


async def census(stack: Stack, livekit: int) -> Counter[str]:
    """How many there are of each kind."""
    found: Counter[str] = Counter()
    async with asyncio.timeout(5):
        async with stack.livekit() as lk:
            found["room"] = len((await lk.room.list_rooms(api.ListRoomsRequest())).rooms)
        client = open_client(stack.run.redis_url)
        try:
            async for key in client.scan_iter("offhook:*", count=1000):
                name = key.decode() if isinstance(key, bytes) else key
                if not name.startswith(_KEPT):
                    found[re.sub(r"(?<=:)(?=[^:]*\d)[^:]{6,}", "…", name)] += 1
            found["live call"] = int(await client.scard("offhook:live"))
        finally:
            await client.aclose()
    found["job"] = await asyncio.to_thread(_jobs, stack, livekit)
    return found


def _jobs(stack: Stack, livekit: int) -> int:
    """Processes of the workers, but for the workers themselves, that are in a room."""
    count = 0
    for child in psutil.Process(stack.pid).children():
        try:
            if "gateway worker" not in " ".join(child.cmdline()):
                continue
            for one in child.children(recursive=True):
                count += any(each.raddr and each.raddr.port == livekit for each in one.net_connections("tcp"))
        except psutil.Error:
            continue
    return count
