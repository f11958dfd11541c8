"""Keeps, outside of the job, what goes on between the turns: who speaks, the caller's words that are final and not yet a
turn, and what they have keyed in of something that isn't whole yet. The next job knows them if this one dies."""

from __future__ import annotations

from collections.abc import Callable

from livekit.agents import AgentSession
from livekit.agents.voice import AgentStateChangedEvent, UserInputTranscribedEvent, UserStateChangedEvent

from agents.keys.keypad import Keypad
from gateway.conduct.port import Stage
from gateway.terms.kept import Heard
from gateway.terms.personal import Words
from gateway.terms.turn import Speaker

_SPEAKING = "speaking"


class Remembering:
    """One session's. Tell it of the caller's turns."""

    def __init__(self, session: AgentSession[None], stage: Stage, keys: Callable[[str], str]) -> None:
        """`keys`: the keys of an entry as they may be kept."""
        self._stage, self._as_kept = stage, keys
        self._words = ""
        self._caller = self._agent = False
        self._stopped = False
        self._keys, self._keyed_for = "", None  # type: str, str | None
        self._kept: tuple[str, Speaker | None, str, str | None] = "", None, "", None
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

    def keying(self, entry: Keypad) -> None:
        """What the caller has keyed in so far."""
        self._keys, self._keyed_for = entry.keys, entry.asked.name if entry.asked else None
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
        now = self._words, speaking, self._keys, self._keyed_for
        if self._stopped or now == self._kept:
            return
        self._kept = now
        turns = self._stage.turns
        keys = self._as_kept(self._keys) if self._keys else ""
        after = turns[-1].seq if turns else 0
        self._stage.hearing(Heard(Words(self._words), speaking, after, keys, self._keyed_for))
