"""Jobs for calls: one each, another where one doesn't come or dies, and what becomes of whom none serves."""

from __future__ import annotations

import asyncio

import pytest

from gateway.bus.callstate import Status
from gateway.conduct.script import ANSWER_WITHIN
from gateway.dispatch.decide import FALLS, LASTS, STEADY, TRIES, TRIES_AGENT
from gateway.dispatch.dispatcher import Dispatcher
from gateway.errors import Unavailable
from gateway.terms.call import Phase
from gateway.terms.event import Event, Kind
from gateway.terms.times import THERE_WITHIN, patience
from tests.unit.dispatch.world import CALL, JOB_WITHIN, World, arrival, state


async def test_many_hints_dispatch_one_job() -> None:
    world = World()
    hints = [world.one.arrived(arrival()), world.two.arrived(arrival(joined=False))]
    await asyncio.gather(*hints, world.one.heard(state(Status.INCOMING)), world.two.heard(state(Status.INCOMING)))
    assert world.rooms.done == [("dispatch", "offhook-agents", '{"call": "SCL_1", "epoch": 1, "late": 0}')]
    assert sorted(await world.kinds()) == [Kind.DISPATCHED, Kind.OPENED]
    call = await world.store.get(CALL)
    assert call
    assert call.dispatch == "AD_1"


async def test_a_rejected_caller_is_turned_away_once_they_are_there() -> None:
    world = World()
    await world.one.arrived(arrival("+15105550900", joined=False))
    assert world.rooms.done == []
    await asyncio.gather(world.one.arrived(arrival("+15105550900")), world.two.arrived(arrival("+15105550900")))
    assert ("turn away", "603") in world.rooms.done
    kinds = await world.kinds()
    assert [kinds.count(kind) for kind in (Kind.OPENED, Kind.REJECTED, Kind.ENDED)] == [1, 1, 1]


async def test_another_job_is_sent_when_none_came_and_only_one_by_two_replicas() -> None:
    world = World()
    await world.one.arrived(arrival())
    world.rooms.there[CALL] = arrival()
    world.now += JOB_WITHIN
    await asyncio.gather(world.one.supervise(), world.two.supervise())
    assert world.rooms.did("dispatch") == 2
    sent, withdrawn = world.rooms.done[-2:]
    assert sent == ("dispatch", "offhook-agents", '{"call": "SCL_1", "epoch": 2, "late": 0}')
    assert withdrawn == ("withdraw", "agent", "AD_old"), "the next job is on its way first"
    await world.one.supervise()
    assert world.rooms.did("dispatch") == 2, "the new job has its time too"


@pytest.mark.parametrize("taken", [True, False])
async def test_a_call_that_is_given_back_gets_another_job_at_once_and_once(taken: bool) -> None:
    world = World()
    await world.one.arrived(arrival())
    world.rooms.there[CALL] = arrival()
    if taken:
        assert await world.store.take(CALL, 1, "AJ_1", 3.0)
    await world.store.release(CALL, 1, "AJ_1")
    await world.store.release(CALL, 1, "AJ_1")
    await asyncio.gather(*(one.replace_lost(0.01) for one in (world.one, world.two, world.one)))
    assert world.rooms.did("dispatch") == 2
    known = await world.store.get(CALL)
    assert known
    assert known.epoch == 2


async def pools_after(jobs: int, seconds: float, *, heard: bool) -> set[str]:
    """The pools whose jobs were sent for once so many have died, each so many seconds after it came."""
    world = World()
    await world.one.arrived(arrival())
    world.rooms.there[CALL] = arrival()
    for epoch in range(1, jobs + 1):
        assert await world.store.take(CALL, epoch, "AJ", 3.0)
        if heard:
            await world.store.tell(Event(CALL, Kind.ANSWERED, world.now, {"epoch": epoch}))
        world.now += seconds
        assert await world.store.take(CALL, epoch, "AJ", 3.0)
        await world.store.release(CALL, epoch, "AJ")
        await world.one.replace_lost(0.01)
    return {one[1] for one in world.rooms.done if one[0] == "dispatch"}


async def test_jobs_that_die_now_and_then_use_no_tries_up() -> None:
    assert await pools_after(9, LASTS, heard=True) == {"offhook-agents"}


async def test_jobs_that_fall_soon_are_followed_by_the_house_in_the_end() -> None:
    """An agent that crashes six seconds after its first word would be back for ever."""
    assert await pools_after(10, STEADY + 1, heard=True) == {"offhook-agents"}, "who kills them has a reason"
    assert await pools_after(FALLS + TRIES, STEADY + 1, heard=True) == {"offhook-agents", "offhook-house"}


async def test_jobs_that_hold_a_call_and_never_get_to_its_caller_use_tries_up() -> None:
    """A worker whose media is blocked gives each call back after ten seconds."""
    assert await pools_after(1, ANSWER_WITHIN, heard=False) == {"offhook-agents"}
    assert await pools_after(2, ANSWER_WITHIN, heard=False) == {"offhook-agents", "offhook-house"}


async def test_who_is_heard_by_no_job_is_turned_away_while_they_ring() -> None:
    world = World()
    await world.one.arrived(arrival())
    world.rooms.there[CALL] = arrival()
    for epoch in range(1, 4):
        assert await world.store.take(CALL, epoch, "AJ", ANSWER_WITHIN + 1)
        world.now += ANSWER_WITHIN
        await world.store.release(CALL, epoch, "AJ")
        await world.one.replace_lost(0.01)
    assert [one[1] for one in world.rooms.done if one[0] == "dispatch"] == ["offhook-agents"] * 2 + ["offhook-house"]
    assert world.rooms.done[-2:] == [("turn away", "503"), ("close",)]


async def test_no_job_is_replaced_by_who_learns_just_then_that_its_lease_may_have_run_out_in_a_standstill() -> None:
    world, asked = World(), list[float]()

    async def ask() -> None:
        asked.append(world.now)
        world.settled = False

    waking = Dispatcher(
        world.store, world.rooms, lambda: world.plan, settled=lambda: world.settled, ask=ask, clock=lambda: world.now
    )
    await waking.arrived(arrival())
    world.rooms.there[CALL] = arrival()
    assert await world.store.take(CALL, 1, "AJ_1", 3.0)
    await waking.supervise()
    assert not asked, "a lease says enough"
    world.now += 30.0
    await waking.supervise()
    assert asked
    assert world.rooms.did("dispatch") == 1


async def test_a_job_that_holds_the_call_is_left_alone_until_it_is_gone() -> None:
    world = World()
    await world.one.arrived(arrival())
    world.rooms.there[CALL] = arrival()
    assert await world.store.take(CALL, 1, "AJ_1", 3.0)
    world.now += 2.9
    assert await world.store.take(CALL, 1, "AJ_1", 3.0)
    world.now += 2.9
    await world.one.supervise()
    assert world.rooms.did("dispatch") == 1
    world.now += 0.2
    await world.one.supervise()
    assert world.rooms.did("dispatch") == 2


@pytest.mark.parametrize("hung", [False, True], ids=["lease", "beats"])
async def test_jobs_that_live_and_are_late_are_followed_ever_more_slowly(hung: bool) -> None:
    """On a machine that is too busy each new job makes it busier; one that is dead is followed at once."""
    world = World()
    await world.one.arrived(arrival())
    world.rooms.there[CALL] = arrival()
    waited = []
    for epoch in range(1, 6):
        call = await world.store.get(CALL)
        assert call
        within = patience(call.late)
        assert await world.store.take(CALL, epoch, "AJ", within)
        taken = world.now
        if hung:
            world.now += within
            await world.store.release(CALL, epoch, "AJ", silent=True)
            await world.one.replace_lost(0.01)
        while world.rooms.did("dispatch") == epoch:
            world.now += 0.5
            await world.one.supervise()
        waited.append(world.now - taken)
    assert waited[:3] == [3.0, 6.0, 10.0]
    call = await world.store.get(CALL)
    assert call
    assert await world.store.take(CALL, call.epoch, "AJ", 10.0)
    await world.store.release(CALL, call.epoch, "AJ")
    await world.one.replace_lost(0.01)
    assert world.rooms.did("dispatch") == 7


@pytest.mark.parametrize("served", [True, False], ids=["served", "of a dead server"])
async def test_whoever_is_in_the_room_of_a_call_that_has_ended_is_put_out_or_their_room_deleted(served: bool) -> None:
    world = World()
    await world.one.arrived(arrival())
    await world.one.gone(CALL)
    closed = world.rooms.did("close")
    world.rooms.there[CALL] = arrival()
    world.rooms.unreachable = not served
    await world.one.reconcile()
    assert (world.rooms.did("turn away"), world.rooms.did("close") - closed) == ((1, 0) if served else (0, 1))


async def test_a_room_of_no_call_in_which_only_people_are_who_were_rung_is_deleted_after_a_while() -> None:
    world = World()
    await world.one.arrived(arrival())
    world.rooms.callerless = frozenset(
        {"call-_x", "call-_y"}
    )  # the first is the live call's, whose caller is on the way
    for seconds in (0.0, 5.0, 5.0):
        world.now += seconds
        await world.one.reconcile()
    assert not world.rooms.did("close")
    world.now += 2.0
    await world.one.reconcile()
    assert world.rooms.did("close") == 1
    world.rooms.callerless = frozenset()
    await world.one.reconcile()
    assert world.rooms.did("close") == 1


async def test_a_call_that_no_job_takes_goes_to_the_house_and_then_its_caller_is_turned_away() -> None:
    world = World()
    await world.one.arrived(arrival())
    world.rooms.there[CALL] = arrival()
    for _ in range(TRIES_AGENT + TRIES + 2):
        world.now += JOB_WITHIN
        await world.one.supervise()
    pools = [one[1] for one in world.rooms.done if one[0] == "dispatch"]
    assert pools == ["offhook-agents"] * TRIES_AGENT + ["offhook-house"] * (TRIES - 1)
    assert world.rooms.done[-2:] == [("turn away", "503"), ("close",)], "nobody is left in the room"
    ended = [event for event in await world.events() if event.kind is Kind.ENDED]
    assert [event.data["ending"] for event in ended] == ["lost"]


async def bridged(world: World) -> None:
    """A caller who talks with the leg `ana`, by a job that has died."""
    await world.one.arrived(arrival())
    world.rooms.there[CALL] = arrival()
    world.rooms.legs.add("leg-ana")
    assert await world.store.take(CALL, 1, "AJ_1", 3.0)
    call = await world.store.get(CALL)
    assert call
    assert await world.store.keep(CALL, 1, call.stop, "{}", "ana")


async def test_two_who_talk_are_never_parted_for_want_of_a_job() -> None:
    world = World()
    await bridged(world)
    for _ in range(TRIES + 3):
        world.now += patience(1)
        await world.one.supervise()
    assert not world.rooms.did("turn away")
    assert world.rooms.did("dispatch") == TRIES + 4
    assert not world.rooms.did("close")


@pytest.mark.parametrize("told", [True, False], ids=["told", "noticed"])
async def test_a_human_who_leaves_a_call_without_a_job_ends_it(told: bool) -> None:
    world = World()
    await bridged(world)
    await world.one.parted("call-_x", "leg-ana", lost=False)
    assert not world.rooms.did("close"), "a job has the call: it sees by itself"
    world.now += JOB_WITHIN
    await world.one.parted("call-_x", "leg-ana", lost=False)
    assert not world.rooms.did("close"), "the leg is there: its SIP service has only reconnected"
    world.rooms.legs.clear()
    await world.one.parted("call-_x", "leg-ben", lost=False)
    assert not world.rooms.did("close")
    await (world.one.parted("call-_x", "leg-ana", lost=False) if told else world.one.supervise())
    assert world.rooms.did("close") == 1
    assert world.rooms.did("dispatch") == 1
    ends = {event.kind: event.data for event in await world.events()}
    assert ends[Kind.HANGUP]["by"] == "human"
    assert ends[Kind.ENDED]["ending"] == "served"


async def test_no_job_is_sent_after_a_caller_who_has_left() -> None:
    world = World()
    await world.one.arrived(arrival())
    world.now += THERE_WITHIN
    await world.one.supervise()
    assert world.rooms.did("dispatch") == 1
    call = await world.store.get(CALL)
    assert call
    assert call.phase is Phase.ENDED


async def test_a_job_that_livekit_didnt_let_come_uses_no_try_up_and_the_last_one_goes() -> None:
    """The caller has been answered, and LiveKit's API is away for longer than two jobs may take."""
    world = World()
    await world.one.arrived(arrival())
    world.rooms.there[CALL] = arrival()
    assert await world.store.take(CALL, 1, "AJ", 3.0)
    await world.store.tell(Event(CALL, Kind.ANSWERED, world.now, {"epoch": 1}))
    world.rooms.down = True
    for _ in range(TRIES):
        world.now += patience(1)
        await world.one.supervise()
    assert world.rooms.done[1:] == [("withdraw", "agent", "AD_old")] * TRIES
    world.rooms.down = False
    world.now += patience(1)
    await world.one.supervise()
    sent = [one[1] for one in world.rooms.done if one[0] == "dispatch"]
    assert sent == ["offhook-agents"] * 2
    known = await world.store.get(CALL)
    assert known
    assert known.tries == 2


async def test_a_dispatch_that_failed_is_made_later() -> None:
    world = World()
    world.rooms.down = True
    with pytest.raises(Unavailable):
        await world.one.arrived(arrival())
    world.rooms.down = False
    world.rooms.there[CALL] = arrival()
    world.now += JOB_WITHIN
    await world.two.supervise()
    assert world.rooms.done[-2] == (
        "dispatch",
        "offhook-agents",
        '{"call": "SCL_1", "epoch": 2, "late": 0}',
    )
