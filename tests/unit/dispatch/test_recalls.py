"""A callback's call is made when its time has come: once, whichever control, and never where or when it mustn't be."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from gateway.callbacks.machine import Booking, Ended, State, Tell, booked
from gateway.callbacks.port import LEASE, MemoryBookings
from gateway.calls.store.memory import MemoryStore
from gateway.calls.store.port import Full
from gateway.dialplan.plan import Plan
from gateway.dispatch.recalls import Recalls, call_of
from gateway.donotcall.port import Entry, MemoryDoNotCall
from gateway.errors import Unavailable
from gateway.terms.act import Recall
from gateway.terms.call import Call, CallId
from gateway.terms.callback import Terms
from gateway.terms.event import Event
from gateway.terms.personal import Number
from tests.unit.dialplan.plans import plan as read_plan

NY = ZoneInfo("America/New_York")
NOON = datetime(2026, 11, 30, 12, tzinfo=NY).timestamp()  # a Monday
THEIRS = Number("+12125550142")
PLAN = """
offhook: 1
timezone: America/New_York
country: US
outbound: {countries: [US]}
numbers: {+15105550100: sales}
routes: {sales: {team: sales, unanswered: callback}}
people: {ana: {call: +1 510 555 0111}}
teams: {sales: {members: [ana], hours: "Mon-Fri 9-17"}}
"""


class Begins:
    """Makes calls once, as the dispatcher does."""

    def __init__(self) -> None:
        self.made: list[Call] = []
        self.full = self.dies = False

    async def begin(self, call: Call, told: Event) -> None:
        assert told.call == call.id
        if self.full:
            raise Full("house")
        if call.id not in [one.id for one in self.made]:
            self.made.append(call)
        if self.dies:
            raise Unavailable("the control dies here")


class World:
    def __init__(self, plan: Plan) -> None:
        self.now, self.bookings, self.unwanted, self.begins = NOON, MemoryBookings(), MemoryDoNotCall(), Begins()
        self.talks = False
        """Whether the call in which it was booked goes on."""
        self.broken = ""
        """A callback that can't be looked at."""
        self.recalls = self.control(plan)

    def control(self, plan: Plan) -> Recalls:
        async def known(one: Booking) -> tuple[str, Mapping[str, object]]:
            if one.id == self.broken:
                raise ValueError("what is known of it can't be read")
            return "+15105550100", {"name": "Ada", "company": "Acme", "need": "phones"}

        async def talks(call: CallId) -> bool:
            return self.talks if call == "SCL_a" else call in [one.id for one in self.begins.made]

        return Recalls(self.bookings, self.unwanted, self.begins, lambda: plan, known, talks, lambda: self.now)

    async def book(self, at: float = NOON, number: Number = THEIRS, team: str = "sales") -> Booking:
        made = booked(CallId("SCL_a"), number, at, 3600.0, NOON - 60, Terms(team, "America/New_York", None, 2, 900.0))
        await self.bookings.book(made)
        return made

    async def state(self, one: Booking) -> Booking:
        found = await self.bookings.get(one.id)
        assert found is not None
        return found


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(read_plan(tmp_path, PLAN))


async def test_when_its_time_has_come_its_call_is_made_once(world: World, tmp_path: Path) -> None:
    one = await world.book(NOON + 60)
    await world.recalls.look()
    assert world.begins.made == []
    world.now += 60
    other = world.control(read_plan(tmp_path, PLAN))
    await asyncio.gather(world.recalls.look(), other.look(), world.recalls.look())
    (call,) = world.begins.made
    assert (call.id, call.sip_identity, call.caller, call.dialed) == (
        f"CB_{one.id}-1",
        "leg-callee",
        THEIRS,
        Number("+15105550100"),
    )
    assert isinstance(call.act, Recall)
    assert call.act.whisper[0] == "Call from Ada of Acme."
    assert call.ours
    world.now += 9999
    await world.recalls.look()
    assert len(world.begins.made) == 1


@pytest.mark.parametrize("made", [True, False], ids=["after", "before"])
async def test_a_control_that_dies_as_it_makes_the_call_loses_and_doubles_nothing(world: World, made: bool) -> None:
    one = await world.book()
    if made:
        world.begins.dies = True
        await world.recalls.look()
    else:
        assert await world.bookings.claim(one.id, world.now) is not None
    world.begins.dies = False
    await world.recalls.look()
    world.now += LEASE
    await world.recalls.look()
    assert [call.id for call in world.begins.made] == [f"CB_{one.id}-1"]
    world.now += LEASE
    await world.recalls.look()
    assert len(world.begins.made) == 1


@pytest.mark.parametrize("made", [False, True])
async def test_who_is_entered_once_a_control_has_died_on_the_callback_is_not_called(world: World, made: bool) -> None:
    one = await world.book()
    if made:
        world.begins.dies = True
        await world.recalls.look()
    else:
        assert await world.bookings.claim(one.id, world.now) is not None
    await world.unwanted.add(Entry(THEIRS, world.now))
    world.begins.dies, world.now = False, world.now + LEASE
    await world.recalls.look()
    assert (await world.state(one)).state is (State.DUE if made else State.CANCELLED), (
        "a call that is made has its own end"
    )
    assert not list(await world.bookings.due(world.now + 9999))


async def test_one_that_breaks_keeps_none_of_those_behind_it(world: World) -> None:
    world.broken = (await world.book(NOON - 1)).id
    other = await world.book(number=Number("+12125550143"))
    await world.recalls.look()
    assert [call.id for call in world.begins.made] == [f"CB_{other.id}-1"]
    world.now += 3601
    await world.recalls.look()
    assert (await world.bookings.get(world.broken)).breached, "somebody hears of it"  # type: ignore[union-attr]


async def test_a_run_in_vain_is_followed_by_another(world: World) -> None:
    one = await world.book()
    await world.recalls.look()
    await world.bookings.step(one.id, Ended(CallId(f"CB_{one.id}-1"), talked=False), world.now + 60)
    world.now += 60 + 900
    await world.recalls.look()
    first, second = world.begins.made
    assert (first.id, second.id) == (f"CB_{one.id}-1", f"CB_{one.id}-2")
    assert isinstance(second.act, Recall)
    assert second.act.last


async def test_a_caller_who_is_on_the_line_with_us_still_is_not_called(world: World) -> None:
    await world.book()
    world.talks = True
    await world.recalls.look()
    assert world.begins.made == []
    world.talks, world.now = False, world.now + 120
    await world.recalls.look()
    assert len(world.begins.made) == 1


async def test_outside_the_team_s_hours_it_waits_for_them(world: World) -> None:
    world.now = datetime(2026, 11, 30, 19, tzinfo=NY).timestamp()
    one = await world.book(world.now)
    await world.recalls.look()
    assert world.begins.made == []
    off = await world.state(one)
    assert (off.state, off.at) == (State.BOOKED, datetime(2026, 12, 1, 9, tzinfo=NY).timestamp())
    assert [told.what for told in await world.bookings.to_tell()] == [Tell.BOOKED, Tell.MOVED], (
        "they were promised today"
    )


async def test_a_team_that_is_away_for_long_is_alarmed_of_whom_it_was_to_call(world: World, tmp_path: Path) -> None:
    away = PLAN.replace('"Mon-Fri 9-17"', '{open: "Mon-Fri 9-17", closed_on: [2026-12-01 - 2026-12-31]}')
    world.recalls = world.control(read_plan(tmp_path, away))
    world.now = datetime(2026, 12, 1, 12, tzinfo=NY).timestamp()
    one = await world.book(world.now)
    for _ in range(3):
        await world.recalls.look()
        world.now += 3601
    assert world.begins.made == []
    assert (await world.state(one)).breached, "and not put off for ever unnoticed"
    assert Tell.LATE in [told.what for told in await world.bookings.to_tell()]


async def test_at_night_where_the_callee_is_nobody_calls(world: World) -> None:
    world.now = datetime(2026, 11, 30, 9, 30, tzinfo=NY).timestamp()
    one = await world.book(world.now, Number("+18085550142"))  # Hawaii
    await world.recalls.look()
    assert world.begins.made == []
    assert (await world.state(one)).at == datetime(2026, 11, 30, 13, tzinfo=NY).timestamp()


@pytest.mark.parametrize(
    ("wall", "rings", "at"),
    [
        ((20, 30), 120.0, (30, 20, 30)),
        ((20, 58, 30), 90.0, (30, 20, 58, 30)),
        ((20, 59, 30), 0.0, (1, 8)),
        ((21, 0), 0.0, (1, 8)),
    ],
)
async def test_a_team_is_rung_only_while_the_callee_may_still_be_called_today(
    world: World, tmp_path: Path, wall: tuple[int, ...], rings: float, at: tuple[int, ...]
) -> None:
    world.recalls = world.control(read_plan(tmp_path, PLAN.replace('"Mon-Fri 9-17"', "24/7")))
    world.now = datetime(2026, 11, 30, *wall, tzinfo=NY).timestamp()
    one = await world.book(world.now)
    await world.recalls.look()
    acts = [call.act for call in world.begins.made]
    assert [act.at_most for act in acts if isinstance(act, Recall)] == ([rings] if rings else [])
    assert all(
        isinstance(act, Recall) and act.until == datetime(2026, 11, 30, 21, tzinfo=NY).timestamp() for act in acts
    )
    day = datetime(2026, 11 if at[0] == 30 else 12, *at, tzinfo=NY)
    assert (await world.state(one)).at == day.timestamp()


async def test_who_has_asked_not_to_be_called_is_not(world: World) -> None:
    one = await world.book()
    await world.unwanted.add(Entry(THEIRS, NOON))
    await world.recalls.look()
    assert world.begins.made == []
    assert (await world.state(one)).state is State.CANCELLED


@pytest.mark.parametrize(("number", "team"), [("+442079460000", "sales"), ("+12125550142", "gone")])
async def test_what_the_plan_does_not_allow_is_left_to_somebody(world: World, number: str, team: str) -> None:
    one = await world.book(number=Number(number), team=team)
    await world.recalls.look()
    assert world.begins.made == []
    left = await world.state(one)
    assert (left.state, left.by_hand) == (State.BOOKED, True)
    assert not list(await world.bookings.due(world.now + 9999))


async def test_where_there_is_no_room_it_is_made_a_little_later(world: World) -> None:
    await world.book()
    world.begins.full = True
    await world.recalls.look()
    world.begins.full = False
    world.now += LEASE
    await world.recalls.look()
    assert len(world.begins.made) == 1


async def test_a_late_one_is_told_once(world: World) -> None:
    one = await world.book(team="")
    world.now += 3601
    await world.recalls.look()
    await world.recalls.look()
    assert (await world.state(one)).breached == world.now
    assert [told.what for told in await world.bookings.to_tell()].count(Tell.LATE) == 1


async def test_the_call_can_be_kept_as_any_other(world: World) -> None:
    one = replace(await world.book(), tries=1)
    call = call_of(one, world.recalls._plan(), "+15105550100", {}, NOON)
    store = MemoryStore(lambda: 0.0)
    assert await store.open(call)
    assert await store.get(call.id) == call
