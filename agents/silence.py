"""A caller who says nothing: asked whether they are there, and let go in the end."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from livekit.agents import AgentSession
from livekit.agents.voice import UserStateChangedEvent

from agents.lines import Say

SILENCES = 3
"""Times that a caller may be silent for long before the call is ended."""


@dataclass(frozen=True, slots=True)
class Means:
    """What is needed of whoever conducts the conversation."""

    start: Callable[[Coroutine[Any, Any, None]], None]
    """Runs it beside the conversation."""
    speak: Callable[[Say], Awaitable[None]]
    """Says a line of the house, and returns once it was played."""
    finish: Callable[[str], None]
    """Ends the conversation; why."""


class Silence:
    """Watches over one session."""

    def __init__(self, session: AgentSession[None], means: Means) -> None:
        self._session, self._means = session, means
        self._silences = 0
        session.on("user_state_changed", self._user_state)

    def pressed(self) -> None:
        """The caller has pressed a key."""
        self._silences = 0

    def _user_state(self, event: UserStateChangedEvent) -> None:
        if event.new_state == "speaking":
            self._silences = 0
        elif event.new_state == "away":
            self._silences += 1
            self._means.start(self._nobody_there())

    async def _nobody_there(self) -> None:
        if self._silences < SILENCES:
            await self._means.speak(Say.STILL_THERE)
            self._session.reset_away_timer()
            return
        await self._means.speak(Say.GOODBYE)
        self._means.finish("the caller was silent")
