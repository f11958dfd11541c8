"""What a dispatcher makes of the rooms that it looks at, of outages, and of workers that are back."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from gateway.bus.callstate import Status
from gateway.dispatch.dispatcher import LOOKED_AFTER_AT_ONCE, Dispatcher
from gateway.dispatch.rooms import Present
from gateway.errors import Unavailable
from gateway.terms.call import CallId, Phase, Pool
from gateway.terms.event import Kind
from gateway.terms.times import THERE_WITHIN
from tests.unit.dispatch.world import CALL, JOB_WITHIN, World, arrival, state


async def test_a_look_at_the_rooms_finds_who_no_hint_told_of() -> None:
    world = World()
    world.rooms.there[CALL] = arrival()
    await world.one.reconcile()
    await world.two.reconcile()
    assert world.rooms.did("dispatch") == 1


async def test_who_has_joined_unknown_to_the_job_is_to_hear_the_phones() -> None:
    world = World()
    await world.one.joined("call-_a")
    assert world.rooms.done == [("have heard", "call-_a")]


async def test_a_look_at_the_rooms_ends_the_call_of_a_caller_who_is_gone() -> None:
    world = World()
    await world.one.arrived(arrival())
    await world.one.reconcile()
    assert Kind.ENDED not in await world.kinds()
    world.now += THERE_WITHIN
    await asyncio.gather(world.one.reconcile(), world.two.reconcile())
    assert (await world.kinds()).count(Kind.ENDED) == 1
    assert world.rooms.did("close") == 1


async def test_a_store_that_may_have_forgotten_leases_has_no_job_replaced_and_no_call_ended() -> None:
    world = World()
    await world.one.arrived(arrival())
    world.rooms.there[CALL] = arrival()
    world.now += 100
    world.settled = False
    await world.one.supervise()
    assert world.rooms.did("dispatch") == 1
    del world.rooms.there[CALL]
    await world.one.reconcile()
    await world.one.gone(CALL)
    await world.one.emptied("call-_x")
    call = await world.store.get(CALL)
    assert call
    assert call.phase is not Phase.ENDED
    world.settled = True
    await world.one.reconcile()
    assert (await world.kinds())[-1] is Kind.ENDED


async def test_a_job_whose_call_the_store_has_lost_has_its_time_to_put_it_back() -> None:
    world = World()
    world.settled = False
    world.rooms.there[CALL] = replace(arrival(), attended=True)
    await world.one.arrived(arrival())  # as a late webhook tells
    await world.one.reconcile()
    assert world.rooms.done == []
    world.settled = True
    await world.one.reconcile()
    assert [one[0] for one in world.rooms.done] == ["dispatch", "withdraw"], "it didn't: another is sent in its place"


async def test_who_calls_right_after_an_outage_is_served_at_once() -> None:
    world = World()
    world.settled = False
    await world.one.heard(state(Status.INCOMING))
    assert world.rooms.did("dispatch") == 1
    other = replace(arrival(), call=CallId("SCL_2"), room="call-_y")
    world.rooms.there[other.call] = other
    await world.two.reconcile()
    assert world.rooms.did("dispatch") == 2, "whom no job is with has none"


async def test_a_call_whose_job_holds_it_isnt_ended_by_a_list_of_rooms() -> None:
    world = World()
    await world.one.arrived(arrival())
    assert await world.store.take(CALL, 1, "AJ_1", 1000.0)
    world.now += 100
    await world.one.reconcile()
    call = await world.store.get(CALL)
    assert call
    assert call.phase is Phase.TAKEN


async def test_callers_whose_sip_service_is_gone_are_put_out_with_a_reason() -> None:
    world = World()
    there, running = replace(arrival(), edge="dead"), {"dead", "lives"}

    async def edges() -> frozenset[str]:
        return frozenset(running)

    one = Dispatcher(world.store, world.rooms, lambda: world.plan, edges=edges, clock=lambda: world.now)
    await one.arrived(there)
    assert await world.store.take(CALL, 1, "AJ_1", 1000.0)
    world.rooms.there[CALL] = there
    await one.reconcile()
    assert world.rooms.did("close") == 0
    running.clear()
    await one.reconcile()
    assert world.rooms.did("close") == 0, "Redis may have stood still, and nobody has beaten yet"
    running.update({"dead", "lives"})
    world.now += 2.0
    await one.reconcile()
    running.discard("dead")
    await one.reconcile()
    world.now += 2.0
    world.rooms.unlisted = True
    with pytest.raises(Unavailable):
        await one.reconcile()
    world.rooms.unlisted = False
    await one.reconcile()
    assert world.rooms.did("close") == 0, "a look that failed proves nothing"
    world.now += 2.0
    await one.reconcile()
    del world.rooms.there[CALL]
    events = await world.events()
    assert [event.kind for event in events][-2:] == [Kind.HANGUP, Kind.ENDED]
    assert events[-2].data == {"by": "network", "reason": "the SIP service is gone"}
    assert world.rooms.did("close") >= 1
    assert world.rooms.did("dispatch") == 1


async def test_a_room_that_livekit_is_slow_about_keeps_no_other_call_waiting() -> None:
    world = World()
    other = replace(arrival(), call=CallId("SCL_2"), room="call-_y")
    for one in (arrival(), other):
        await world.one.arrived(one)
        world.rooms.there[one.call] = one
    slow, present = asyncio.Event(), world.rooms.present

    async def asked(room: str) -> Present:
        if room == "call-_x":
            await slow.wait()
        return await present(room)

    world.rooms.present = asked  # type: ignore[method-assign]
    world.now += JOB_WITHIN
    looking = asyncio.create_task(world.one.supervise())
    async with asyncio.timeout(5):
        while world.rooms.did("dispatch") < 3:
            await asyncio.sleep(0)
    slow.set()
    await looking
    assert world.rooms.did("dispatch") == 4


async def test_hundreds_of_calls_without_a_job_dont_ask_a_late_livekit_all_at_once() -> None:
    world = World()
    for number in range(3 * LOOKED_AFTER_AT_ONCE):
        one = replace(arrival(), call=CallId(f"SCL_{number}"), room=f"call-_{number}")
        world.now += 0.001
        await world.one.arrived(one)
        world.rooms.there[one.call] = one
    asked: list[str] = []
    answers, present = asyncio.Event(), world.rooms.present

    async def late(room: str) -> Present:
        asked.append(room)
        await answers.wait()
        return await present(room)

    world.rooms.present = late  # type: ignore[method-assign]
    world.now += JOB_WITHIN
    looking = asyncio.create_task(world.one.supervise())
    for _ in range(1000):
        await asyncio.sleep(0)
    assert asked == [f"call-_{number}" for number in range(LOOKED_AFTER_AT_ONCE)], "who waits longest comes first"
    answers.set()
    await looking
    assert len(asked) == 3 * LOOKED_AFTER_AT_ONCE


async def test_a_call_that_found_no_worker_is_sent_for_again_when_one_is_back() -> None:
    world = World()
    await world.one.arrived(arrival())
    world.rooms.there[CALL] = arrival()
    await world.one.hurry(Pool.AGENTS)
    assert world.rooms.did("dispatch") == 1, "it may be on its way"
    world.now += 0.6
    await world.one.hurry(Pool.HOUSE)
    assert world.rooms.did("dispatch") == 1, "it is another pool's"
    await asyncio.gather(world.one.hurry(Pool.AGENTS), world.two.hurry(Pool.AGENTS))
    assert world.rooms.did("dispatch") == 2
    call = await world.store.get(CALL)
    assert call
    assert await world.store.take(CALL, call.epoch, "AJ_1", 3.0)
    world.now += 0.6
    await world.one.hurry(Pool.AGENTS)
    assert world.rooms.did("dispatch") == 2
