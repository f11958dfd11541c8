"""A caller who was booked a callback and would rather have another time: offered one or two, and taken at their word."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import structlog
from livekit.agents import AgentSession
from livekit.agents.llm import ChatMessage
from livekit.agents.voice import ConversationItemAddedEvent

from agents.words.history import KEYED, KEYED_SEALED
from agents.words.lines import Say, line_of
from gateway.callbacks.said import meant, told
from gateway.conduct.talk.port import CallbackTimes, Stage
from gateway.errors import Unavailable

log = structlog.get_logger(__name__)


class Appointing:
    """Listens to one session. `start` runs work of the runner's; `speak` says words, and returns when they were played."""

    def __init__(
        self,
        session: AgentSession[None],
        stage: Stage,
        start: Callable[[Coroutine[Any, Any, None]], None],
        speak: Callable[[str], Awaitable[None]],
    ) -> None:
        self._session, self._stage, self._start, self._speak = session, stage, start, speak
        session.on("conversation_item_added", self._added)

    def offer(self) -> str:
        """What a caller is told whose callback is booked: when, and which other times there are."""
        times, language = self._stage.callback_times(), self._stage.brief.language
        if times is None:
            return line_of(Say.CALLBACK, language)
        now = time.time()
        when = "" if times.booked <= now + 60 else f" {_told(times, times.booked, now)}"
        said = line_of(Say.CALLBACK_AT, language).format(when=when or " as soon as possible")
        others = [_told(times, at, now) for at in times.others]
        if not others:
            return said
        return f"{said} {line_of(Say.CALLBACK_OTHERS, language).format(others=', or '.join(others))}"

    def _added(self, event: ConversationItemAddedEvent) -> None:
        item = event.item
        if not isinstance(item, ChatMessage) or item.role != "user":
            return
        words = item.text_content or ""
        times = None if words.startswith((KEYED, KEYED_SEALED)) else self._stage.callback_times()
        if times is not None and (at := meant(words, time.time(), times.clock)) is not None:
            self._start(self._chosen(at, words))

    async def _chosen(self, at: float, words: str) -> None:
        self._session.interrupt(force=True)
        language = self._stage.brief.language
        try:
            agreed = await self._stage.choose_callback(at, words)
        except Unavailable as bad:
            log.error("another time couldn't be noted", why=str(bad))
            await self._speak(line_of(Say.CALLBACK_KEPT, language))
            return
        times = self._stage.callback_times()
        if times is None or agreed is None:
            await self._speak(line_of(Say.CALLBACK_KEPT, language))
            return
        when = _told(times, agreed, time.time())
        which = Say.CALLBACK_MOVED if agreed - at < 60 else Say.CALLBACK_NEXT
        await self._speak(line_of(which, language).format(when=when))


def _told(times: CallbackTimes, at: float, now: float) -> str:
    return told(at, now, times.clock, ours=not times.theirs)
