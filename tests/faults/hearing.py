"""What a session does with what is said to it, without the session."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from livekit import rtc
from livekit.agents import stt

from agents.engines.hearing import ChainSTT
from gateway.tasks import cancelled

Push = Callable[[rtc.AudioFrame], None]


@asynccontextmanager
async def in_session(chain: ChainSTT, stream: stt.RecognizeStream) -> AsyncIterator[Push]:
    """Takes each frame: tells speech from silence by the chain's ears, and has it heard."""
    assert chain.ears is not None
    found = chain.ears.stream()

    async def look() -> None:
        async for _ in found:
            pass

    def push(frame: rtc.AudioFrame) -> None:
        stream.push_frame(frame)
        found.push_frame(frame)

    looking = asyncio.create_task(look())
    try:
        yield push
    finally:
        await cancelled(looking)
        await found.aclose()
