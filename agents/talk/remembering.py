"""Keeps, outside of the job, what goes on between the turns: who speaks, and the caller's words that are final and not
yet a turn. The next job knows them if this one dies."""

from __future__ import annotations

from livekit.agents import AgentSession
from livekit.agents.voice import AgentStateChangedEvent, UserInputTranscribedEvent, UserStateChangedEvent

from gateway.conduct.port import Stage
from gateway.terms.kept import Heard
from gateway.terms.personal import Words
from gateway.terms.turn import Speaker

_SPEAKING = "speaking"


class Remembering:
    """One session's. Tell it of the caller's turns."""

    def __init__(self, session: AgentSession[None], stage: Stage) -> None:
        self._stage = stage
        self._words = ""
        self._caller = self._agent = False
        self._stopped = False
        self._keying = False
        self._kept: tuple[str, Speaker | None, bool] = "", None, False
        session.on("user_input_transcribed", self._transcribed)
        session.on("user_state_changed", self._caller_state)
        session.on("agent_state_changed", self._agent_state)

    def stop(self) -> None:
        """The session ends: that nobody speaks then is no news."""
        self._stopped = True

    def turned(self) -> None:
        """What the caller said has become a turn."""
        self._words = ""
        self._keep()

    def keying(self, begun: bool) -> None:
        """The caller is keying something in, or no longer."""
        self._keying = begun
        self._keep()

    def _transcribed(self, event: UserInputTranscribedEvent) -> None:
        if event.is_final and event.transcript:
            self._words = f"{self._words} {event.transcript}".strip()
            self._keep()

    def _caller_state(self, event: UserStateChangedEvent) -> None:
        self._caller = event.new_state == _SPEAKING
        self._keep()

    def _agent_state(self, event: AgentStateChangedEvent) -> None:
        self._agent = event.new_state == _SPEAKING
        self._keep()

    def _keep(self) -> None:
        speaking = Speaker.CALLER if self._caller else Speaker.AGENT if self._agent else None
        now = self._words, speaking, self._keying
        if self._stopped or now == self._kept:
            return
        self._kept = now
        turns = self._stage.turns
        self._stage.hearing(Heard(Words(self._words), speaking, turns[-1].seq if turns else 0, self._keying))
