"""The agent that talks, or is getting ready to: one at a time, through every switch."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

import structlog

from gateway.conduct.talk.port import AgentRunner
from gateway.conduct.talk.stage import CallStage
from gateway.tasks import cancelled

log = structlog.get_logger(__name__)

CLOSE_WITHIN = 3.0
"""Seconds an agent gets to free what it holds."""


class Cast:
    """Who plays the agent's part. `runner` makes a new runner of an agent; LookupError when there is none."""

    def __init__(self, runner: Callable[[str], AgentRunner]) -> None:
        self._runner = runner
        self._playing: tuple[AgentRunner, asyncio.Task[None]] | None = None
        """The agent, and its getting ready."""

    def ready(self, stage: CallStage) -> None:
        """Let the agent of the stage's brief get ready. One that there isn't is told of by `converse`, once there is a
        caller."""
        with suppress(LookupError):
            self._choose(stage)

    async def converse(self, stage: CallStage) -> str:
        """Let the agent talk with the caller to its end; why it ended. Raises whatever the agent does."""
        runner, prepared = self._playing or self._choose(stage)
        await prepared
        return await runner.converse()

    def digit(self, key: str, number: int) -> bool:
        """The caller pressed a key (see `AgentRunner.digit`); False when no agent is there to hear it."""
        if self._playing is None:
            return False
        self._playing[0].digit(key, number)
        return True

    async def close(self) -> None:
        """Let go of the agent."""
        playing, self._playing = self._playing, None
        if playing is None:
            return
        runner, prepared = playing
        await cancelled(prepared)
        try:
            async with asyncio.timeout(CLOSE_WITHIN):
                await runner.close()
        except TimeoutError:
            log.warning("the agent didn't close in time")

    def _choose(self, stage: CallStage) -> tuple[AgentRunner, asyncio.Task[None]]:
        runner = self._runner(stage.brief.agent)
        self._playing = runner, asyncio.create_task(runner.prepare(stage), name="prepare")
        return self._playing
