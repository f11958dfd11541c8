"""Notices that the caller talks, without understanding a word: what a menu needs to lead them to somebody who does."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import numpy as np

from gateway.calls.cues import Spoke
from gateway.rtp import RATE
from gateway.rtp.vad import Activity
from gateway.tasks import Tasks

FRAME_MS = 20
PHRASE = 0.25
"""Seconds of talk that are more than a cough or a click; the line's own noise is learned meanwhile."""

Hear = Callable[[int, int], AsyncIterator[bytes]]
"""The caller's audio at a rate (samples a second), in frames of so many milliseconds."""


@asynccontextmanager
async def listener(hear: Hear, happened: Callable[[Spoke], None]) -> AsyncIterator[None]:
    """Tell Spoke at the end of each phrase, while the context lasts."""
    async with Tasks("listener") as tasks:
        tasks.start(_listen(hear, happened), "listener")
        yield


async def _listen(hear: Hear, happened: Callable[[Spoke], None]) -> None:
    activity, told, at = Activity(), 0.0, 0.0
    async for frame in hear(RATE, FRAME_MS):
        activity.hear(np.frombuffer(frame, "<i2"), at)
        at += FRAME_MS / 1000
        last = activity.stretches[-1] if activity.stretches else None
        if last is not None and last.end is not None and last.start >= told and last.end - last.start >= PHRASE:
            told = last.end
            happened(Spoke())
