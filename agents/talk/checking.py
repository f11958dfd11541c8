"""Reads back what a model has saved and must be right to the letter: `agents.words.readback` in a session.

While something is read back the caller's turns and keys are answered here, whatever the model is: letters are no matter of
taste. A caller who wants something else meanwhile, such as a person, is heard by the model, and what was read back stays as
it was, not confirmed.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from livekit import rtc
from livekit.agents import Agent, AgentSession, ChatContext, ModelSettings, StopResponse
from livekit.agents.llm import ChatMessage, FunctionCall, FunctionCallOutput
from livekit.agents.stt import SpeechEvent, SpeechEventType
from livekit.agents.voice import ConversationItemAddedEvent
from livekit.agents.voice.io import TimedString

from agents.definition import Definition, DigitField
from agents.talk.endangered import Endangered
from agents.words.facts import Facts
from agents.words.readback import Exact, Readback, Then, begun
from gateway.calls.acts.digits import Rules
from gateway.conduct.talk.port import Stage
from gateway.errors import Unavailable
from gateway.terms.number import country_of, e164
from gateway.terms.personal import Digits
from gateway.terms.sealed import is_sealed

_FOR_THE_MODEL = re.compile(
    r"\b(?:person|human|operator|representative|agent|emergency|ambulance|police|fire|danger|help|stop calling|call me"
    r"|goodbye|bye|are you)\b|\?\s*$",
    re.IGNORECASE,
)
_KEYS = Rules(most=15)

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Means:
    """What is needed of whoever conducts the conversation."""

    start: Callable[[Coroutine[Any, Any, None]], None]
    """Runs it beside the conversation."""
    speak: Callable[[str], Awaitable[None]]
    """Says a line, and returns when it was played."""
    person: Callable[[str], Coroutine[Any, Any, None]]
    """Gets the caller a person; why."""


class Checking:
    """One conversation's."""

    def __init__(
        self, definition: Definition, facts: Facts, stage: Stage, session: AgentSession[None], means: Means
    ) -> None:
        self._definition, self._facts, self._stage = definition, facts, stage
        self._session, self._means = session, means
        self._name, self._now = "", None  # type: str, Readback | None
        self._settled: dict[str, object] = {name: facts.known.get(name) for name in facts.confirmed}
        """Values that aren't read back any more."""

    @property
    def field(self) -> DigitField | None:
        """What keys are for while something is read back; None when nothing is."""
        return DigitField(self._name, self._now.noun, _KEYS) if self._now is not None else None

    def question(self) -> str:
        """What is to be said first of the next thing that must be read back; "" when there is none."""
        self._now = None
        for name, kind in self._exact():
            value = self._facts.known.get(name)
            if not isinstance(value, str) or is_sealed(value) or self._settled.get(name) == value:
                continue
            model = self._definition.record
            noun = (model.model_fields[name].description if model else None) or name
            self._name, self._now = name, begun(kind, noun, self._whole(kind, value))
            return self._now.say
        return ""

    async def take(self, agent: Agent, message: ChatMessage) -> bool:
        """The caller's turn; whether it was an answer to what is read back."""
        said = message.text_content or ""
        if self._now is None:
            return False
        if _FOR_THE_MODEL.search(said):
            self._settle(self._now, confirmed=False)
            return False
        await noted(agent, self._session, message)
        self._now = after = self._now.heard(said)
        self._means.start(self._go(after))
        return True

    def keyed(self, digits: Digits) -> bool:
        """What the caller has keyed in; whether it was an answer to what is read back."""
        if self._now is None:
            return False
        self._session.interrupt(force=True)
        self._now = after = self._now.keyed(digits.reveal())
        self._means.start(self._go(after))
        return True

    async def _go(self, after: Readback) -> None:
        match after.then:
            case Then.ASK:
                await self._means.speak(after.say)
            case Then.PERSON:
                self._settle(after, confirmed=False)
                await self._means.person(f"{after.noun} couldn't be taken down by ear")
            case Then.CONFIRMED | Then.LEFT:
                await self._done(after, confirmed=after.then is Then.CONFIRMED)

    async def _done(self, after: Readback, *, confirmed: bool) -> None:
        name = self._name
        self._settle(after, confirmed=confirmed)
        try:
            await self._stage.learned(self._definition.kind, self._facts.told, complete=self._facts.complete)
        except Unavailable as bad:
            log.error("what was read back couldn't be kept", why=str(bad))
        agent = self._session.current_agent
        told = self._noted(agent.chat_ctx.copy(), name, confirmed=confirmed)
        await agent.update_chat_ctx(told, exclude_invalid_function_calls=False)
        if question := self.question():
            await self._means.speak(question)
        else:
            self._session.generate_reply()

    def _noted(self, context: ChatContext, name: str, *, confirmed: bool) -> ChatContext:
        """With what the model is to know: the value as it is now, as if it had saved it."""
        tool, identity = f"save_{self._definition.kind}", f"check_{name}_{len(context.items)}"
        given = json.dumps({name: self._facts.known.get(name)})
        output = "saved: the caller has confirmed it, don't read it back again" if confirmed else "saved"
        context.items.append(FunctionCall(call_id=identity, name=tool, arguments=given))
        context.items.append(FunctionCallOutput(call_id=identity, name=tool, output=output, is_error=False))
        return context

    def _settle(self, after: Readback, *, confirmed: bool) -> None:
        if confirmed:
            self._facts.add({self._name: after.value})
            self._facts.confirm(self._name)
        self._settled[self._name] = self._facts.known.get(self._name)
        self._now = None

    def _exact(self) -> Sequence[tuple[str, Exact]]:
        """What is read back, in the record's order: the route's `check`, else what the definition says."""
        kinds, chosen = self._definition.exact, self._stage.brief.settings.get("check")
        names = list(chosen) if isinstance(chosen, list | tuple) else list(kinds)
        if self._stage.brief.sealed:  # digits are hidden from whoever hears
            names = [name for name in names if kinds.get(name) is not Exact.NUMBER]
        return [(name, kinds.get(name, Exact.NAME)) for name in self._definition.fields if name in names]

    def _whole(self, kind: Exact, value: str) -> str:
        country = country_of(self._stage.call.dialed) or self._stage.brief.country
        return (e164(value, country) or value) if kind is Exact.NUMBER else value


async def noted(agent: Agent, session: AgentSession[None], message: ChatMessage) -> None:
    """Have a turn of the caller's in the conversation that is answered by somebody else than the model."""
    context = agent.chat_ctx.copy()
    context.items.append(message)
    await agent.update_chat_ctx(context, exclude_invalid_function_calls=False)
    session.emit("conversation_item_added", ConversationItemAddedEvent(item=message))


class CheckedAgent(Agent):
    """An agent whose caller's turns go first to whoever watches for danger, then to what is read back, while something is."""

    checking: Checking | None = None
    endangered: Endangered | None = None
    saying = ""
    """What is being said, or was last, as far as its words have come: a turn tells it only once it was said."""

    async def transcription_node(
        self, text: AsyncIterable[str | TimedString], model_settings: ModelSettings
    ) -> AsyncGenerator[str | TimedString, None]:
        """What is said, as it comes."""
        self.saying = ""
        async for words in Agent.default.transcription_node(self, text, model_settings):
            self.saying += words
            yield words

    async def stt_node(
        self, audio: AsyncIterable[rtc.AudioFrame], model_settings: ModelSettings
    ) -> AsyncIterator[SpeechEvent]:
        """What is heard."""
        async for event in Agent.default.stt_node(self, audio, model_settings):
            if self.endangered is not None and event.type is SpeechEventType.FINAL_TRANSCRIPT and event.alternatives:
                self.endangered.heard(event.alternatives[0].text, self.shown)
            yield event

    def shown(self, words: str) -> str:
        """The caller's words as a turn may have them."""
        return words

    async def on_user_turn_completed(self, turn_ctx: ChatContext, new_message: ChatMessage) -> None:
        """Raises StopResponse when the turn was answered: the model isn't asked."""
        if self.endangered is not None and self.endangered.answers(new_message.text_content or ""):
            await noted(self, self.endangered.session, new_message)
            raise StopResponse
        if self.checking is not None and await self.checking.take(self, new_message):
            raise StopResponse
