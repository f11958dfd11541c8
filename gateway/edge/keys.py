"""A caller's key on its way into the room, also while the connection to LiveKit is being resumed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from livekit import rtc

WITHIN = 8.0
"""Seconds that sending a key may take. The SDK sends nothing while it resumes a connection that was cut: measured, for
three seconds and more."""
AGAIN = 0.25
"""Seconds from a failure to the next try: what has failed wasn't sent."""


async def sent(publish: Callable[[], Awaitable[None]]) -> str:
    """Send a key by `publish`; why it was lost, or ""."""
    try:
        async with asyncio.timeout(WITHIN):
            while True:
                try:
                    await publish()
                except rtc.participant.PublishDTMFError:
                    await asyncio.sleep(AGAIN)
                else:
                    return ""
    except TimeoutError:
        return "LiveKit couldn't be reached in time"
