"""The contract of the callbacks' store, in memory and in each database; and how a call's events make and move them."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.callbacks.machine import Booking, Cancelled, Ended, Forbidden, Late, Moved, Reached, State, Tell, booked
from gateway.callbacks.port import LEASE, Bookings, MemoryBookings
from gateway.records.bookings import SqlBookings, put
from gateway.records.changes import UNKNOWN, Changes
from gateway.records.rows import lock_calls
from gateway.records.writer import Writer
from gateway.terms.call import CallId
from gateway.terms.callback import Terms
from gateway.terms.event import Event, Kind
from gateway.terms.personal import Number
from tests.contract.test_records import Tape

CALL, THEIRS = CallId("SCL_a"), Number("+15105550142")
NOW = 1_800_000_000.0
TERMS = Terms("sales", "America/New_York", ((NOW, NOW + 9000),), 2, 900.0)


@pytest.fixture(params=["memory", "sql", "sql-remembering"])
async def bookings(request: pytest.FixtureRequest, engine: AsyncEngine, changes: Changes) -> Bookings:
    async with engine.begin() as connection:
        await lock_calls(connection, {CALL: NOW, "SCL_b": NOW})
    told = changes if request.param == "sql-remembering" else UNKNOWN
    return MemoryBookings() if request.param == "memory" else SqlBookings(engine, None, told)


def a_booking(at: float = NOW, call: str = CALL, team: str = "sales") -> Booking:
    made = booked(CallId(call), THEIRS, at, 3600.0, NOW, replace(TERMS, team=team))
    return replace(made, reason="a demo; Björn’s", consent="Press 1 …", language="en-US")


async def test_a_callback_is_booked_once_and_read_back_whole(bookings: Bookings) -> None:
    assert await bookings.book(a_booking())
    assert not await bookings.book(a_booking(NOW + 60))
    assert await bookings.get(a_booking().id) == a_booking()
    assert await bookings.get("nothing") is None
    assert await bookings.step("nothing", Cancelled("us"), NOW) is None
    assert "0142" not in repr(await bookings.get(a_booking().id))


async def test_what_is_to_be_made_is_listed_the_next_first(bookings: Bookings) -> None:
    later, soon = a_booking(NOW + 900), a_booking(NOW + 60, "SCL_b")
    await bookings.book(later)
    await bookings.book(soon)
    assert [one.id for one in await bookings.listed(ended=False, limit=9)] == [soon.id, later.id]
    await bookings.step(soon.id, Cancelled("us"), NOW)
    assert [one.id for one in await bookings.listed(ended=False, limit=9)] == [later.id]
    assert {one.id for one in await bookings.listed(ended=True, limit=9)} == {soon.id, later.id}
    assert len(await bookings.listed(ended=True, limit=1)) == 1


async def test_one_control_makes_the_call_and_another_if_it_dies_before(bookings: Bookings) -> None:
    await bookings.book(a_booking(NOW + 60))
    assert not list(await bookings.due(NOW + 59))
    assert await bookings.claim(a_booking().id, NOW + 59) is None
    assert [one.id for one in await bookings.due(NOW + 60)] == [a_booking().id]
    first = await bookings.claim(a_booking().id, NOW + 60)
    assert first is not None
    assert (first.state, first.tries) == (State.DUE, 1)
    assert await bookings.claim(first.id, NOW + 61) is None
    assert not list(await bookings.due(NOW + 61))
    again = await bookings.claim(first.id, NOW + 60 + LEASE)
    assert again is not None
    assert again.run == first.run, "the same call, so that it is made once"
    await bookings.made(again)
    assert not list(await bookings.due(NOW + 999))
    assert await bookings.claim(first.id, NOW + 999) is None


async def test_two_controls_at_once(bookings: Bookings) -> None:
    await bookings.book(a_booking())
    found = await asyncio.gather(*(bookings.claim(a_booking().id, NOW) for _ in range(4)))
    assert sum(one is not None for one in found) == 1


async def test_without_a_team_nobody_calls(bookings: Bookings) -> None:
    await bookings.book(a_booking(team=""))
    assert not list(await bookings.due(NOW + 9999))
    assert await bookings.claim(a_booking().id, NOW) is None


async def test_where_the_plan_does_not_let_us_nobody_calls(bookings: Bookings) -> None:
    await bookings.book(a_booking())
    await bookings.step(a_booking().id, Forbidden("the country isn't allowed"), NOW)
    assert not list(await bookings.due(NOW + 9999))
    assert await bookings.claim(a_booking().id, NOW) is None
    assert [one.id for one in await bookings.late(NOW + 3601)] == [a_booking().id]


async def test_a_run_that_reached_nobody_is_made_again_later(bookings: Bookings) -> None:
    await bookings.book(a_booking())
    first = await bookings.claim(a_booking().id, NOW)
    assert first is not None
    await bookings.made(first)
    assert (await bookings.step(first.id, Reached(first.run, State.CALLER, "ana"), NOW + 5)) is not None
    back = await bookings.step(first.id, Ended(first.run, talked=False), NOW + 30)
    assert back is not None
    assert (back.state, back.at) == (State.BOOKED, NOW + 930)
    second = await bookings.claim(first.id, NOW + 930)
    assert second is not None
    assert second.run != first.run


async def test_what_is_to_be_told_is_told_once(bookings: Bookings) -> None:
    await bookings.book(a_booking(NOW + 100))
    which = a_booking().id
    assert [(one.booking.id, one.what) for one in await bookings.to_tell()] == [(which, Tell.BOOKED)]
    await bookings.step(which, Moved(NOW + 500), NOW)
    assert {one.what for one in await bookings.to_tell()} == {Tell.BOOKED, Tell.MOVED}
    await bookings.told(which, Tell.BOOKED)
    assert [(one.what, one.booking.sequence) for one in await bookings.to_tell()] == [(Tell.MOVED, 1)]
    await bookings.told(which, Tell.MOVED)
    await bookings.told(which, Tell.MOVED)
    assert not list(await bookings.to_tell())


async def test_a_late_one_is_found_once(bookings: Bookings) -> None:
    await bookings.book(a_booking())
    assert not list(await bookings.late(NOW + 3600))
    assert [one.id for one in await bookings.late(NOW + 3601)] == [a_booking().id]
    await bookings.step(a_booking().id, Late(), NOW + 3601)
    assert not list(await bookings.late(NOW + 9999))
    assert Tell.LATE in {one.what for one in await bookings.to_tell()}


OPENED = Event(CALL, Kind.OPENED, NOW, {"caller": THEIRS.reveal(), "dialed": "+15105550100"}, "1-0")


def asks(at: float, uid: str, **more: object) -> Event:
    terms = {"team": "sales", "zone": "America/New_York", "tries": 2, "every": 900.0}
    data = {
        "number": None,
        "reason": "a demo",
        "promised": at + 3600,
        "agreed": at,
        "terms": terms,
        "consent": "Press 1",
        **more,
    }
    return Event(CALL, Kind.CALLBACK, NOW + 9, data, f"{uid}-0", uid=uid)


async def write(engine: AsyncEngine, *events: Event) -> None:
    await Writer(Tape(events), engine, clock=lambda: NOW + 10).drain()


async def test_events_make_a_callback_and_move_it(engine: AsyncEngine) -> None:
    kept = SqlBookings(engine)
    await write(engine, OPENED, asks(NOW + 60, "2"))
    (one,) = await kept.listed(ended=True, limit=9)
    assert (one.number, one.at, one.by, one.team, one.most, one.consent) == (
        THEIRS,
        NOW + 60,
        NOW + 3660,
        "sales",
        2,
        "Press 1",
    )
    await write(engine, asks(NOW + 60, "2"))  # told twice
    await write(engine, asks(NOW + 7200, "3"))  # the caller has chosen another time
    (one,) = await kept.listed(ended=True, limit=9)
    assert (one.at, one.sequence) == (NOW + 7200, 1)


async def test_one_of_before_has_no_terms_and_is_listed(engine: AsyncEngine) -> None:
    await write(engine, OPENED, Event(CALL, Kind.CALLBACK, NOW + 9, {"number": None, "promised": NOW + 3609.0}, "2-0"))
    (one,) = await SqlBookings(engine).listed(ended=False, limit=9)
    assert (one.team, one.at, one.by) == ("", NOW + 9, NOW + 3609)


async def test_the_run_s_events_move_it_on(engine: AsyncEngine) -> None:
    kept = SqlBookings(engine)
    async with engine.begin() as connection:
        await lock_calls(connection, {CALL: NOW})
        await put(connection, a_booking())
    run = await kept.claim(a_booking().id, NOW)
    assert run is not None

    def leg(name: str, event: str, at: float) -> Event:
        return Event(run.run, Kind.LEG, NOW + at, {"leg": name, "member": "ana", "event": event}, f"{at}-0")

    for event, state in (
        (leg("sales-1", "dialed", 1), State.HUMAN),
        (leg("callee", "dialed", 2), State.CALLER),
        (leg("callee", "answered", 3), State.TALKING),
        (Event(run.run, Kind.HANGUP, NOW + 89, {"by": "human", "reason": "the two have talked"}, "8-0"), State.TALKING),
        (Event(run.run, Kind.ENDED, NOW + 90, {"ending": "served"}, "9-0"), State.DONE),
    ):
        await write(engine, event)
        found = await kept.get(run.id)
        assert found is not None
        assert found.state is state
    assert found.why == "the two have talked"
