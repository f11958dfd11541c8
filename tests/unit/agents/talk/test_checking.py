"""What is read back, in a session: whose turns it takes, what is kept, and what the model is told of it."""

from __future__ import annotations

import json
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

import pytest
from livekit.agents import Agent, AgentSession, ChatContext
from livekit.agents.llm import ChatMessage, FunctionCall

from agents.registry import definition
from agents.talk.checking import Checking, Means
from agents.words.facts import Facts
from gateway.conduct.talk.port import Stage
from gateway.speech.dialogue.reply import reply
from gateway.terms.call import Brief
from gateway.terms.personal import Digits, Number
from gateway.terms.sealed import MARK

SALES = definition("sales")


@dataclass
class Lab:
    """A caller on a route, and what came of what they said."""

    settings: Mapping[str, object] = field(default_factory=dict)
    sealed: bool = False

    def __post_init__(self) -> None:
        self.kept: list[Mapping[str, object]] = []
        self.said: list[str] = []
        self.persons: list[str] = []
        self.replies = 0
        self.works: list[Coroutine[Any, Any, None]] = []
        self.turns: list[str] = []
        self.facts = Facts(SALES, ("name",))
        self.agent = Agent(instructions="")
        brief = Brief("sales", settings=self.settings, sealed=self.sealed, country="US")
        stage = SimpleNamespace(brief=brief, call=SimpleNamespace(dialed=Number("+15105550100")), learned=self._learned)
        session = SimpleNamespace(
            current_agent=self.agent, emit=lambda _, event: self.turns.append(event.item.text_content),
            generate_reply=self._reply, interrupt=lambda force: None,
        )  # fmt: skip
        means = Means(self.works.append, self._speak, self._person)
        self.one = Checking(SALES, self.facts, cast(Stage, stage), cast("AgentSession[None]", session), means)

    def saves(self, **told: object) -> str:
        assert self.facts.add(told) == ""
        return self.one.question()

    async def says(self, text: str) -> bool:
        taken = await self.one.take(self.agent, ChatMessage(role="user", content=[text]))
        await self._work()
        return taken

    async def keys(self, digits: str) -> bool:
        taken = self.one.keyed(Digits(digits))
        await self._work()
        return taken

    async def _work(self) -> None:
        while self.works:
            await self.works.pop(0)

    async def _learned(self, kind: str, fields: Mapping[str, object], *, complete: bool) -> None:
        self.kept.append(dict(fields))

    async def _speak(self, text: str) -> None:
        self.said.append(text)

    async def _person(self, reason: str) -> None:
        self.persons.append(reason)

    def _reply(self) -> None:
        self.replies += 1


async def test_a_number_is_read_back_corrected_and_confirmed() -> None:
    lab = Lab()
    assert lab.saves(name="Ana", number="510 555 0142").startswith("I have plus 1, 5 1 0, 5 5 5, 0 1 4 2.")
    assert await lab.says("no the last four are zero one four three")
    assert lab.said[-1].startswith("I have plus 1, 5 1 0, 5 5 5, 0 1 4 3.")
    assert await lab.keys("1")
    assert lab.kept == [{"name": "Ana", "number": "+15105550143", "confirmed": ["number"]}]
    assert lab.replies == 1
    assert lab.turns == ["no the last four are zero one four three"]
    assert not await lab.says("what now"), "the model's again"
    (call,) = [item for item in lab.agent.chat_ctx.items if isinstance(item, FunctionCall)]
    assert json.loads(call.arguments) == {"number": "+15105550143"}
    assert lab.saves(number="+15105550143") == "", "it is confirmed"
    assert lab.saves(number="5105550144"), "another isn't"
    assert lab.facts.confirmed == []


async def test_one_thing_after_the_other() -> None:
    lab = Lab({"check": ["name", "email"]})
    assert "that is A N A" in lab.saves(name="Ana", email="ana@acme.com", number="5105550142")
    assert await lab.says("yes")
    assert lab.said[-1].startswith("I have A N A, at acme")
    assert lab.replies == 0
    assert await lab.says("yes")
    assert lab.facts.confirmed == ["name", "email"]
    assert lab.replies == 1


async def test_two_failures_get_a_person_and_the_value_stays_unconfirmed() -> None:
    lab = Lab()
    lab.saves(email="ana@acme.com")
    assert await lab.says("no")
    assert "spell the whole address" in lab.said[-1]
    assert await lab.says("mumble")
    assert lab.persons == ["your email address couldn't be taken down by ear"]
    assert (lab.facts.known["email"], lab.facts.confirmed) == ("ana@acme.com", [])


@pytest.mark.parametrize("said", ["I want a person please", "there is a fire", "what do you need that for?", "goodbye"])
async def test_who_wants_something_else_is_heard_by_the_model(said: str) -> None:
    lab = Lab()
    lab.saves(email="ana@acme.com")
    assert not await lab.says(said)
    assert not await lab.keys("1")
    assert lab.saves(name="Ana") == "", "it isn't brought up again"


def test_where_digits_are_hidden_numbers_are_not_read_back() -> None:
    lab = Lab(sealed=True)
    assert lab.saves(number="5105550142") == ""
    lab.facts.known["email"] = f"{MARK}abc"
    assert lab.one.question() == ""


def test_another_job_knows_what_is_confirmed() -> None:
    facts = Facts(SALES, ())
    facts.restore({"email": "ana@acme.com", "confirmed": ["email"]}, lambda _name, _sealed: None)
    assert facts.told == {"email": "ana@acme.com", "confirmed": ["email"]}
    assert facts.add({"email": "bob@acme.com"}) == ""
    assert facts.told == {"email": "bob@acme.com"}


async def test_the_local_model_goes_on_where_it_was() -> None:
    """The conversation as it stands once an address was read back and corrected: the model knows the right one, and asks
    for what is missing."""
    from agents.words.facts import save_schema

    lab = Lab()
    lab.saves(name="Ana", email="ana@acme.com")
    context = ChatContext.empty()
    context.add_message(role="user", content="ana at acme dot com")
    await lab.agent.update_chat_ctx(context)
    await lab.says("no it's b o b at acme dot com")
    await lab.says("yes")
    messages: list[dict[str, object]] = [{"role": "system", "content": "Ask: name, email, company"}]
    for item in lab.agent.chat_ctx.items:
        if isinstance(item, ChatMessage):
            messages.append({"role": item.role, "content": item.text_content})
        elif isinstance(item, FunctionCall):
            function = {"name": item.name, "arguments": item.arguments}
            messages.append({"role": "assistant", "tool_calls": [{"id": item.call_id, "function": function}]})
        else:
            messages.append({"role": "tool", "tool_call_id": "x", "content": getattr(item, "output", "")})
    tools = [{"type": "function", "function": save_schema(SALES)}]
    assert reply(messages, tools).text == "Got it, bob at acme dot com. What is your name?"
