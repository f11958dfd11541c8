"""How calls end and are recorded, whatever is cut off between."""

from __future__ import annotations

import asyncio

import pytest

from gateway.bus.callstate import Status
from gateway.calls.store.memory import MemoryStore
from gateway.dispatch.dispatcher import Dispatcher
from gateway.errors import Unavailable
from gateway.terms.ending import Party
from gateway.terms.event import Event, Kind
from tests.unit.dispatch.world import CALL, World, arrival, state


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
