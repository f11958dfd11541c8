"""Pools that bear no more calls."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from gateway.app.catalogue import load as catalogue
from gateway.calls.store.port import Asked
from gateway.dialplan.load import load
from gateway.dialplan.state import State
from gateway.dispatch.dispatcher import Dispatcher
from gateway.terms.act import Because, Onward
from gateway.terms.call import Call, CallId, Pool
from tests.unit.dispatch.world import World, arrival

BUSY = """\
offhook: 1
timezone: UTC
human: callback
numbers: {+15105550100: sales, +15105550101: help, +15105550102: lines}
routes:
  sales: {agent: sales, full: desk}
  help: {agent: support}
  lines: {menu: {say: Hello., 1: sales, silence: desk}}
  desk: {message: Please speak.}
"""


def busy(tmp_path: Path, slots: Mapping[Pool, int], overloaded: str = "") -> World:
    """One control of a plan, of pools that bear so many calls."""
    (tmp_path / "main.yaml").write_text(BUSY)
    world = World()
    read = load(tmp_path, catalogue(), datetime(2026, 11, 23, 15, tzinfo=UTC))
    assert read.plan is not None, read.findings
    plan = read.plan
    world.one = Dispatcher(
        world.store,
        world.rooms,
        lambda: plan,
        state=lambda _: State(overloaded=overloaded),
        slots=lambda: slots,
        clock=lambda: world.now,
    )
    return world


async def comes(world: World, number: int, dialed: str = "+15105550100") -> Call:
    there = replace(arrival(dialed), call=CallId(f"SCL_{number}"), room=f"call-_{number}")
    await world.one.arrived(there)
    found = await world.store.get(there.call)
    assert found is not None
    return found


async def test_agents_that_all_talk_lead_to_full_and_are_free_again_when_a_call_ends(tmp_path: Path) -> None:
    world = busy(tmp_path, {Pool.AGENTS: 2, Pool.HOUSE: 5})
    assert [(await comes(world, number)).route for number in range(4)] == ["sales", "sales", "desk", "desk"]
    promised = await comes(world, 4, "+15105550101")
    assert (promised.route, promised.pool, type(promised.act).__name__) == ("help", Pool.HOUSE, "Promise")
    await world.store.end(CallId("SCL_0"))
    assert (await comes(world, 5)).pool is Pool.AGENTS


async def test_a_house_that_is_full_lets_the_carrier_find_another_way_and_agents_talk_on(tmp_path: Path) -> None:
    world = busy(tmp_path, {Pool.AGENTS: 2, Pool.HOUSE: 1})
    assert (await comes(world, 1, "+15105550102")).pool is Pool.HOUSE
    refused = await comes(world, 2, "+15105550102")
    assert (refused.reject, refused.why) == (503, "every line is taken")
    assert ("turn away", "503") in world.rooms.done
    assert (await comes(world, 3)).pool is Pool.AGENTS, "the house's calls take none of the agents' slots"


async def test_calls_that_an_agent_has_are_refused_nothing_when_it_is_too_much(tmp_path: Path) -> None:
    world = busy(tmp_path, {Pool.AGENTS: 1, Pool.HOUSE: 1}, overloaded="callers wait 9.0 s for an answer")
    call = await comes(world, 1)
    assert (call.route, call.because) == ("desk", "full")
    await world.store.end(call.id)
    chooses = await comes(world, 2, "+15105550102")
    await world.store.ask(Asked(chooses.id, 1, 1, Onward(Because.KEY, "1"), Pool.AGENTS))
    await world.one.answer(0.5)
    led_on = await world.store.get(chooses.id)
    assert led_on is not None
    assert led_on.route == "sales", "an agent's job asks: the caller has it already"
