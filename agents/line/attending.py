"""Tells whoever watches over the line what a session knows of the conversation: whose turn it is, and who waits."""

from __future__ import annotations

from livekit.agents import AgentSession
from livekit.agents.llm import ChatMessage
from livekit.agents.voice import (
    AgentStateChangedEvent,
    ConversationItemAddedEvent,
    UserInputTranscribedEvent,
    UserStateChangedEvent,
)

from gateway.calls.talk.silence import asks_to_wait
from gateway.conduct.talk.port import Attention


class Attending:
    """One session's."""

    def __init__(self, session: AgentSession[None], attention: Attention) -> None:
        self._attention = attention
        session.on("user_state_changed", self._user_state)
        session.on("agent_state_changed", self._agent_state)
        session.on("user_input_transcribed", self._transcribed)
        session.on("conversation_item_added", self._added)

    def _user_state(self, event: UserStateChangedEvent) -> None:
        self._attention.caller(talking=event.new_state == "speaking")

    def _agent_state(self, event: AgentStateChangedEvent) -> None:
        if event.new_state == "listening":
            self._attention.settled()

    def _transcribed(self, event: UserInputTranscribedEvent) -> None:
        if event.is_final:
            self._said(event.transcript)

    def _added(self, event: ConversationItemAddedEvent) -> None:
        """Keys come this way alone."""
        if isinstance(event.item, ChatMessage) and event.item.role == "user":
            self._said(event.item.text_content or "")

    def _said(self, words: str) -> None:
        if words.strip() and not asks_to_wait(words):
            self._attention.owed()
