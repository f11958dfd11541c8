"""A caller who wants never to be called again: entered at once, and told so, whatever the model makes of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import structlog
from livekit.agents import AgentSession, function_tool
from livekit.agents.llm import ChatMessage, Tool, Toolset
from livekit.agents.voice import ConversationItemAddedEvent

from agents.words.lines import Say, line_of
from gateway.conduct.talk.port import Stage
from gateway.donotcall.wish import no_more_calls
from gateway.errors import Unavailable

NO_CALLS = {
    "name": "stop_calling",
    "description": "Never call this caller again: use it as soon as they ask not to be called any more, for good.",
    "parameters": {"type": "object", "properties": {}, "required": [], "additionalProperties": False},
}

log = structlog.get_logger(__name__)


class Unwanted:
    """Listens to one session. `start` runs work of the runner's; `speak` says a line, and returns when it was played."""

    def __init__(
        self,
        session: AgentSession[None],
        stage: Stage,
        start: Callable[[Coroutine[Any, Any, None]], None],
        speak: Callable[[Say], Awaitable[None]],
    ) -> None:
        self._session, self._stage, self._start, self._speak = session, stage, start, speak
        self._entered = False
        session.on("conversation_item_added", self._added)

    def _added(self, event: ConversationItemAddedEvent) -> None:
        item = event.item
        if isinstance(item, ChatMessage) and item.role == "user" and no_more_calls(item.text_content or ""):
            self._start(self._heard())

    async def _heard(self) -> None:
        if self._entered:
            return
        self._session.interrupt(force=True)
        await self._speak(await self.enter())

    def tools(self) -> list[Tool | Toolset]:
        """The tool by which a model does so."""

        async def stop_calling(raw_arguments: dict[str, object]) -> str:
            return f"say: {line_of(await self.enter(), self._stage.brief.language)}"

        return [function_tool(stop_calling, raw_schema=NO_CALLS)]

    async def enter(self) -> Say:
        """Enter the caller's number; what to tell them."""
        try:
            done = await self._stage.no_more_calls()
        except Unavailable as bad:
            log.error("a number couldn't be entered among those that are never called", why=str(bad))
            return Say.NO_CALLS_FAILED
        self._entered = done
        return Say.NO_CALLS if done else Say.NO_CALLS_WITHHELD
