"""What is watched over in a conversation from beside it: a caller who says nothing, one who isn't there, the route's
minutes, and whether anything is heard at all."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from livekit.agents import AgentSession

from agents.line import silence, strangers
from agents.line.attending import Attending
from agents.line.minutes import Minutes
from agents.line.silence import Silence
from agents.line.strangers import Strangers
from agents.words.lines import Say
from gateway.conduct.talk.port import Stage

SENTENCE_WITHIN = 10.0
"""Seconds that a sentence may take that is finished before the call ends."""


@dataclass(frozen=True, slots=True)
class Means:
    """What is needed of whoever conducts the conversation."""

    start: Callable[[Coroutine[Any, Any, None]], None]
    """Runs it beside the conversation."""
    ask: Callable[[Say], Awaitable[None]]
    """Says a line of the house that answers nothing, and returns once it was played."""
    idle: Callable[[float], Awaitable[None]]
    """Returns once neither side talks, or after so many seconds."""
    person: Callable[[str], Coroutine[Any, Any, None]]
    """Gets the caller a person; why."""
    finish: Callable[[str], None]
    """Ends the conversation; why."""


class Watch:
    """Watches over one conversation. `close` it."""

    def __init__(self, session: AgentSession[None], stage: Stage, means: Means) -> None:
        self._stage, self._means = stage, means
        self._silence = Silence(session, silence.Means(means.start, means.ask, means.finish))
        self._minutes = Minutes(means.start, self._warn, self._time_up)
        meant = strangers.Means(means.start, self._ask, self._let_go, self._silence.wait_for_ever, means.person)
        self._strangers = Strangers(session, stage.brief.machines, meant)
        Attending(session, stage.attention)

    def begin(self) -> None:
        """The caller has answered."""
        self._silence.begin()
        self._minutes.begin(self._stage.ends)

    def hear(self, pcm: bytes) -> None:
        """The caller's audio (see `Strangers.hear`)."""
        self._strangers.hear(pcm)

    def pressed(self) -> None:
        """The caller has pressed a key."""
        self._silence.pressed()
        self._strangers.pressed()

    def close(self) -> None:
        """Watch no more."""
        for one in (self._silence, self._minutes, self._strangers):
            one.close()

    async def _ask(self) -> None:
        await self._means.ask(Say.PERSON_THERE)

    async def _let_go(self, reason: str) -> None:
        await self._means.ask(Say.NOBODY_THERE)
        self._means.finish(reason)

    async def _warn(self) -> None:
        await self._means.idle(SENTENCE_WITHIN)
        await self._means.ask(Say.TIME_NEARLY_UP)

    async def _time_up(self) -> None:
        await self._means.idle(SENTENCE_WITHIN)
        self._stage.time_up()
        self._means.finish("the route's minutes were up")
