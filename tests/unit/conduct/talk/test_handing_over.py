"""What a caller gets whom their agent wants to give to a human, or who asks for one where the route has a team for it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from gateway.calls.words import word
from gateway.calls.words.handoff import HandoffWord
from gateway.conduct.legs.leg_ear import MONOLOGUE, Monologue
from gateway.conduct.talk import stage as staging
from gateway.conduct.talk.port import Person
from gateway.conduct.talk.stage import CallStage
from gateway.donotcall.port import MemoryDoNotCall
from gateway.errors import Unavailable
from gateway.terms.act import Act, Because, Handoff, Onward, Talk, Wait
from gateway.terms.call import Brief
from gateway.terms.event import Kind
from gateway.terms.personal import Number
from gateway.terms.turn import Speaker
from tests.unit.conduct.talk.test_promised import Ledger

TEAM = Brief(agent="sales", handoff="desk")


def stage(brief: Brief, look: Callable[[str], Awaitable[Person]]) -> CallStage:
    call = SimpleNamespace(caller=Number("+15105550177"), act=Handoff("desk"))
    noted: list[tuple[Kind, Mapping[str, object]]] = []
    teller = SimpleNamespace(note=lambda kind, data, at, uid="": noted.append((kind, data)), noted=noted)
    parts: Any = SimpleNamespace(call=call, ledger=Ledger(), look=look, do_not_call=MemoryDoNotCall(), teller=teller)
    return CallStage(parts, brief)


def waits(one: CallStage) -> list[tuple[object, object]]:
    """What the record has of the team's line."""
    told: Any = one.parts.teller
    return [(data["team"], data.get("why", data["event"])) for kind, data in told.noted if kind is Kind.WAITING]


def comes_back(one: CallStage, why: str, brief: Brief = TEAM) -> None:
    """The team was rung for the caller, who is with the agent again."""
    led(one, Talk(why), brief)


def led(one: CallStage, act: Act, brief: Brief = TEAM) -> None:
    one.parts = SimpleNamespace(**vars(one.parts))  # type: ignore[assignment]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(staging, "replace", lambda parts, **_: parts)
        one.led(SimpleNamespace(brief=brief, ends=0.0, act=act))  # type: ignore[arg-type]


def found(person: Person) -> Callable[[str], Awaitable[Person]]:
    async def look(team: str) -> Person:
        assert team == "desk"
        return person

    return look


async def test_where_somebody_is_free_the_caller_goes_on_to_them() -> None:
    one = stage(TEAM, found(Person.TEAM))
    assert await one.hand_over("wants to buy") is Person.TEAM
    assert (one.onward, one.reason) == (Onward(Because.HANDOFF), "wants to buy")


async def test_what_the_caller_hears_as_the_team_is_rung_is_a_part_of_what_was_said() -> None:
    one = stage(TEAM, found(Person.TEAM))
    led(one, Wait("desk"))
    assert one.turns == []
    led(one, Handoff("desk"))
    [turn] = one.turns
    assert (turn.speaker, turn.text.reveal()) == (Speaker.AGENT, word(HandoffWord.PUT_THROUGH, "en-US"))


@pytest.mark.parametrize("away", [Person.BUSY, Person.NOBODY, Person.CLOSED])
async def test_where_nobody_is_nobody_is_promised(away: Person) -> None:
    one = stage(TEAM, found(away))
    assert await one.hand_over("wants to buy") is away
    assert one.onward is None


@pytest.mark.parametrize(
    ("away", "why"),
    [(Person.BUSY, "everybody of the team talks"), (Person.NOBODY, "nobody of the team takes calls now")],
)
async def test_whom_nobody_was_there_for_is_on_the_record_as_one_who_wanted_the_team(away: Person, why: str) -> None:
    one = stage(TEAM, found(away))
    await one.hand_over("wants to buy")
    assert waits(one) == [("desk", "entered"), ("desk", why)]


async def test_a_team_that_is_closed_has_missed_nobody() -> None:
    one = stage(TEAM, found(Person.CLOSED))
    await one.hand_over("wants to buy")
    assert waits(one) == []


async def test_who_has_declined_is_rung_once_more_and_then_left_alone() -> None:
    one = stage(TEAM, found(Person.TEAM))
    for _ in range(2):
        assert await one.hand_over("wants to buy") is Person.TEAM
        comes_back(one, "declined")
    assert await one.hand_over("wants to buy") is Person.NOBODY
    assert one.onward is None


async def test_whom_a_human_has_given_back_may_be_given_to_them_again() -> None:
    one = stage(TEAM, found(Person.TEAM))
    for _ in range(5):
        assert await one.ask_for_person("asked") is Person.TEAM
        comes_back(one, "gave back")


async def test_whom_nobody_took_is_called_back_when_they_ask_again() -> None:
    one = stage(TEAM, found(Person.TEAM))
    assert await one.ask_for_person("asked") is Person.TEAM
    comes_back(one, "no answer")
    assert await one.ask_for_person("asked") is Person.CALLBACK


async def test_who_asks_for_a_person_gets_the_team_and_a_callback_the_second_time() -> None:
    one = stage(TEAM, found(Person.BUSY))
    assert await one.ask_for_person("asked") is Person.BUSY
    assert await one.ask_for_person("asked") is Person.CALLBACK


async def test_whom_the_agent_couldnt_hand_over_is_called_back_if_they_like() -> None:
    one = stage(TEAM, found(Person.BUSY))
    assert await one.hand_over("wants to buy") is Person.BUSY
    assert await one.ask_for_person("wants to be called back") is Person.CALLBACK


async def test_where_the_plan_says_who_a_person_is_they_get_that() -> None:
    one = stage(Brief(agent="sales", handoff="desk", leads_to_person=True), found(Person.TEAM))
    assert await one.ask_for_person("asked") is Person.AGENT
    assert one.onward == Onward(Because.HUMAN)


@pytest.mark.parametrize("away", [Person.BUSY, Person.NOBODY, Person.CLOSED])
async def test_the_plan_may_lead_on_who_couldnt_be_promised_anybody_once(away: Person) -> None:
    own = replace(TEAM, untaken=(away.value,))
    one = stage(own, found(away))
    assert await one.hand_over("wants to buy") is Person.ELSEWHERE
    assert (one.onward, one.reason) == (Onward(Because.UNANSWERED, why=away.value), "wants to buy")
    comes_back(one, away.value, own)
    assert await one.hand_over("wants to buy") is away, "the agent has told them, and it isn't asked for ever"
    assert await one.ask_for_person("asked") is Person.CALLBACK


async def test_what_the_plan_leads_on_elsewhere_isnt_every_ending() -> None:
    one = stage(replace(TEAM, untaken=("closed",)), found(Person.BUSY))
    assert await one.hand_over("wants to buy") is Person.BUSY


async def test_a_team_that_cant_be_seen_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    async def down(_: str) -> Person:
        raise Unavailable("Redis is away.")

    async def hangs(_: str) -> Person:
        await asyncio.Event().wait()
        return Person.CLOSED

    monkeypatch.setattr(staging, "LOOK_WITHIN", 0.01)
    for look in (down, hangs):
        assert await stage(TEAM, look).hand_over("") is Person.TEAM


def test_the_agent_who_comes_back_knows_what_it_knew() -> None:
    one = stage(TEAM, found(Person.TEAM))
    one.facts = {"name": "Maria"}
    comes_back(one, "busy")
    assert one.kept.facts == {"name": "Maria"}
    comes_back(one, "")
    assert one.kept.facts == {}


def test_who_talks_on_and_on_is_noticed_once() -> None:
    monologue = Monologue()
    told = [monologue.told(talking=True, seconds=0.5) for _ in range(20)]
    assert told.index(True) == round(MONOLOGUE / 0.5) - 1
    assert told.count(True) == 1
    assert not monologue.told(talking=False, seconds=0.5)
    assert [monologue.told(talking=True, seconds=MONOLOGUE) for _ in range(2)] == [True, False]
