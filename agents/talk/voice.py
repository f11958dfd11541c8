"""The agent's voice in a call: says lines of its own and of the house, kept as prompts where they may be."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

from livekit.agents import AgentSession
from livekit.agents.voice import SpeechHandle

from agents.definition import line, pronounced_as
from agents.line.media import frames
from agents.line.patience import Patience
from agents.words.lines import Say, line_of
from gateway.conduct.talk.port import Pcm, Stage
from gateway.terms.catalogue import Line

PLAY_WITHIN = 30.0
"""Seconds that what is said may take to be played."""
OVER_MACHINES = (Say.PERSON_THERE, Say.NOBODY_THERE)
"""Lines that no voice cuts off, keys alone: music and recordings would."""


class Voice:
    """What a session says besides what its model does."""

    def __init__(self, session: AgentSession[Any], stage: Stage, patience: Patience) -> None:
        self._session, self._stage, self._patience = session, stage, patience

    async def ask(self, say: Say) -> None:
        """Say a line while the caller's silence is filled."""
        with self._stage.attention.filling():
            await self.speak(line_of(say, self._stage.brief.language), cut=say not in OVER_MACHINES)

    async def speak(self, text: str, *, cut: bool = True, ahead: bool = True) -> None:
        """Say a line of the house, and return when it was played. `cut`: whoever talks cuts it off; `ahead`: it may be kept
        as a prompt, which nothing may be that holds what the caller told."""
        said = self.line(text)
        handle = self.say(said, await self._stage.prompt(said) if ahead else None, cut=cut)
        with suppress(TimeoutError):
            async with asyncio.timeout(PLAY_WITHIN):
                await handle.wait_for_playout()

    def say(self, said: Line, audio: Pcm | None, *, cut: bool = True) -> SpeechHandle:
        """Say a line; `audio`: its sound, where it is there already."""
        if audio is None:
            self._patience.waits()
            return self._session.say(said.text, allow_interruptions=cut)
        return self._session.say(said.text, audio=frames(audio), allow_interruptions=cut)

    def line(self, text: str) -> Line:
        """Text as the call's brief has it said."""
        return line_in(self._stage, text)


def line_in(stage: Stage, text: str) -> Line:
    """Text as a line of the call's language and pronunciations."""
    return line(text, pronounced_as(stage.brief), stage.brief.language)
