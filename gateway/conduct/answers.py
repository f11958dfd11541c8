"""Looks, while people are rung, whether one of them has said elsewhere that they can't take the call."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import structlog

from gateway.calls.acts.cues import Declined
from gateway.errors import Unavailable
from gateway.handoff.answers import Answers
from gateway.tasks import Tasks
from gateway.terms.call import CallId

LOOK = 0.5
"""Seconds between two looks."""

log = structlog.get_logger(__name__)


@asynccontextmanager
async def answering(answers: Answers, call: CallId, happened: Callable[[Declined], None]) -> AsyncIterator[None]:
    """Tell Declined of each leg once, while the context lasts."""
    async with Tasks("answers") as tasks:
        tasks.start(_look(answers, call, happened), "answers to cards")
        yield


async def _look(answers: Answers, call: CallId, happened: Callable[[Declined], None]) -> None:
    told: set[str] = set()
    while True:
        try:
            for leg in sorted(await answers.declined(call) - told):
                told.add(leg)
                happened(Declined(leg))
        except Unavailable as bad:
            log.debug("answers to cards can't be looked for now", why=bad.what)
        await asyncio.sleep(LOOK)
