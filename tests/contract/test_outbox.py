"""The outbox, on each database: written with what it tells of, delivered at least once under one id."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Sequence

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.config import Settings
from gateway.operate.composing import told_too
from gateway.records import rows
from gateway.records.notices import WORDS_WITHIN
from gateway.records.outbox import GIVE_UP_AFTER, LEASE, URGENT_LEASE, Due, Outbox, put
from gateway.records.schema import CALLS, DELIVERIES
from gateway.terms.delivery import Content, Delivery, Why, asked, from_json
from gateway.terms.event import Event, Kind
from tests.contract.outbox import CALL, NOW, claim, write
from tests.contract.test_records import Died

ANA, HOOK = "mailto:ana@example.com", "https://example.com/hook"
OPENED = Event(CALL, Kind.OPENED, NOW, {"caller": "+15105550142", "dialed": "+15105550100", "route": "night"}, "1-0")
LEFT = Event(CALL, Kind.MESSAGE, NOW + 1, {"id": "m1", "file": "m1.ogg", "seconds": 7.5, "size": 9, "because": "closed",
                                           "team": "sales", "notify": [ANA, HOOK, ANA]}, "2-0")  # fmt: skip
WORDS = Event(CALL, Kind.TRANSCRIBED, NOW + 9, {"id": "m1", "text": "call me"}, "3-0")


def heads(dues: Sequence[Due]) -> list[tuple[str, str, int]]:
    return sorted((due.address, due.kind, due.tries) for due in dues)


async def test_the_first_delivery_waits_a_little_for_the_words(engine: AsyncEngine, outbox: Outbox) -> None:
    await write(engine, OPENED, LEFT)
    assert await claim(outbox, NOW + WORDS_WITHIN - 1) == ()
    await write(engine, WORDS, at=NOW + 9)
    found = await claim(outbox, NOW + 9)
    assert heads(found) == [(HOOK, "message", 1), (ANA, "message", 1)]
    row = await outbox.about(found[0])
    assert row is not None
    assert (row["transcript"], row["caller"], row["seconds"], row["team"], row["route"]) == (
        "call me", "+15105550142", 7.5, "sales", "night",
    )  # fmt: skip


async def test_words_that_are_there_before_the_message_are_not_waited_for(engine: AsyncEngine, outbox: Outbox) -> None:
    await write(engine, WORDS)
    await write(engine, LEFT)
    assert len(await claim(outbox, NOW)) == 2


async def test_words_that_come_late_have_a_delivery_of_their_own(engine: AsyncEngine, outbox: Outbox) -> None:
    await write(engine, OPENED, LEFT)
    late = NOW + WORDS_WITHIN + 5
    for due in await claim(outbox, late):
        await outbox.delivered(due, late)
    await write(engine, WORDS, at=late + 100)
    assert heads(await claim(outbox, late + 100)) == [(HOOK, "transcript", 1), (ANA, "transcript", 1)]


async def test_words_that_went_with_a_later_try_are_not_told_again(engine: AsyncEngine, outbox: Outbox) -> None:
    await write(engine, LEFT)
    first = NOW + WORDS_WITHIN + 1
    for due in await claim(outbox, first):
        assert await outbox.failed(due, "down", first)
    await write(engine, WORDS, at=first + 5)
    # The words' own due is due at once; the message's is tried again with them a little later.
    async with engine.begin() as connection:
        await connection.execute(DELIVERIES.update().where(DELIVERIES.c.kind == "transcript").values(due=first + 1000))
    for due in await claim(outbox, first + 60):
        row = await outbox.about(due)
        assert row is not None
        assert (due.kind, row["transcript"], due.tries) == ("message", "call me", 2)
        await outbox.delivered(due, first + 60, also=told_too(due, row))
    assert await claim(outbox, first + 1e6) == ()


async def test_a_silent_message_has_no_words_to_tell(engine: AsyncEngine, outbox: Outbox) -> None:
    await write(engine, LEFT)
    late = NOW + WORDS_WITHIN + 5
    for due in await claim(outbox, late):
        await outbox.delivered(due, late)
    await write(engine, Event(CALL, Kind.TRANSCRIBED, late, {"id": "m1", "text": ""}, "3-0"), at=late)
    assert await claim(outbox, late + 1e6) == ()


async def test_a_message_told_twice_has_one_delivery_for_each_address(engine: AsyncEngine, outbox: Outbox) -> None:
    await write(engine, LEFT, Event(CALL, Kind.MESSAGE, NOW + 2, LEFT.data, "again"))
    assert len(await claim(outbox, NOW + WORDS_WITHIN)) == 2


async def test_message_and_deliveries_are_written_both_or_neither(
    engine: AsyncEngine, outbox: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def dies(*_: object) -> None:
        raise Died

    with monkeypatch.context() as patch:
        patch.setattr(rows, "note_applied", dies)
        with pytest.raises(Died):
            await write(engine, LEFT)
    assert await claim(outbox, NOW + 1e6) == ()
    await write(engine, LEFT)
    assert len(await claim(outbox, NOW + 1e6)) == 2


async def test_what_is_claimed_is_nobody_elses_until_its_try_is_over(
    settings: Settings, engine: AsyncEngine, outbox: Outbox
) -> None:
    await write(engine, LEFT)
    now = NOW + WORDS_WITHIN
    claims = await asyncio.gather(*(claim(outbox, now) for _ in range(5)))
    ids = [due.id for claim in claims for due in claim]
    assert len(ids) == len(set(ids)) == 2
    assert await claim(outbox, now + LEASE - 1) == ()
    again = await claim(outbox, now + LEASE)  # whoever claimed them has died
    assert sorted(due.id for due in again) == sorted(ids)
    assert {due.tries for due in again} == {2}


async def test_tries_grow_apart_and_end_after_a_day(engine: AsyncEngine, outbox: Outbox) -> None:
    await write(engine, Event(CALL, Kind.MESSAGE, NOW, {"id": "m1", "notify": [ANA]}, "2-0"))
    now, times = NOW + WORDS_WITHIN, []
    while True:
        (due,) = await claim(outbox, now)
        times.append(now)
        if not await outbox.failed(due, "down", now):
            break
        async with engine.connect() as connection:
            now = await connection.scalar(select(DELIVERIES.c.due))
    gaps = [after - before for before, after in itertools.pairwise(times)]
    assert gaps == sorted(gaps)
    assert (gaps[0], gaps[-1]) == (15.0, 3600.0)
    assert GIVE_UP_AFTER - 3600 <= times[-1] - NOW < GIVE_UP_AFTER
    assert await claim(outbox, NOW + 1e9) == ()


async def test_erasing_the_call_erases_its_deliveries(engine: AsyncEngine, outbox: Outbox) -> None:
    await write(engine, LEFT)
    async with engine.begin() as connection:
        await connection.execute(CALLS.delete())
    assert await claim(outbox, NOW + 1e6) == ()


async def test_what_a_call_asks_for_is_delivered_once_to_each_address(engine: AsyncEngine, outbox: Outbox) -> None:
    content = Content("Ana rings", "Take it.", {"need": "chairs"}, {"a.ics": "BEGIN:VCALENDAR"})
    card = asked(CALL, NOW, kind=Why.CARD, subject="ring 1", to=[ANA, HOOK, ANA], content=content, urgent=True)
    await write(engine, card)
    await write(engine, card)
    found = await claim(outbox, NOW, urgent=True)
    assert heads(found) == [(HOOK, "card", 1), (ANA, "card", 1)]
    assert {due.content == content for due in found} == {True}
    assert {(due.subject, due.call, due.made) for due in found} == {("ring 1", CALL, NOW)}
    again = asked(CALL, NOW, kind=Why.CARD, subject="ring 2", to=[ANA], content=content, urgent=True)
    await write(engine, again)
    assert len(await claim(outbox, NOW, urgent=True)) == 1


async def test_urgent_ones_have_a_lane_and_a_short_lease(engine: AsyncEngine, outbox: Outbox) -> None:
    content = Content("t", "b")
    await write(engine, *(asked(CALL, NOW, kind=kind, subject="", to=[HOOK], content=content, urgent=kind == "alarm")
                          for kind in ("alarm", "digest")))  # fmt: skip
    assert heads(await claim(outbox, NOW)) == [(HOOK, "digest", 1)]
    assert heads(await claim(outbox, NOW, urgent=True)) == [(HOOK, "alarm", 1)]
    (again,) = await claim(outbox, NOW + URGENT_LEASE, urgent=True)
    assert await outbox.failed(again, "down", NOW)
    assert heads(await claim(outbox, NOW + 2, urgent=True)) == [(HOOK, "alarm", 3)]


async def test_what_nobody_needs_any_more_is_not_tried_again(engine: AsyncEngine, outbox: Outbox) -> None:
    await write(engine, asked(CALL, NOW, kind="card", subject="", to=[HOOK], content=Content("t", "b"), until=NOW + 10))
    (due,) = await claim(outbox, NOW)
    assert not await outbox.failed(due, "down", NOW)
    assert await claim(outbox, NOW + 1e6) == ()


async def test_a_receiver_that_asks_to_wait_is_left_alone(engine: AsyncEngine, outbox: Outbox) -> None:
    await write(engine, asked(CALL, NOW, kind="alarm", subject="", to=[HOOK], content=Content("t", "b")))
    (due,) = await claim(outbox, NOW)
    assert await outbox.failed(due, "busy", NOW, wait=100.0)
    assert await claim(outbox, NOW + 99) == ()
    (due,) = await claim(outbox, NOW + 100)
    assert not await outbox.failed(due, "gone", NOW, again=False)


async def test_what_tells_of_no_call_needs_none(engine: AsyncEngine, outbox: Outbox) -> None:
    digest = Delivery(kind=Why.DIGEST, subject="2026-11-28", address=ANA, content=Content("t", "b"), due=NOW + 5)
    for _ in range(2):
        async with engine.begin() as connection:
            await put(connection, digest, NOW)
    assert await claim(outbox, NOW) == ()
    (due,) = await claim(outbox, NOW + 5)
    assert (due.id, due.call, await outbox.about(due)) == (digest.id, "", {})


async def test_an_ask_that_cannot_be_read_stops_nothing(engine: AsyncEngine, outbox: Outbox) -> None:
    bad = Event(CALL, Kind.DELIVER, NOW, {"kind": 7.5, "to": ["x", None, {}], "content": [], "due": "soon"}, "1-0")
    await write(engine, bad, Event(CALL, Kind.DELIVER, NOW, {"to": 3}, "2-0"))
    (due,) = await claim(outbox, NOW)
    assert (due.kind, due.content) == ("7.5", None)
    assert from_json({"title": "t", "fields": [1], "files": {"a": 1}}) == Content("t", "")
