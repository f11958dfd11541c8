"""Tests of the dispatcher on the memory store, with rooms that only remember what was asked of them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.app.catalogue import load as catalogue
from gateway.bus.callstate import CallState, Status
from gateway.calls.store.memory import MemoryStore
from gateway.calls.store.port import Asked
from gateway.dialplan.load import load
from gateway.dialplan.plan import Plan
from gateway.dialplan.state import State
from gateway.dispatch.decide import ASK_COUNTS, STEADY, TRIES, TRIES_AGENT, Arrival
from gateway.dispatch.dispatcher import Dispatcher
from gateway.dispatch.rooms import Present, Rooms
from gateway.errors import Unavailable
from gateway.terms.act import Because, Onward, Wait
from gateway.terms.call import Call, CallId, Phase, Pool
from gateway.terms.ending import Party
from gateway.terms.event import Event, Kind
from gateway.terms.personal import Number
from gateway.terms.times import THERE_WITHIN, patience

CALL = CallId("SCL_1")
JOB_WITHIN = patience(0)


@dataclass
class Remembering(Rooms):
    """Rooms whose callers are `there`."""

    there: dict[CallId, Arrival] = field(default_factory=dict)
    done: list[tuple[str, ...]] = field(default_factory=list)
    down: bool = False
    callerless: frozenset[str] = frozenset()
    unreachable: bool = False
    """Whoever is listed was served by a livekit-server that is dead."""
    legs: set[str] = field(default_factory=set)

    async def callers(self) -> Mapping[CallId, Arrival]:
        return dict(self.there)

    async def has(self, room: str, identity: str) -> bool:
        return identity in self.legs or any(one.identity == identity for one in self.there.values())

    async def dispatch(self, agent_name: str, room: str, metadata: str) -> str:
        if self.down:
            raise Unavailable("LiveKit doesn't answer.")
        self.done.append(("dispatch", agent_name, metadata))
        return f"AD_{len(self.done)}"

    async def present(self, room: str) -> Present:
        return Present(frozenset({*self.legs, *(one.identity for one in self.there.values())}), ["agent"], ["AD_old"])

    async def withdraw(self, room: str, old: Present) -> None:
        self.done.append(("withdraw", *old.agents, *old.dispatches))

    async def turn_away(self, room: str, identity: str, status: int) -> bool:
        if self.unreachable:
            raise Unavailable("LiveKit doesn't answer.")
        self.done.append(("turn away", str(status)))
        return True

    async def close(self, room: str) -> None:
        self.done.append(("close",))

    def did(self, what: str) -> int:
        return sum(one[0] == what for one in self.done)


class World:
    """One dispatcher, or two of them, on one store."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.told: list[Event] = []
        self.store, self.rooms = MemoryStore(lambda: self.now), Remembering()
        plan = load(Path(__file__).parents[3] / "dialplans", catalogue(), datetime(2026, 11, 23, 15, tzinfo=UTC)).plan
        assert plan
        self.plan = plan
        self.settled = True
        self.one, self.two = (
            Dispatcher(self.store, self.rooms, lambda: plan, settled=lambda: self.settled, clock=lambda: self.now)
            for _ in range(2)
        )

    async def events(self) -> list[Event]:
        fresh = await self.store.read("test", count=100, wait=0.01)
        await self.store.ack(fresh)
        self.told.extend(fresh)
        return self.told

    async def kinds(self) -> list[Kind]:
        return [event.kind for event in await self.events()]


def arrival(dialed: str = "+15105550100", *, joined: bool = True) -> Arrival:
    return Arrival(CALL, "call-_x", "sip_1", Number(dialed), Number("+15105550177"), "ST_1", joined=joined)


def state(status: Status, room: str = "call-_x", **changes: object) -> CallState:
    told = CallState(str(CALL), room, status, 200, "OK", Party.CALLER, "PCMU/8000", Number("+15105550177"),
                     Number("+15105550100"), 1001.0, "ST_1", "sip_1")  # fmt: skip
    return replace(told, **changes)  # type: ignore[arg-type]  # names of CallState's


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


async def test_jobs_that_die_now_and_then_use_no_tries_up() -> None:
    world = World()
    await world.one.arrived(arrival())
    world.rooms.there[CALL] = arrival()
    for epoch in range(1, 8):
        assert await world.store.take(CALL, epoch, "AJ", 3.0)
        world.now += STEADY
        assert await world.store.take(CALL, epoch, "AJ", 3.0)
        await world.store.release(CALL, epoch, "AJ")
        await world.one.replace_lost(0.01)
    assert {one[1] for one in world.rooms.done if one[0] == "dispatch"} == {"offhook-agents"}


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
    await world.one.parted("call-_x", "leg-ana")
    assert not world.rooms.did("close"), "a job has the call: it sees by itself"
    world.now += JOB_WITHIN
    await world.one.parted("call-_x", "leg-ana")
    assert not world.rooms.did("close"), "the leg is there: its SIP service has only reconnected"
    world.rooms.legs.clear()
    await world.one.parted("call-_x", "leg-ben")
    assert not world.rooms.did("close")
    await (world.one.parted("call-_x", "leg-ana") if told else world.one.supervise())
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


async def test_a_dispatch_that_failed_is_made_later() -> None:
    world = World()
    world.rooms.down = True
    with pytest.raises(Unavailable):
        await world.one.arrived(arrival())
    world.rooms.down = False
    world.rooms.there[CALL] = arrival()
    world.now += JOB_WITHIN
    await world.two.supervise()
    assert world.rooms.done[-2] == ("dispatch", "offhook-agents", '{"call": "SCL_1", "epoch": 2, "late": 0}')


async def test_a_look_at_the_rooms_finds_who_no_hint_told_of() -> None:
    world = World()
    world.rooms.there[CALL] = arrival()
    await world.one.reconcile()
    await world.two.reconcile()
    assert world.rooms.did("dispatch") == 1


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

    async def edges(now: float) -> frozenset[str]:
        return frozenset(running)

    one = Dispatcher(world.store, world.rooms, lambda: world.plan, edges=edges, clock=lambda: world.now)
    await one.arrived(there)
    assert await world.store.take(CALL, 1, "AJ_1", 1000.0)
    world.rooms.there[CALL] = there
    await one.reconcile()
    assert world.rooms.did("close") == 0
    running.discard("dead")
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


async def test_a_caller_whose_call_has_ended_is_put_out() -> None:
    world = World()
    await world.one.arrived(arrival("+15105550900"))
    world.rooms.there[CALL] = arrival("+15105550900")
    await world.one.reconcile()
    assert world.rooms.done[-1] == ("turn away", "603"), "the first try may have failed"


async def test_the_end_is_told_with_what_the_sip_service_says() -> None:
    world = World()
    await world.one.arrived(arrival())
    await world.store.tell(Event(CALL, Kind.TURN, 1001.0))
    await world.one.heard(state(Status.DISCONNECTED))
    await world.one.heard(state(Status.DISCONNECTED))
    told = {event.kind: event.data for event in await world.events()}
    assert told[Kind.SIP]["status"] == 200
    assert told[Kind.ENDED] == {"ending": "served"}
    assert (await world.kinds()).count(Kind.ENDED) == 1


async def test_an_end_that_is_told_right_after_the_arrival_ends_the_call() -> None:
    world = World()
    hints = [state(Status.INCOMING), state(Status.DISCONNECTED, sip_status=487)]
    await asyncio.gather(*(world.one.heard(hint) for hint in hints))
    assert await world.store.live() == []


async def test_a_call_that_matched_nothing_is_recorded() -> None:
    world = World()
    await world.one.heard(state(Status.ERROR, room="", sip_status=404, sip_text="Not Found", by=Party.GATEWAY))
    assert set(await world.kinds()) == {Kind.SIP, Kind.REJECTED, Kind.ENDED}


async def test_another_applications_call_is_none_of_ours() -> None:
    world = World()
    for status in (Status.INCOMING, Status.ACTIVE, Status.DISCONNECTED):
        await world.one.heard(state(status, room="plain-_x"))
    assert await world.kinds() == []
    assert world.rooms.done == []


class CutOff:
    """The store, out of reach for the first `tell` of a kind: what came after it was never done."""

    def __init__(self, store: MemoryStore, kind: Kind) -> None:
        self._store, self._kind = store, kind

    def __getattr__(self, name: str) -> object:
        return getattr(self._store, name)

    async def tell(self, event: Event) -> None:
        if event.kind is self._kind:
            raise Unavailable("The call store doesn't answer.")
        await self._store.tell(event)


async def looks(world: World, times: int) -> None:
    for _ in range(times):
        world.now += 2.0
        await world.two.reconcile()
        await world.two.supervise()


async def test_a_rejection_that_was_cut_off_is_finished_by_another_control() -> None:
    world = World()
    there = world.rooms.there[CALL] = arrival("+15105550900")
    cut = Dispatcher(CutOff(world.store, Kind.REJECTED), world.rooms, lambda: world.plan, clock=lambda: world.now)  # type: ignore[arg-type]
    with pytest.raises(Unavailable):
        await cut.arrived(there)
    assert world.rooms.did("turn away") == 0
    await looks(world, 2)
    assert ("turn away", "603") in world.rooms.done
    assert await world.kinds() == [Kind.OPENED, Kind.REJECTED, Kind.ENDED]


async def test_a_call_is_opened_and_ended_in_the_record_whatever_fails_between() -> None:
    world = World()
    there = world.rooms.there[CALL] = arrival()
    world.rooms.down = True
    cut = Dispatcher(CutOff(world.store, Kind.OPENED), world.rooms, lambda: world.plan, clock=lambda: world.now)  # type: ignore[arg-type]
    with pytest.raises(Unavailable):
        await cut.arrived(there)
    world.rooms.there.clear()
    cut = Dispatcher(CutOff(world.store, Kind.ENDED), world.rooms, lambda: world.plan, clock=lambda: world.now)  # type: ignore[arg-type]
    await cut.gone(CALL)
    assert await world.kinds() == [Kind.OPENED, Kind.ENDED]


async def test_a_dispatch_that_lands_after_the_end_leaves_no_room() -> None:
    world = World()
    dispatch = world.rooms.dispatch

    async def late(agent_name: str, room: str, metadata: str) -> str:
        await world.two.gone(CALL)
        return await dispatch(agent_name, room, metadata)

    world.rooms.dispatch = late  # type: ignore[method-assign]
    await world.one.arrived(arrival(joined=False))
    assert [one[0] for one in world.rooms.done] == ["close", "dispatch", "close"]
    assert await world.kinds() == [Kind.OPENED, Kind.ENDED]


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
    await world.store.ask(Asked(CALL, before.epoch, stop, Onward(because, key), pool, world.now))
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


async def test_a_full_route_leads_to_what_comes_instead(menu: World) -> None:
    other = replace(arrival(), call=CallId("SCL_2"), room="call-_y")
    await menu.one.arrived(other)
    await led(menu, Because.KEY, "1")
    await menu.store.ask(Asked(other.call, 1, 1, Onward(Because.KEY, "1"), Pool.HOUSE, menu.now))
    await menu.one.answer(0.5)
    found = await menu.store.get(other.call)
    assert found is not None
    assert (found.route, found.because) == ("busy", "full")


async def test_a_call_goes_on_by_the_plan_that_routed_it(menu: World, tmp_path: Path) -> None:
    (tmp_path / "main.yaml").write_text(MENU.replace("1: desk", "1: busy"))
    newer = load(tmp_path, catalogue(), datetime(2026, 11, 23, 15, tzinfo=UTC)).plan
    older = menu.one._plan()
    assert newer is not None

    async def kept(version: str) -> Plan | None:
        return older if version == older.version else None

    menu.one = Dispatcher(menu.store, menu.rooms, lambda: newer, plan_of=kept, clock=lambda: menu.now)
    assert (await led(menu, Because.KEY, "1")).route == "desk"


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
    await menu.store.ask(Asked(CALL, call.epoch, call.stop, onward, Pool.AGENTS, menu.now))
    await menu.one.answer(0.5)
    assert menu.rooms.did("dispatch") == before


async def test_what_was_asked_long_ago_moves_nobody(menu: World) -> None:
    await menu.store.ask(Asked(CALL, 1, 1, Onward(Because.KEY, "1"), Pool.HOUSE, menu.now - ASK_COUNTS - 1))
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
    await world.store.ask(Asked(chooses.id, 1, 1, Onward(Because.KEY, "1"), Pool.AGENTS, world.now))
    await world.one.answer(0.5)
    led_on = await world.store.get(chooses.id)
    assert led_on is not None
    assert led_on.route == "sales", "an agent's job asks: the caller has it already"
