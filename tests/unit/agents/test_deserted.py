"""A conversation whose session is closed from outside, as livekit-agents does when the job's process must end."""

from __future__ import annotations

import asyncio

import pytest
from livekit.agents import APIConnectionError
from livekit.agents.llm import LLMError
from livekit.agents.voice import CloseEvent
from livekit.agents.voice.events import CloseReason

from gateway.errors import Unavailable
from tests.unit.agents.runner_scene import scene


async def test_it_isnt_over_so_that_the_caller_isnt_hung_up_on(monkeypatch: pytest.MonkeyPatch) -> None:
    async with scene(monkeypatch) as on:
        talking = asyncio.create_task(on.runner.converse())
        await asyncio.sleep(0)
        on.session.emit("close", CloseEvent(reason=CloseReason.USER_INITIATED))
        on.runner._start(fails())  # whatever would have been said
        await on.settled()
        await asyncio.sleep(0)
        assert not talking.done()
        talking.cancel()
        await asyncio.wait({talking})


async def test_an_engine_that_failed_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    async with scene(monkeypatch) as on:
        talking = asyncio.create_task(on.runner.converse())
        await asyncio.sleep(0)
        broken = LLMError(timestamp=1.0, label="x", error=APIConnectionError(), recoverable=False)
        on.session.emit("close", CloseEvent(reason=CloseReason.ERROR, error=broken))
        with pytest.raises(Unavailable):
            await talking


async def fails() -> None:
    raise RuntimeError("the session is closed")
