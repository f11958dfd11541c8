"""Lets a process go through a conversation before its first: what livekit-agents loads and looks up on first use would
otherwise hold the loop for a quarter of a second while a caller hears ringing.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress

from livekit import rtc
from livekit.agents import Agent, function_tool
from livekit.agents.voice import io

from agents.engines import chains as engines
from agents.line import telephony
from agents.line.media import StageOutput, frames
from agents.sales import AGENT
from agents.words.facts import save_schema
from gateway.conduct.talk.port import Pcm, Played

WITHIN = 5.0
"""Seconds it may take; a rehearsal that fails costs nothing but its time."""
_RATE = 24000


def rehearse(warm: engines.Warm) -> None:
    """Say a tenth of a second of nothing to nobody. No loop may be running."""
    # A connection that is opened here dies with this loop, and would fail the first request of the first call.
    warm.llm.prewarms = warm.tts.prewarms = False
    try:
        asyncio.run(_rehearse(warm))
    finally:
        warm.llm.prewarms = warm.tts.prewarms = True


async def _rehearse(warm: engines.Warm) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(WITHIN):
            session = telephony.session(warm, None, {})
            session.input.audio, session.output.audio = _Nothing(), StageOutput(_Mute())
            tools = [function_tool(_save, raw_schema=save_schema(AGENT))]
            await session.start(Agent(instructions=AGENT.instructions, tools=[*tools]))
            silence = Pcm(_RATE, bytes(_RATE // 5))
            await session.say("Hello.", audio=frames(silence), add_to_chat_ctx=False).wait_for_playout()
            await session.aclose()


async def _save(raw_arguments: dict[str, object]) -> str:
    return ""


class _Nothing(io.AudioInput):
    """A caller who says nothing."""

    def __init__(self) -> None:
        super().__init__(label="nobody")
        self._sent = 0

    async def __anext__(self) -> rtc.AudioFrame:
        self._sent += 1
        if self._sent > 5:
            await asyncio.Event().wait()
        return rtc.AudioFrame(bytes(320), engines.TELEPHONE, 1, 160)


class _Mute:
    """A voice that nobody hears (see gateway.conduct.talk.port.Voice)."""

    rate = _RATE
    queued = 0.0

    def send(self, data: bytes) -> None: ...

    async def finish(self) -> Played:
        return Played(0.1, interrupted=False)

    def clear(self) -> None: ...

    def pause(self) -> None: ...

    def resume(self) -> None: ...
