"""Tells a caller who waits for an answer to hold on: `agents.line.holding` on a session's events and the running loop's clock.

The phrases are rendered ahead and go straight to the voice, past the session: its own queue waits for the very answer
that is late. No words are said twice running, and a wait begins with few: an answer that comes meanwhile waits for their
end. A gateway that has just begun may not have them yet: a soft tone is heard then.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any

import numpy as np
from livekit.agents import AgentSession
from livekit.agents.voice import AgentStateChangedEvent, UserInputTranscribedEvent, UserStateChangedEvent

from agents.line.holding import NEVER, Holding
from agents.line.media import StageOutput
from agents.words.lines import Say
from gateway.conduct.sfu.mouth import AUDIBLE
from gateway.conduct.sound import tones
from gateway.conduct.talk.port import Pcm, Stage
from gateway.terms.catalogue import Line

FIRST = (Say.HOLD_ON, Say.HOLD_ON_BRIEFLY)
"""Of these in turn one comes first in a wait,"""
NEXT = (Say.HOLD_ON_AGAIN, Say.HOLD_ON_LONGER, Say.HOLD_ON_STILL)
"""and of these in turn the others."""
PHRASES = (*FIRST, *NEXT, Say.AGAIN_PLEASE)
NOTICED_WITHIN = 2.0
"""Seconds after which an event's own time isn't believed: the machine's clock was set."""


class Patience:
    """One session's, saying what it says by `output`. `fetch` its phrases before, and `close` it."""

    def __init__(
        self,
        session: AgentSession[None],
        output: StageOutput,
        stage: Stage,
        line: Callable[[Say], Line],
        start: Callable[[Coroutine[Any, Any, None]], None],
        within: float,
    ) -> None:
        """`line`: a phrase as the agent says it. `start`: runs something beside the conversation. `within`: seconds after
        which a caller must hear something; 0 for never."""
        self._output, self._stage, self._line, self._start = output, stage, line, start
        self._holding = Holding(within)
        self._phrases: dict[Say, Pcm] = {}
        self._first, self._next = deque(FIRST), deque(NEXT)
        self._timer: asyncio.TimerHandle | None = None
        session.on("user_state_changed", self._user_state)
        session.on("agent_state_changed", self._agent_state)
        session.on("user_input_transcribed", self._transcribed)

    async def fetch(self) -> None:
        """Get the phrases: nothing may have to be waited for when one is needed."""
        for say in PHRASES:
            if say not in self._phrases and (audio := await self._stage.prompt(self._line(say))) is not None:
                self._phrases[say] = sounding(audio)

    def waits(self) -> None:
        """The caller waits for what the session doesn't know of: something that follows a key, a line that has to be
        rendered first."""
        self._now(self._holding.makes(_clock()))

    def close(self) -> None:
        """Say nothing more."""
        self._now(Holding(0.0))

    def _user_state(self, event: UserStateChangedEvent) -> None:
        if event.new_state == "speaking":
            self._output.hush()
            self._now(self._holding.talks(_at(event)))
            if len(self._phrases) < len(PHRASES):  # they weren't rendered yet when the call began
                self._start(self.fetch())
        elif event.old_state == "speaking":
            self._now(self._holding.silent(_at(event)))

    def _agent_state(self, event: AgentStateChangedEvent) -> None:
        match event.new_state:
            case "thinking":
                self._now(self._holding.makes(_clock()))
            case "speaking":
                self._now(self._holding.sounds(self._output.broken_off or _clock()))
            case "listening" if event.old_state == "thinking":
                self._now(self._holding.answered())
            case "listening":
                self._now(self._holding.whole())

    def _transcribed(self, event: UserInputTranscribedEvent) -> None:
        if event.transcript.strip():
            self._now(self._holding.words())

    def _now(self, holding: Holding) -> None:
        self._holding = holding
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if holding.deadline != NEVER:
            left = max(0.0, holding.deadline - _clock())
            self._timer = asyncio.get_running_loop().call_later(left, self._due)

    def _due(self) -> None:
        until = self._output.broken_off
        if until is not None and until > self._holding.last and (more := self._holding.sounds(until)) != self._holding:
            self._now(more)  # the answer has gone on since
            return
        if self._holding.lost:
            self._say(Say.AGAIN_PLEASE)
            self._now(self._holding.answered())
        elif self._say((phrases := self._next if self._holding.said else self._first)[0]):
            phrases.rotate(-1)
        else:
            self._now(self._holding.answered())  # all of an answer is being said

    def _say(self, say: Say) -> bool:
        """Say it, unless something is being said; whether it is."""
        phrase = self._phrases.get(say)
        audio = phrase or tones.moment(self._output.rate)
        if not self._output.fill(audio.data, self._stage.attention.filling()):
            return False
        waited = _clock() - self._holding.since
        self._now(self._holding.say(_clock() + audio.seconds))
        if phrase is not None:
            self._stage.held(self._line(say).text, waited)
        return True


def sounding(audio: Pcm) -> Pcm:
    """The audio as far as it is heard: a caller doesn't tell the silence at its end from what follows."""
    loud = np.flatnonzero(np.abs(np.frombuffer(audio.data, np.int16).astype(np.int32)) >= AUDIBLE)
    return Pcm(audio.rate, audio.data[: 2 * (int(loud[-1]) + 1)]) if loud.size else audio


def _clock() -> float:
    return asyncio.get_running_loop().time()


def _at(event: UserStateChangedEvent) -> float:
    """When it was so: whoever listens for the end of speech notices it a quarter of a second later, or more."""
    ago = time.time() - event.created_at
    return _clock() - (ago if 0.0 <= ago <= NOTICED_WITHIN else 0.0)
