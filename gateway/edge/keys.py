"""A caller's key on its way into the room, also while the connection to LiveKit is being resumed."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

from livekit import rtc

from gateway.terms.gap import KEPT_FOR

WITHIN = 8.0
"""Seconds that sending a key may take. The SDK sends nothing while it resumes a connection that was cut: measured, for
three seconds and more."""
MOST = 64
"""Keys that are kept."""
AGAIN = 0.25
"""Seconds from a failure to the next try: what has failed wasn't sent."""


class Sent:
    """The keys of the last seconds, for a job that follows on one that has died. Times are seconds of one clock."""

    def __init__(self) -> None:
        self._keys: deque[tuple[float, str]] = deque(maxlen=MOST)

    def add(self, key: str, now: float) -> None:
        """A key goes into the room."""
        self._forget(now)
        self._keys.append((now, key))

    def since(self, then: float) -> list[str]:
        """The keys from then on, in order."""
        return [key for at, key in self._keys if at >= then]

    def _forget(self, now: float) -> None:
        while self._keys and now - self._keys[0][0] > KEPT_FOR:
            self._keys.popleft()


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
