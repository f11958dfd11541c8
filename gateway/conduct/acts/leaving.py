"""How whoever talked with a caller has left, for a job that takes the call over and finds them gone."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from gateway.calls.acts.cues import LegLeft
from gateway.calls.acts.rung import RESUME_WITHIN
from gateway.errors import Unavailable
from gateway.terms.call import Left

ASK_EVERY = 0.25
"""Seconds between two questions."""

Leaving = Callable[[], Awaitable[Left | None]]
"""Asks the store; None while nobody has told. May raise Unavailable."""


async def nobody() -> Left | None:
    """A Leaving that knows of nobody."""
    return None


async def told(leaving: Leaving, happened: Callable[[LegLeft], None]) -> None:
    """Tell it as soon as control knows, which may hear of it in a moment; nothing when it doesn't in time. The machine takes
    them to have hung up then."""
    with suppress(TimeoutError):
        async with asyncio.timeout(RESUME_WITHIN):
            while (left := await _asked(leaving)) is None:
                await asyncio.sleep(ASK_EVERY)
            happened(LegLeft(left.leg, left.lost, left.at))


async def _asked(leaving: Leaving) -> Left | None:
    with suppress(Unavailable):
        return await leaving()
    return None
