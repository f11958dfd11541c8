"""Looks whether somebody who is rung has said elsewhere that they can't take the call, and what keys somebody who has it presses
on their page."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import structlog

from gateway.calls.acts.cues import Declined, LegHold, LegKey
from gateway.errors import Unavailable
from gateway.handoff.answers import Answers
from gateway.handoff.browser import HOLDS
from gateway.tasks import Tasks
from gateway.terms.call import CallId

LOOK = 0.5
"""Seconds between two looks."""

log = structlog.get_logger(__name__)


class Looking:
    """Whether anybody looks; at first, somebody does."""

    def __init__(self) -> None:
        self.wanted = asyncio.Event()
        """Set while somebody looks."""
        self.wanted.set()

    def expect(self, anything: bool) -> None:
        """Whether anything may be said elsewhere from now on: a look costs two who talk as much as all the rest of their
        job."""
        if anything:
            self.wanted.set()
        else:
            self.wanted.clear()


@asynccontextmanager
async def answering(
    answers: Answers, call: CallId, happened: Callable[[Declined | LegHold | LegKey], None]
) -> AsyncIterator[Looking]:
    """Tell Declined of each leg once, LegKey of each key and LegHold, while the context lasts and anything is expected."""
    async with Tasks("answers") as tasks:
        looking = Looking()
        tasks.start(_look(answers, call, happened, looking), "answers to cards")
        yield looking


async def _look(
    answers: Answers, call: CallId, happened: Callable[[Declined | LegHold | LegKey], None], looking: Looking
) -> None:
    told: set[str] = set()
    while True:
        await looking.wanted.wait()
        try:
            for leg in sorted(await answers.declined(call) - told):
                told.add(leg)
                happened(Declined(leg))
            for leg, keys in await answers.pressed(call):
                for cue in _pressed(leg, keys):
                    happened(cue)
        except Unavailable as bad:
            log.debug("answers to cards can't be looked for now", why=bad.what)
        await asyncio.sleep(LOOK)


def _pressed(leg: str, keys: str) -> list[LegHold | LegKey]:
    return [LegHold(leg, HOLDS[keys])] if keys in HOLDS else [LegKey(leg, key) for key in keys]
