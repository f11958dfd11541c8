"""Hears whether a caller at a menu asks for a person, or never to be called again, where nothing else that they say counts.

A detector finds the phrases; they alone are sent to whoever understands words, one at a time. Where nobody does, the menu
goes on as if nobody had listened: keys count, 0 leads to a person.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import structlog

from gateway.calls.acts.cues import NoCalls, WantsPerson
from gateway.conduct.caller.ear import Hear, Said
from gateway.conduct.caller.phrases import Phrases, is_echo
from gateway.conduct.talk.port import Overhearer, Pcm, Wants
from gateway.errors import Unavailable
from gateway.metrics import EDGE_ERRORS
from gateway.rtp import RATE
from gateway.tasks import Tasks

FRAME_MS = 100
"""Milliseconds heard at a time: each costs as much, whatever it holds."""
SHORT = 6.0
"""Seconds of a phrase in which somebody may ask for a person: who talks longer talks to others."""
AT_MOST = 12
"""Phrases of one menu that are understood: where more is said, a television is on."""

log = structlog.get_logger(__name__)


@asynccontextmanager
async def overhearing(
    hear: Hear,
    said: Said,
    overhearer: Overhearer,
    language: str,
    unwanted: Callable[[], Awaitable[bool]],
    happened: Callable[[WantsPerson | NoCalls], None],
) -> AsyncIterator[None]:
    """Tell WantsPerson each time that the caller says so, while the context lasts, and NoCalls. `language`: BCP 47 tag.
    `unwanted`: the caller wants never to be called again; whether that is noted."""
    phrases: asyncio.Queue[bytes] = asyncio.Queue(1)
    async with Tasks("overhear") as tasks:
        tasks.start(_listen(hear, phrases), "overhear")
        tasks.start(_understand(phrases, said, overhearer, language, unwanted, happened), "understand")
        yield


async def _listen(hear: Hear, found: asyncio.Queue[bytes]) -> None:
    phrases = Phrases()
    async for frame in hear(RATE, FRAME_MS):
        if phrases.hear(frame) and len(phrases.audio) <= SHORT * RATE * 2:
            if found.full():
                found.get_nowait()  # what is said now counts for more
            found.put_nowait(phrases.audio)


async def _understand(
    phrases: asyncio.Queue[bytes],
    said: Said,
    overhearer: Overhearer,
    language: str,
    unwanted: Callable[[], Awaitable[bool]],
    happened: Callable[[WantsPerson | NoCalls], None],
) -> None:
    for _ in range(AT_MOST):
        phrase = await phrases.get()
        try:
            if await asyncio.to_thread(is_echo, phrase, said()):
                continue
            match await overhearer.wants(Pcm(RATE, phrase), language):
                case Wants.PERSON:
                    happened(WantsPerson())
                case Wants.NO_CALLS:
                    happened(NoCalls(await _noted(unwanted)))
        except Unavailable as bad:
            log.info("nobody understands what callers say at menus now; keys count", why=bad.what)
        except Exception:  # what understands words is no part of the house: the menu must not suffer its faults
            EDGE_ERRORS.labels("overhear").inc()
            log.exception("what a caller said couldn't be understood")


async def _noted(unwanted: Callable[[], Awaitable[bool]]) -> bool:
    """Whether the caller's number is on the list now."""
    try:
        return await unwanted()
    except Unavailable as bad:
        log.error("a number couldn't be entered among those that are never called", why=bad.what)
        return False
