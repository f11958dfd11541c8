"""How a caller gets a person: asked for in words, by 0, or by the model; a callback, or a message, in place of one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog
from livekit.agents import AgentSession, StopResponse, function_tool
from livekit.agents.llm import Tool, Toolset

from agents.appointing import Appointing
from agents.words.lines import FOR_PERSON, Say, line_of
from agents.words.tools import HAND_OVER, MESSAGE, PERSON
from gateway.conduct.talk.port import Person, Stage
from gateway.donotcall.port import Unwanted as Never
from gateway.errors import Unavailable
from gateway.terms.emergency import callable_number
from gateway.terms.number import country_of, e164
from gateway.terms.personal import Digits, Number

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Means:
    """What the conversation lends."""

    speak: Callable[[str], Awaitable[None]]
    """Says words, and returns when they were played."""
    waits: Callable[[], None]
    """The caller waits for an answer from now on."""
    finish: Callable[[str], None]
    """Ends the conversation, for a reason."""
    leave: Callable[[str], None]
    """The same, once what is being said was played."""


class ToPerson:
    """Of one conversation."""

    def __init__(self, session: AgentSession[None], stage: Stage, appointing: Appointing, means: Means) -> None:
        self._session, self._stage, self._appointing, self._means = session, stage, appointing, means
        self.number_wanted = False
        """The caller was asked to key in the number on which they are called back."""

    def tools(self) -> list[Tool | Toolset]:
        """The model's: a person for whoever wants one; where the route hands over, a human for whoever is qualified."""
        found: list[Tool | Toolset] = [function_tool(self._person, raw_schema=PERSON)]
        if self._stage.brief.handoff:
            found += [
                function_tool(self._hand_over, raw_schema=HAND_OVER),
                function_tool(self._message, raw_schema=MESSAGE),
            ]
        return found

    async def get(self, reason: str) -> None:
        """Get the caller a person, and tell them what becomes of it."""
        self._session.interrupt(force=True)
        self._means.waits()
        text, leaving = await self._ask(reason)
        if text:
            await self._means.speak(text)
        if leaving:
            self._means.finish(reason)

    async def book(self, digits: Digits, noted: Callable[[], None]) -> None:
        """Book a callback on the number that the caller has keyed in, and tell them; `noted` is called between the two."""
        said = await self._book(digits)
        noted()
        await self._means.speak(self._line(said))

    async def _book(self, digits: Digits) -> Say:
        keyed = e164(digits.reveal(), country_of(self._stage.call.dialed) or self._stage.brief.country)
        number = Number(keyed) if keyed else None
        if number is None or not callable_number(number):
            return Say.WHICH_NUMBER
        try:
            await self._stage.book(number, "the caller asked for a person")
        except Unavailable as bad:
            log.error("a callback couldn't be booked", why=str(bad))
            return Say.NO_PERSON
        self.number_wanted = False
        return Say.BOOKED

    async def _ask(self, reason: str) -> tuple[str, bool]:
        """Ask for a person; what to tell the caller, "" for nothing, and whether somebody else takes over then."""
        try:
            answer = await self._stage.ask_for_person(reason)
        except Unavailable as bad:
            log.error("a callback couldn't be booked", why=str(bad))
            return self._line(Say.NEVER_CALLED if isinstance(bad, Never) else Say.NO_PERSON), False
        self.number_wanted = answer is Person.NUMBER
        return self._told(answer)

    def _told(self, answer: Person) -> tuple[str, bool]:
        if answer is Person.CALLBACK:
            return self._appointing.offer(), False
        if answer is Person.TEAM:  # the house tells them, as the phones ring
            return "", True
        return self._line(FOR_PERSON[answer]), answer in (Person.AGENT, Person.TEAM, Person.ELSEWHERE)

    async def _person(self, raw_arguments: dict[str, object]) -> str:
        reason = str(raw_arguments.get("reason") or "the caller asked for a person")
        text, leaving = await self._ask(reason)
        if leaving:
            self._means.leave(reason)
        return _said(text)

    async def _hand_over(self, raw_arguments: dict[str, object]) -> str:
        text, leaving = self._told(await self._stage.hand_over(str(raw_arguments.get("reason") or "")))
        if leaving:
            self._means.leave("the caller is given to a human")
        return _said(text)

    async def _message(self, raw_arguments: dict[str, object]) -> str:
        self._stage.leave_message()
        self._means.leave("the caller leaves a message")
        return f"say: {self._line(Say.TO_MESSAGE)}"

    def _line(self, say: Say) -> str:
        return line_of(say, self._stage.brief.language)


def _said(text: str) -> str:
    """What a tool answers that has this said word for word. Raises StopResponse where nothing is."""
    if not text:
        raise StopResponse
    return f"say: {text}"
