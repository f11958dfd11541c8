"""The contract of the list of who is never called: in memory, in a real Redis, in each database; and its way from a
caller's words to a job's check."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.callbacks.machine import State, Tell, booked
from gateway.donotcall.copying import Copying
from gateway.donotcall.port import DoNotCall, Entry, MemoryDoNotCall
from gateway.donotcall.redis_list import RedisDoNotCall
from gateway.errors import Unavailable
from gateway.records.bookings import SqlBookings
from gateway.records.donotcall import IN_A_MESSAGE, SqlDoNotCall
from gateway.records.writer import Writer
from gateway.terms.call import CallId
from gateway.terms.callback import Terms
from gateway.terms.event import Event, Kind
from gateway.terms.personal import Number
from tests.contract.test_records import Tape

ANN, BEN = Number("+15105550142"), Number("+15105550143")
NOW = 1_800_000_000.0
CALL = CallId("SCL_a")


@pytest.fixture
async def copy(redis_url: str) -> AsyncIterator[RedisDoNotCall]:
    client = Redis.from_url(redis_url)
    await client.flushall()
    yield RedisDoNotCall(client)
    await client.aclose()


@pytest.fixture(params=["memory", "redis", "sql"])
async def numbers(request: pytest.FixtureRequest, copy: RedisDoNotCall, engine: AsyncEngine) -> DoNotCall:
    await copy.known()
    return {"memory": MemoryDoNotCall(), "redis": copy, "sql": SqlDoNotCall(engine)}[request.param]


def entry(number: Number, at: float = NOW, why: str = "said so in a call") -> Entry:
    return Entry(number, at, why, CALL, "caller")


async def test_a_number_is_entered_once_and_keeps_what_was_written_first(numbers: DoNotCall) -> None:
    assert not await numbers.has(ANN)
    assert await numbers.add(entry(ANN))
    assert not await numbers.add(entry(ANN, NOW + 5, "again"))
    assert await numbers.has(ANN)
    assert not await numbers.has(BEN)
    assert list(await numbers.listed()) == [entry(ANN)]


async def test_the_newest_is_listed_first(numbers: DoNotCall) -> None:
    await numbers.add(entry(ANN))
    await numbers.add(entry(BEN, NOW + 1))
    assert [one.number for one in await numbers.listed()] == [BEN, ANN]


async def test_who_wants_to_be_called_again_is_taken_off(numbers: DoNotCall) -> None:
    assert not await numbers.remove(ANN, "us", NOW)
    await numbers.add(entry(ANN, NOW + 1))
    assert await numbers.remove(ANN, "us", NOW + 2)
    assert not await numbers.has(ANN)
    assert list(await numbers.listed()) == []


async def test_what_was_said_before_does_not_come_back_and_what_is_said_later_does(numbers: DoNotCall) -> None:
    await numbers.add(entry(ANN))
    await numbers.remove(ANN, "us", NOW + 5)
    assert not await numbers.add(entry(ANN, NOW + 2))  # told late
    assert not await numbers.has(ANN)
    assert await numbers.add(entry(ANN, NOW + 9))
    assert await numbers.has(ANN)


async def test_numbers_are_shown_to_nobody_by_mistake(numbers: DoNotCall) -> None:
    await numbers.add(entry(ANN))
    assert "0142" not in repr(await numbers.listed())


async def test_while_the_copy_is_not_known_to_be_whole_nobody_unknown_is_called(copy: RedisDoNotCall) -> None:
    with pytest.raises(Unavailable):
        await copy.has(ANN)
    await copy.add(entry(ANN))
    assert await copy.has(ANN)  # entered at once, and certain
    await copy.known()
    assert not await copy.has(BEN)


async def test_the_copy_follows_the_database_and_keeps_what_a_job_has_just_entered(
    engine: AsyncEngine, copy: RedisDoNotCall
) -> None:
    truth = SqlDoNotCall(engine)
    await truth.add(entry(ANN))
    await copy.add(entry(BEN))
    await Copying(truth, copy).look()
    assert {one.number for one in await copy.listed()} == {ANN, BEN}
    assert not await copy.has(Number("+15105550144"))
    await truth.remove(ANN, "us", NOW + 1)
    await Copying(truth, copy).look()
    assert {one.number for one in await copy.listed()} == {BEN}
    await copy.add(entry(ANN, NOW + 2))  # said again; the database hears of it in a moment
    await Copying(truth, copy).look()
    assert await copy.has(ANN)


async def test_what_a_caller_says_gets_into_the_database_by_the_calls_events(engine: AsyncEngine) -> None:
    told = Event(CALL, Kind.NO_CALLS, NOW, {"number": ANN.reveal(), "why": "said so in a call"}, "1-0", uid="u")
    await Writer(Tape([told]), engine, clock=lambda: NOW).drain()
    assert list(await SqlDoNotCall(engine).listed()) == [entry(ANN)]


async def test_who_says_so_in_a_message_is_entered_too(engine: AsyncEngine) -> None:
    opened = Event(CALL, Kind.OPENED, NOW, {"caller": BEN.reveal(), "dialed": "+15105550100"}, "1-0")
    left = Event(CALL, Kind.MESSAGE, NOW + 1, {"id": "m1", "file": "m1.ogg", "seconds": 3.0}, "2-0")
    words = Event(CALL, Kind.TRANSCRIBED, NOW + 9, {"id": "m1", "text": "Please stop calling me."}, "3-0")
    await Writer(Tape([opened, left, words]), engine, clock=lambda: NOW).drain()
    assert [(one.number, one.why) for one in await SqlDoNotCall(engine).listed()] == [(BEN, IN_A_MESSAGE)]


@pytest.mark.parametrize("team", ["sales", ""], ids=["the gateway's", "by hand"])
async def test_whoever_enters_the_list_is_called_back_by_nobody(engine: AsyncEngine, team: str) -> None:
    """Nor told to anybody as late, with the request to call them."""
    opened = Event(CALL, Kind.OPENED, NOW, {"caller": ANN.reveal(), "dialed": "+15105550100"}, "0-0", uid="o")
    await Writer(Tape([opened]), engine, clock=lambda: NOW).drain()
    bookings = SqlBookings(engine)
    theirs, others = (booked(CALL, number, NOW + 9e4, 3600.0, NOW, Terms(team)) for number in (ANN, BEN))
    for one in (theirs, others):
        await bookings.book(one)
        await bookings.told(one.id, Tell.BOOKED)
    told = Event(CALL, Kind.NO_CALLS, NOW + 5, {"number": ANN.reveal(), "why": "said so in a call"}, "1-0", uid="u")
    await Writer(Tape([told]), engine, clock=lambda: NOW + 5).drain()
    found = [await bookings.get(one.id) for one in (theirs, others)]
    assert [one.state for one in found if one] == [State.CANCELLED, State.BOOKED]
    assert [(one.booking.id, one.what) for one in await bookings.to_tell()] == [(theirs.id, Tell.CANCELLED)]
    assert [one.id for one in await bookings.late(NOW + 1e6)] == [others.id]


async def test_a_callback_that_was_booked_in_the_same_breath_is_cancelled_too(engine: AsyncEngine) -> None:
    def told(kind: Kind, at: float, uid: str) -> Event:
        return Event(CALL, kind, NOW + at, {"number": ANN.reveal()}, f"{uid}-0", uid=uid)

    await Writer(
        Tape([told(Kind.CALLBACK, 1, "1"), told(Kind.NO_CALLS, 2, "2")]), engine, clock=lambda: NOW + 2
    ).drain()
    (first,) = await SqlBookings(engine).listed(ended=True, limit=9)
    assert first.state is State.CANCELLED
