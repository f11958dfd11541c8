"""What is remembered of a database is what it holds, whoever writes to it; and it is asked no more than it must be."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.callbacks.machine import Cancelled, Tell, booked
from gateway.config import Settings
from gateway.dialplan.version import Source
from gateway.records.bookings import SqlBookings
from gateway.records.changes import UNKNOWN, Changes
from gateway.records.engine import connect
from gateway.records.missed import MissedHandoffs
from gateway.records.outbox import Outbox
from gateway.records.plans import Overrides, Plans
from gateway.records.rows import lock_calls
from gateway.terms.call import CallId
from gateway.terms.callback import Terms
from gateway.terms.personal import Number

NOW, CALL = 1_800_000_000.0, CallId("SCL_a")


class Asked:
    """How often an engine was asked."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.times = 0
        event.listen(engine.sync_engine, "before_cursor_execute", self._asks)

    def _asks(self, *_: object) -> None:
        self.times += 1


@asynccontextmanager
async def looking_at(settings: Settings) -> AsyncIterator[tuple[AsyncEngine, Asked]]:
    """An engine that only reads, as control has one."""
    made = connect(settings.database, writes=False)
    yield made, Asked(made)
    await made.dispose()


@pytest.fixture
def tells(settings: Settings) -> bool:
    """Whether the database says by itself that nobody has written to it."""
    return settings.database.startswith("sqlite")


async def save(plans: Plans, content: str, now: float, effective: float | None = None) -> None:
    files = {"main.yaml": content.encode()}
    await plans.apply(files, content=content, author="ana", now=now, effective=effective, source=Source.APPLY)


async def test_a_plan_counts_at_the_next_look_and_at_its_time(
    settings: Settings, engine: AsyncEngine, changes: Changes, tells: bool
) -> None:
    async with looking_at(settings) as (looking, asked):
        writes, plans = Plans(engine), Plans(engine, looking, changes)

        async def content(now: float) -> str:
            live = await plans.live(now)
            return live.content if live is not None else ""

        assert await content(NOW) == ""
        await save(writes, "a", NOW)
        assert await content(NOW + 1) == "a"
        await save(writes, "b", NOW + 2, effective=NOW + 100)
        assert await content(NOW + 2) == "a"
        before = asked.times
        assert await content(NOW + 99) == "a"
        assert (asked.times == before) == tells, "nothing can have changed"
        assert await content(NOW + 100) == "b", "nobody wrote, but its time has come"
        assert await content(NOW + 50) == "a", "a clock that is put back"
        assert await writes.withdraw(2, NOW + 60)
        assert await content(NOW + 101) == "a"


async def test_what_is_overridden_counts_at_the_next_look_and_until_its_time(
    settings: Settings, engine: AsyncEngine, changes: Changes, tells: bool
) -> None:
    async with looking_at(settings) as (looking, asked):
        writes, overrides = Overrides(engine), Overrides(engine, looking, changes)

        async def subjects(now: float) -> list[str]:
            return [one.subject for one in await overrides.active(now)]

        assert await subjects(NOW) == []
        await writes.add("closed", "sales", NOW + 10, "", "ana", NOW)
        await writes.add("closed", "support", NOW + 20, "", "ana", NOW)
        assert await subjects(NOW + 1) == ["sales", "support"]
        before = asked.times
        assert await subjects(NOW + 9) == ["sales", "support"]
        assert (asked.times == before) == tells
        assert await subjects(NOW + 10) == ["support"]
        await writes.end(["closed"], "support", "ana", NOW + 11)
        assert await subjects(NOW + 11) == []


async def test_who_finds_nothing_asks_no_more(
    settings: Settings, engine: AsyncEngine, changes: Changes, tells: bool
) -> None:
    async with looking_at(settings) as (looking, asked):
        bookings, missed = SqlBookings(engine, looking, changes), MissedHandoffs(engine, looking, changes)
        outbox = Outbox(engine, looking, changes)

        async def look(now: float) -> None:
            assert not [*await bookings.due(now), *await bookings.late(now), *await bookings.to_tell()]
            assert not [*await missed.fresh(now), *await outbox.claim(now, 1, urgent=True)]

        await look(NOW)
        before = asked.times
        await look(NOW + 100)
        assert (asked.times == before) == tells
        await Overrides(engine).add("closed", "sales", NOW + 10, "", "ana", NOW)
        await look(NOW + 101)
        assert asked.times > before, "something was written: it may be theirs"


async def test_what_is_over_may_yet_be_told_of(settings: Settings, engine: AsyncEngine, changes: Changes) -> None:
    async with engine.begin() as connection:
        await lock_calls(connection, {CALL: NOW})
    async with looking_at(settings) as (looking, _):
        bookings = SqlBookings(engine, looking, changes)
        assert not await bookings.to_tell()
        booking = booked(
            CALL, Number("+15105550142"), NOW, 3600.0, NOW, Terms("sales", "", ((NOW, NOW + 9000),), 2, 900.0)
        )
        await bookings.book(booking)
        await bookings.told(booking.id, Tell.BOOKED)
        await bookings.step(booking.id, Cancelled("us"), NOW)
        assert [one.what for one in await bookings.to_tell()]
        assert not await bookings.due(NOW)


def test_of_a_database_that_cannot_be_read_nothing_is_known(settings: Settings) -> None:
    assert UNKNOWN.mark() is None
    there = Changes(settings.database)
    assert there.mark() is None, "it isn't made by looking at it"
    there.close()


async def test_one_that_is_opened_anew_is_another(changes: Changes, engine: AsyncEngine, tells: bool) -> None:
    before = changes.mark()
    assert (before is not None) == tells
    assert changes.mark() == before
    changes.close()
    assert not tells or changes.mark() != before
