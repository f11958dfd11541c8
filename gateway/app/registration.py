"""Whether livekit-server is there, and whether a worker is registered at it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace

import aiohttp

LOOK_AGAIN = 0.5
"""Seconds between two looks at livekit-server, while it answers."""
LOOK_SOON = 0.25
"""The same while it doesn't."""
ANSWERS_WITHIN = 1.0
FORGOTTEN = 15.0
"""Seconds from livekit-server's return in which a worker that it doesn't know any more registers: it was never forgotten
otherwise."""


class LiveKitLook:
    """Looks at livekit-server again and again: without it no call can be taken."""

    def __init__(self, url: str) -> None:
        self._url = url.replace("ws://", "http://", 1).replace("wss://", "https://", 1)
        self.answers = False
        self._refused = False

    async def run(self, seen: Callable[[bool], None] = lambda _: None) -> None:
        """Look for ever; `seen` hears each time whether somebody listens there, answered or not."""
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=ANSWERS_WITHIN)) as session:
            while True:
                self._refused = False
                self.answers = await self._look(session)
                seen(not self._refused)
                await asyncio.sleep(LOOK_AGAIN if self.answers else LOOK_SOON)

    async def _look(self, session: aiohttp.ClientSession) -> bool:
        try:
            async with session.get(self._url) as answer:
                return answer.status == 200
        except (aiohttp.ClientError, TimeoutError, OSError) as bad:
            self._refused = isinstance(bad, aiohttp.ClientConnectorError)
            return False


@dataclass(frozen=True, slots=True)
class Registration:
    """A worker's registration, as far as it shows: livekit-agents tells that there is one, and not that it is lost."""

    once: bool = False
    """It was registered."""
    there: bool = True
    """livekit-server listens: one that is only slow has forgotten nobody."""
    doubtful: float = float("-inf")
    """Until when, in seconds on the caller's clock, it may have been lost."""

    def holds(self, now: float) -> bool:
        """Whether calls can come."""
        return self.once and self.there and now >= self.doubtful

    def registered(self) -> Registration:
        """The worker has registered."""
        return replace(self, once=True, doubtful=float("-inf"))

    def seen(self, there: bool, now: float) -> Registration:
        """livekit-server was looked at."""
        doubtful = self.doubtful if there else now + FORGOTTEN
        return replace(self, there=there, doubtful=doubtful)
