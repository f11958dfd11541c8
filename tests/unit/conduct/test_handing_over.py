"""What a caller gets whom their agent wants to give to a human, or who asks for one where the route has a team for it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any

import pytest

from gateway.conduct import stage as staging
from gateway.conduct.leg_ear import MONOLOGUE, Monologue
from gateway.conduct.port import Person
from gateway.conduct.stage import CallStage
from gateway.donotcall.port import MemoryDoNotCall
from gateway.errors import Unavailable
from gateway.terms.act import Because, Onward, Talk
from gateway.terms.call import Brief
from gateway.terms.personal import Number
from tests.unit.conduct.test_promised import Ledger

TEAM = Brief(agent="sales", handoff="desk")


def stage(brief: Brief, look: Callable[[str], Awaitable[Person]]) -> CallStage:
    call = SimpleNamespace(caller=Number("+15105550177"))
    parts: Any = SimpleNamespace(call=call, ledger=Ledger(), look=look, do_not_call=MemoryDoNotCall())
    return CallStage(parts, brief)


def found(person: Person) -> Callable[[str], Awaitable[Person]]:
    async def look(team: str) -> Person:
        assert team == "desk"
        return person

    return look


async def test_where_somebody_is_free_the_caller_goes_on_to_them() -> None:
    one = stage(TEAM, found(Person.TEAM))
    assert await one.hand_over("wants to buy") is Person.TEAM
    assert (one.onward, one.reason) == (Onward(Because.HANDOFF), "wants to buy")


@pytest.mark.parametrize("away", [Person.BUSY, Person.NOBODY, Person.CLOSED])
async def test_where_nobody_is_nobody_is_promised(away: Person) -> None:
    one = stage(TEAM, found(away))
    assert await one.hand_over("wants to buy") is away
    assert one.onward is None


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
    one.parts = SimpleNamespace(**vars(one.parts))  # type: ignore[assignment]
    one.facts = {"name": "Maria"}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(staging, "replace", lambda parts, **_: parts)
        one.led(SimpleNamespace(brief=TEAM, ends=0.0, act=Talk("busy")))  # type: ignore[arg-type]
        assert one.kept.facts == {"name": "Maria"}
        one.led(SimpleNamespace(brief=TEAM, ends=0.0, act=Talk()))  # type: ignore[arg-type]
        assert one.kept.facts == {}


def test_who_talks_on_and_on_is_noticed_once() -> None:
    monologue = Monologue()
    told = [monologue.told(talking=True, seconds=0.5) for _ in range(20)]
    assert told.index(True) == round(MONOLOGUE / 0.5) - 1
    assert told.count(True) == 1
    assert not monologue.told(talking=False, seconds=0.5)
    assert [monologue.told(talking=True, seconds=MONOLOGUE) for _ in range(2)] == [True, False]
