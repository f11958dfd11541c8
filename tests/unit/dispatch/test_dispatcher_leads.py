"""Jobs that ask where a call goes on."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.app.catalogue import load as catalogue
from gateway.calls.store.port import Asked
from gateway.dialplan.load import load
from gateway.dispatch.decide import ASK_COUNTS, TRIES
from gateway.dispatch.dispatcher import Dispatcher
from gateway.terms.act import Because, Onward, Wait
from gateway.terms.call import Call, CallId, Pool
from gateway.terms.event import Event, Kind
from tests.unit.dispatch.world import CALL, JOB_WITHIN, World, arrival

MENU = """\
offhook: 1
timezone: UTC
human: callback
numbers: {+15105550100: front}
people: {ana: {call: +1 510 555 0111}}
teams: {crew: {members: [ana], unanswered: callback}}
routes:
  front: {menu: {say: Press., 1: desk, 2: sales, silence: desk}}
  desk: {team: crew, limits: {calls: 1}, full: busy}
  busy: {message: Please speak.}
  sales: {agent: sales}
"""


async def led(world: World, because: Because, key: str = "", *, stop: int = 1, pool: Pool = Pool.HOUSE) -> Call:
    """What a job's asking comes to."""
    before = await world.store.get(CALL)
    assert before is not None
    await world.store.ask(Asked(CALL, before.epoch, stop, Onward(because, key), pool))
    await world.one.answer(0.5)
    found = await world.store.get(CALL)
    assert found is not None
    return found


@pytest.fixture
async def menu(tmp_path: Path) -> World:
    (tmp_path / "main.yaml").write_text(MENU)
    world = World()
    plan = load(tmp_path, catalogue(), datetime(2026, 11, 23, 15, tzinfo=UTC)).plan
    assert plan is not None
    world.one = Dispatcher(world.store, world.rooms, lambda: plan, clock=lambda: world.now)
    await world.one.arrived(arrival())
    return world


async def test_a_job_is_led_on_by_the_plan(menu: World) -> None:
    call = await led(menu, Because.KEY, "1")
    assert (call.route, call.stop, call.epoch, call.because) == ("desk", 2, 1, "key")
    assert isinstance(call.act, Wait)
    stop = next(event for event in await menu.events() if event.kind is Kind.STOP)
    assert stop.data == {"number": 2, "route": "desk", "act": "wait", "because": "key"}
    assert menu.rooms.did("dispatch") == 1, "the house's job goes on"


async def test_a_call_that_goes_to_an_agent_gets_a_job_of_the_agents(menu: World) -> None:
    call = await led(menu, Because.KEY, "2")
    assert (call.route, call.stop, call.epoch, call.pool) == ("sales", 2, 2, Pool.AGENTS)
    assert [one[1] for one in menu.rooms.done if one[0] == "dispatch"] == ["offhook-house", "offhook-agents"]
    assert not menu.rooms.did("withdraw"), "the house's job keeps the caller company until the other is there"


async def test_an_answer_is_given_once(menu: World) -> None:
    await led(menu, Because.KEY, "1")
    assert (await led(menu, Because.SILENCE, stop=1)).stop == 2, "asked again, late"


async def test_nobody_asking_is_no_harm(menu: World) -> None:
    await menu.one.answer(0.01)
    await menu.store.ask(Asked(CallId("SCL_gone"), 1, 1, Onward(Because.KEY, "1"), Pool.HOUSE, menu.now))
    await menu.one.answer(0.01)


async def test_an_agents_job_goes_on_itself_when_the_call_comes_back_to_an_agent(menu: World) -> None:
    await led(menu, Because.KEY, "1", pool=Pool.AGENTS)
    before = menu.rooms.did("dispatch")
    call = await menu.store.get(CALL)
    assert call is not None
    onward = Onward(Because.UNANSWERED)
    menu.one = Dispatcher(menu.store, menu.rooms, menu.one._plan, clock=lambda: menu.now)
    await menu.store.ask(Asked(CALL, call.epoch, call.stop, onward, Pool.AGENTS))
    await menu.one.answer(0.5)
    assert menu.rooms.did("dispatch") == before


async def test_what_was_asked_long_ago_moves_nobody(menu: World) -> None:
    await menu.store.ask(Asked(CALL, 1, 1, Onward(Because.KEY, "1"), Pool.HOUSE))
    menu.now += ASK_COUNTS + 1
    await menu.one.answer(0.5)
    call = await menu.store.get(CALL)
    assert call is not None
    assert call.stop == 1


async def test_an_answered_caller_whom_no_agents_job_takes_goes_on_without(menu: World) -> None:
    menu.rooms.there[CALL] = arrival()
    await menu.store.tell(Event(CALL, Kind.ANSWERED, menu.now, {}))
    call = await led(menu, Because.KEY, "2")
    assert call.pool is Pool.AGENTS
    menu.now += JOB_WITHIN
    await menu.one.supervise()
    after = await menu.store.get(CALL)
    assert after is not None
    assert (type(after.act).__name__, after.pool, after.because) == ("Promise", Pool.HOUSE, "no_agent")
    assert menu.rooms.done[-2][:2] == ("dispatch", "offhook-house")


async def test_calls_that_were_handed_over_often_are_given_up_no_sooner(menu: World) -> None:
    for _ in range(TRIES):
        await led(menu, Because.KEY, "2")
        call = await menu.store.get(CALL)
        assert call is not None
        assert await menu.store.lead(
            replace(call, stop=call.stop + 1, route="front", pool=Pool.HOUSE, act=Wait("crew"))
        )
    menu.rooms.there[CALL] = arrival()
    menu.now += JOB_WITHIN
    await menu.one.supervise()
    assert not menu.rooms.did("turn away")
