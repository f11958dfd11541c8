"""Keeps, outside of the job, what goes on between the turns: who speaks, the caller's words that are final and not yet a
turn, and what they have keyed in of something that isn't whole yet. The next job knows them if this one dies."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from livekit.agents import AgentSession
from livekit.agents.voice import AgentStateChangedEvent, UserInputTranscribedEvent, UserStateChangedEvent

from agents.keys.keypad import Keypad
from gateway.conduct.talk.port import Stage
from gateway.terms.kept import Heard
from gateway.terms.personal import Words
from gateway.terms.turn import Speaker

_SPEAKING = "speaking"
_Entry = tuple[str, str | None, int]
"""The keys, what they are for, and the number of the last of them, or before them."""


class Remembering:
    """One session's. Tell it of the caller's turns."""

    def __init__(self, session: AgentSession[None], stage: Stage, keys: Callable[[str], str]) -> None:
        """`keys`: the keys of an entry as they may be kept."""
        self._stage, self._as_kept = stage, keys
        self._words = ""
        self._caller = self._agent = False
        self._stopped = False
        self._entry: _Entry = "", None, 0
        """As far as what was keyed in is known to be a turn, or none yet."""
        self._newest: _Entry = self._entry
        self._whole: deque[int] = deque()
        """The numbers of the last keys of entries that have ended, and are no turns yet."""
        self._kept: tuple[str, Speaker | None, _Entry] = "", None, self._entry
        session.on("user_input_transcribed", self._transcribed)
        session.on("user_state_changed", self._caller_state)
        session.on("agent_state_changed", self._agent_state)

    def stop(self) -> None:
        """The session ends: that nobody speaks then is no news."""
        self._stopped = True

    def turned(self) -> None:
        """What the caller said, or keyed in, has become a turn."""
        self._words = ""
        self._keep()

    def keying(self, entry: Keypad, last_key: int) -> None:
        """What the caller has keyed in so far; the number of the last key."""
        self._newest = entry.keys, entry.asked.name if entry.asked else None, last_key
        self._keep()

    def whole(self, last_key: int) -> None:
        """An entry has ended, and is to become a turn: until then it is kept as it was before its last key, which whoever
        goes on is told again."""
        self._whole.append(last_key)
        self._newest = "", None, last_key

    def keyed(self) -> int:
        """An entry becomes a turn now, of which `turned` tells: the number of its last key, which the turn is told with."""
        last_key = self._whole.popleft() if self._whole else 0
        self._entry = "", None, last_key
        return last_key

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
        if not self._whole:
            self._entry = self._newest
        now = self._words, speaking, self._entry
        if self._stopped or now == self._kept:
            return
        self._kept = now
        turns = self._stage.turns
        keys, keyed_for, last_key = self._entry
        keys = self._as_kept(keys) if keys else ""
        after = turns[-1].seq if turns else 0
        self._stage.hearing(Heard(Words(self._words), speaking, after, keys, keyed_for, last_key))
