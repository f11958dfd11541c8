"""A session of livekit-agents as tests want it: it tells what they make it tell."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from livekit.agents.voice import AgentStateChangedEvent, UserInputTranscribedEvent, UserStateChangedEvent


class TellingSession:
    """Tells what a session would."""

    def __init__(self) -> None:
        self._on: dict[str, Callable[[Any], None]] = {}
        self.state: Any = "listening"

    def on(self, event: str, handler: Callable[[Any], None]) -> None:
        self._on[event] = handler

    def user(self, old: Any, new: Any, ago: float = 0.0) -> None:
        """`ago`: seconds since when it is so."""
        told = UserStateChangedEvent(old_state=old, new_state=new, created_at=time.time() - ago)
        self._on["user_state_changed"](told)

    def agent(self, old: Any, new: Any) -> None:
        self.state = new
        self._on["agent_state_changed"](AgentStateChangedEvent(old_state=old, new_state=new))

    def heard(self, words: str) -> None:
        self._on["user_input_transcribed"](UserInputTranscribedEvent(transcript=words, is_final=True))
