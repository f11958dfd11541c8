"""What control does again and again until it ends, whatever doesn't answer meanwhile."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress

import structlog

from gateway.errors import Unavailable
from gateway.metrics import EDGE_ERRORS

Clock = Callable[[], float]
"""Seconds, never going back."""

log = structlog.get_logger(__name__)


async def quietly(work: Awaitable[None]) -> None:
    """Do it once; what goes wrong is told."""
    try:
        await work
    except Unavailable as bad:
        log.warning("control can't do something now", why=str(bad))
    except Exception:  # the process's edge: a call that can't be read must not end the looks at all the others
        EDGE_ERRORS.labels("control").inc()
        log.exception("control met what it didn't expect")


async def every(
    seconds: float, look: Callable[[], Awaitable[None]], ending: asyncio.Event, clock: Clock = time.monotonic
) -> None:
    """Look again and again, each time that many seconds after the last look began, or at once when it took longer."""
    while not ending.is_set():
        started = clock()
        await quietly(look())
        await _rest(started + seconds - clock(), ending)


async def serve(
    one: Callable[[float], Awaitable[None]], wait: float, ending: asyncio.Event, clock: Clock = time.monotonic
) -> None:
    """Serve the next, and the next. `one` waits that many seconds at most for something to serve; where it can't, it is
    tried again as long after it began, or at once when it took longer: whoever comes as the store does waits for no
    pause of ours."""
    while not ending.is_set():
        started = clock()
        try:
            await one(wait)
        except Unavailable as bad:
            log.warning("no job can be served now", why=str(bad))
            await _rest(started + wait - clock(), ending)
        except Exception:  # the process's edge: one call must not end the service of all the others
            EDGE_ERRORS.labels("control").inc()
            log.exception("control met what it didn't expect")


async def _rest(seconds: float, ending: asyncio.Event) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(max(0.0, seconds)):
            await ending.wait()
