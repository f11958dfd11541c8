"""What a caller hears of the agent who asks for a person, and how the conversation ends: of a team they are told by the house."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest
from livekit.agents import StopResponse

from agents.talk.to_person import Means, ToPerson
from agents.words.lines import FOR_PERSON, Say, line_of
from gateway.conduct.talk.port import Person
from gateway.terms.call import Brief


class Conversation:
    """One whose route has a team; `person`: what comes of asking for one."""

    def __init__(self, person: Person) -> None:
        self.spoken: list[str] = []
        self.left: list[str] = []
        """How it ended, and why."""

        async def asked(_: str) -> Person:
            return person

        async def speak(text: str) -> None:
            self.spoken.append(text)

        brief = Brief("sales", handoff="desk", language="en")
        stage = cast(Any, SimpleNamespace(brief=brief, ask_for_person=asked, hand_over=asked))
        session = cast(Any, SimpleNamespace(interrupt=lambda *, force: None))
        appointing = cast(Any, SimpleNamespace(offer=lambda: "We'll call you back."))
        means = Means(
            speak,
            lambda: None,
            lambda why: self.left.append(f"at once: {why}"),
            lambda why: self.left.append(f"once played: {why}"),
        )
        self.to_person = ToPerson(session, stage, appointing, means)

    def tool(self, name: str) -> Any:
        tools = cast(Any, self.to_person.tools())
        return next(one for one in tools if one.info.name == name)


async def test_who_presses_0_is_left_to_the_team_at_once() -> None:
    one = Conversation(Person.TEAM)
    await one.to_person.get("the caller pressed 0")
    assert (one.spoken, one.left) == ([], ["at once: the caller pressed 0"])


@pytest.mark.parametrize("name", ["ask_for_person", "hand_over"])
async def test_a_model_that_gives_the_caller_to_the_team_says_nothing_more(name: str) -> None:
    one = Conversation(Person.TEAM)
    with pytest.raises(StopResponse):
        await one.tool(name)(raw_arguments={"reason": "wants to buy"})
    assert [how.partition(":")[0] for how in one.left] == ["once played"]


@pytest.mark.parametrize("person", [Person.AGENT, Person.ELSEWHERE])
async def test_whoever_else_takes_over_is_announced_by_the_agent(person: Person) -> None:
    one = Conversation(person)
    await one.to_person.get("asked")
    assert (one.spoken, one.left) == ([line_of(Say.PUT_THROUGH, "en")], ["at once: asked"])
    assert await one.tool("ask_for_person")(raw_arguments={}) == f"say: {line_of(Say.PUT_THROUGH, 'en')}"


@pytest.mark.parametrize("person", [Person.BUSY, Person.NOBODY, Person.CLOSED, Person.NUMBER])
async def test_where_nobody_can_be_had_the_agent_says_so_and_goes_on(person: Person) -> None:
    one = Conversation(person)
    await one.to_person.get("asked")
    assert (one.spoken, one.left) == ([line_of(FOR_PERSON[person], "en")], [])
