"""A caller who says nothing: `gateway.calls.talk.silence` on a session's events and the running loop's clock."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from livekit.agents import AgentSession
from livekit.agents.voice import AgentStateChangedEvent, UserInputTranscribedEvent, UserStateChangedEvent

from agents.line.alarm import Alarm
from agents.words.lines import Say
from gateway.calls.talk import silence
from gateway.calls.talk.silence import Then

REASON = "the caller was silent"
_ASKED = {Then.ASK: Say.STILL_THERE, Then.ASK_AGAIN: Say.STILL_THERE_AGAIN, Then.LET_GO: Say.GOODBYE}


@dataclass(frozen=True, slots=True)
class Means:
    """What is needed of whoever conducts the conversation."""

    start: Callable[[Coroutine[Any, Any, None]], None]
    """Runs it beside the conversation."""
    ask: Callable[[Say], Awaitable[None]]
    """Says a line of the house that answers nothing, and returns once it was played."""
    finish: Callable[[str], None]
    """Ends the conversation; why."""


class Silence:
    """Watches over one session from `begin` on. `close` it."""

    def __init__(self, session: AgentSession[None], means: Means) -> None:
        self._means = means
        self._silence = silence.Silence()
        self._alarm = Alarm(self._due)
        self._user, self._agent = "listening", "listening"
        self._begun = False
        session.on("user_state_changed", self._user_state)
        session.on("agent_state_changed", self._agent_state)
        session.on("user_input_transcribed", self._transcribed)

    def begin(self) -> None:
        """The caller has answered."""
        self._begun = True
        self._settle()

    def pressed(self) -> None:
        """The caller has pressed a key."""
        self._silence = self._silence.heard()
        self._settle()

    def wait_for_ever(self) -> None:
        """The caller is one who pauses for long."""
        self._silence = self._silence.wait_for_ever()
        self._settle()

    def close(self) -> None:
        """Watch no more."""
        self._begun = False
        self._alarm.close()

    def _user_state(self, event: UserStateChangedEvent) -> None:
        self._user = event.new_state
        if event.new_state == "speaking":
            self._silence = self._silence.heard()
        self._settle()

    def _agent_state(self, event: AgentStateChangedEvent) -> None:
        self._agent = event.new_state
        self._settle()

    def _transcribed(self, event: UserInputTranscribedEvent) -> None:
        if event.is_final and event.transcript:
            self._silence = self._silence.heard().said(event.transcript, time.monotonic())
            self._settle()

    def _settle(self) -> None:
        if not self._begun:
            return
        quiet = self._user == self._agent == "listening"
        self._silence = self._silence.quiet(time.monotonic()) if quiet else self._silence.talking()
        self._alarm.set(self._silence.deadline)

    def _due(self) -> None:
        self._silence, then = self._silence.due(time.monotonic())
        self._alarm.set(self._silence.deadline)
        if then is not None:
            self._means.start(self._ask(then))

    async def _ask(self, then: Then) -> None:
        await self._means.ask(_ASKED[then])
        if then is Then.LET_GO and self._silence.asked:  # else the goodbye has brought them back
            self._means.finish(REASON)
