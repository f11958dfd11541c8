"""Looks whether somebody who is rung has said elsewhere that they can't take the call, and what keys somebody who has it presses
on their page."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import structlog

from gateway.calls.acts.cues import Declined, LegKey
from gateway.errors import Unavailable
from gateway.handoff.answers import Answers
from gateway.tasks import Tasks
from gateway.terms.call import CallId

LOOK = 0.5
"""Seconds between two looks."""

log = structlog.get_logger(__name__)


@asynccontextmanager
async def answering(
    answers: Answers, call: CallId, happened: Callable[[Declined | LegKey], None]
) -> AsyncIterator[None]:
    """Tell Declined of each leg once, and LegKey of each key, while the context lasts."""
    async with Tasks("answers") as tasks:
        tasks.start(_look(answers, call, happened), "answers to cards")
        yield


async def _look(answers: Answers, call: CallId, happened: Callable[[Declined | LegKey], None]) -> None:
    told: set[str] = set()
    while True:
        try:
            for leg in sorted(await answers.declined(call) - told):
                told.add(leg)
                happened(Declined(leg))
            for leg, keys in await answers.pressed(call):
                for key in keys:
                    happened(LegKey(leg, key))
        except Unavailable as bad:
            log.debug("answers to cards can't be looked for now", why=bad.what)
        await asyncio.sleep(LOOK)
