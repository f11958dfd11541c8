"""A caller in danger is told at once to hang up and dial, whatever the model would make of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from livekit.agents import AgentSession

from agents.words.lines import danger
from gateway.conduct.talk.port import Stage
from gateway.terms.danger import in_danger
from gateway.terms.number import country_of
from gateway.terms.turn import Speaker

TURN_WITHIN = 1.0
"""Seconds that the sentence waits for the caller to have said all; it isn't cut off then."""


class Endangered:
    """One conversation's. Tell it what is heard, and of the caller's turns before anybody answers them."""

    def __init__(
        self,
        session: AgentSession[None],
        stage: Stage,
        start: Callable[[Coroutine[Any, Any, None]], None],
        speak: Callable[[str], Awaitable[None]],
    ) -> None:
        """`start` runs something beside the conversation; `speak` says a line, cut off by nobody."""
        self.session = session
        self._stage, self._start, self._speak = stage, start, speak
        self._telling = False
        self._words = ""
        """What they have said of it that is no turn yet."""
        self._turned = asyncio.Event()

    def heard(self, words: str, shown: Callable[[str], str] = str) -> None:
        """Words that are final, and not a turn yet. `shown`: how they may be noted."""
        if not self._telling and in_danger(words):
            self._telling, self._words = True, shown(words)
            self._turned.clear()
            self._start(self._tell())

    def answers(self, words: str) -> bool:
        """The caller's turn; whether it is answered here."""
        self.heard(words)
        ours = bool(self._words) or in_danger(words)
        self._words = ""
        self._turned.set()
        return ours

    async def _tell(self) -> None:
        self.session.interrupt(force=True)
        try:
            async with asyncio.timeout(TURN_WITHIN):
                await self._turned.wait()
        except TimeoutError:  # they talk on: their turn is lost to whoever can't be cut off
            self._stage.said(Speaker.CALLER, self._words, at=time.time())
            self._words = ""
        call, brief = self._stage.call, self._stage.brief
        country = (country_of(call.caller) if call.caller else "") or country_of(call.dialed) or brief.country
        try:
            await self._speak(danger(country, brief.language))
        finally:
            self._telling = False
