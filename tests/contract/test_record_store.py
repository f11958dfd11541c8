"""The questions that commands ask of the records, on each database."""

from __future__ import annotations

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.config import Settings
from gateway.records import store
from gateway.records.model import changes
from gateway.records.rows import apply_changes, lock_calls
from gateway.records.schema import LEADS, TICKETS
from gateway.terms.call import CallId
from gateway.terms.event import Event, Kind

NOW = 1_800_000_000.0
FIRST, SECOND, ODD = "SCL_AbCdEfGh1234", "SCL_AbXyEfGh1234", "100%_odd"


@pytest.fixture
async def filled(engine: AsyncEngine) -> AsyncEngine:
    events = [
        Event(CallId(call), kind, NOW + at, data)
        for call, kind, at, data in [
            (FIRST, Kind.OPENED, 0.0, {"caller": "+15105550142", "dialed": "+15105550100", "agent": "sales"}),
            (FIRST, Kind.TURN, 2.0, {"seq": 2, "speaker": "caller", "text": "b"}),
            (FIRST, Kind.TURN, 1.0, {"seq": 1, "speaker": "agent", "text": "a", "latencies": {"e2e_latency": 0.5}}),
            (FIRST, Kind.FACTS, 3.0, {"kind": "lead", "fields": {"name": "Ada"}, "complete": True}),
            (FIRST, Kind.CALLBACK, 4.0, {"number": None, "reason": "asked"}),
            (SECOND, Kind.OPENED, 10.0, {"caller": None, "dialed": "+15105550100", "agent": "support"}),
            (SECOND, Kind.FACTS, 11.0, {"kind": "ticket", "fields": {"problem": "no tone"}, "complete": False}),
            (SECOND, Kind.CALLBACK, 12.0, {"number": "+15105550177"}),
            (SECOND, Kind.STOP, 13.1, {"number": 1, "route": "line", "act": "wait"}),
            (SECOND, Kind.STOP, 13.0, {"number": 0, "route": "front", "act": "choose"}),
            (SECOND, Kind.WAITING, 13.2, {"team": "sales", "event": "entered"}),
            (SECOND, Kind.LEG, 13.3, {"leg": "a", "member": "anna", "event": "dialed"}),
            (SECOND, Kind.LEG, 13.4, {"leg": "a", "event": "failed", "status": 486}),
            (SECOND, Kind.MESSAGE, 14.0, {"id": "m1", "file": "m1.ogg", "seconds": 2.5, "because": "closed"}),
            (ODD, Kind.REJECTED, 20.0, {"status": 404}),
        ]
    ]
    async with engine.begin() as connection:
        await lock_calls(connection, {event.call: event.at for event in reversed(events)})
        await apply_changes(connection, [change for event in events for change in changes(event)])
    return engine


async def test_calls_newest_first_with_what_they_left(filled: AsyncEngine) -> None:
    async with filled.connect() as connection:
        found = await store.calls(connection, limit=10)
        assert [row["id"] for row in found] == [ODD, SECOND, FIRST]
        assert [(row["turns"], bool(row["lead"]), bool(row["ticket"]), bool(row["callback"])) for row in found] == [
            (0, False, False, False), (0, False, True, True), (2, True, False, True),
        ]  # fmt: skip
        assert [bool(row["message"]) for row in found] == [False, True, False]
        assert [row["id"] for row in await store.calls(connection, limit=1)] == [ODD]
        assert [row["id"] for row in await store.calls(connection, limit=9, since=NOW + 10)] == [ODD, SECOND]


async def test_callbacks_say_whom_to_call(filled: AsyncEngine) -> None:
    async with filled.connect() as connection:
        found = await store.callbacks(connection, limit=10)
    assert [(row["call"], row["number"]) for row in found] == [(SECOND, "+15105550177"), (FIRST, "+15105550142")]


async def test_papers_know_their_call(filled: AsyncEngine) -> None:
    async with filled.connect() as connection:
        (lead,) = await store.leads(connection, limit=10)
        (ticket,) = await store.tickets(connection, limit=10)
        assert await store.leads(connection, limit=10, since=NOW + 5) == []
    assert (lead["call"], lead["fields"], lead["caller"], lead["agent"]) == (
        FIRST,
        {"name": "Ada"},
        "+15105550142",
        "sales",
    )
    assert (ticket["call"], ticket["fields"], ticket["complete"]) == (SECOND, {"problem": "no tone"}, False)


@pytest.mark.parametrize(("written", "call"), [
    (FIRST, FIRST), ("AbC", FIRST), ("SCL_AbX", SECOND), ("100%", ODD), ("100%_odd", ODD),
])  # fmt: skip
async def test_the_beginning_of_an_id_is_enough(filled: AsyncEngine, written: str, call: str) -> None:
    async with filled.connect() as connection:
        assert await store.find(connection, written) == call


@pytest.mark.parametrize("written", ["", "Ab", "SCL_Ab", "abc", "%", "_", "AbCdEfGh1234x"])
async def test_what_names_none_or_two_is_refused(filled: AsyncEngine, written: str) -> None:
    async with filled.connect() as connection:
        with pytest.raises(store.NotFound):
            await store.find(connection, written)


async def test_an_id_may_be_looked_for_among_leads_or_tickets(filled: AsyncEngine) -> None:
    async with filled.connect() as connection:
        assert await store.find(connection, "Ab", having=LEADS) == FIRST
        assert await store.find(connection, "Ab", having=TICKETS) == SECOND


async def test_a_record_is_whole_and_in_order(filled: AsyncEngine) -> None:
    async with filled.connect() as connection:
        record = await store.record(connection, FIRST)
        with pytest.raises(store.NotFound):
            await store.record(connection, "AbC")
    assert [turn["text"] for turn in record.turns] == ["a", "b"]
    assert record.turns[0]["latencies"] == {"e2e_latency": 0.5}
    assert record.lead is not None
    assert record.lead["told"] == {"name": NOW + 3}
    assert record.ticket is None
    assert [row["reason"] for row in record.callbacks] == ["asked"]


async def test_a_record_tells_the_way_the_legs_and_the_message(filled: AsyncEngine) -> None:
    async with filled.connect() as connection:
        record = await store.record(connection, SECOND)
    assert [(row["number"], row["route"]) for row in record.stops] == [(0, "front"), (1, "line")]
    assert [(row["leg"], row["member"], row["over"], row["how"], row["status"]) for row in record.legs] == [
        ("a", "anna", NOW + 13.4, "failed", 486)
    ]
    assert [(row["team"], row["event"]) for row in record.waits] == [("sales", "entered")]
    assert [(row["id"], row["seconds"], row["because"], row["done"]) for row in record.messages] == [
        ("m1", 2.5, "closed", None)
    ]


async def test_reading_needs_no_write_and_makes_nothing(settings: Settings, filled: AsyncEngine) -> None:
    async with filled.begin() as writing, store.reading(settings.database) as connection:
        await lock_calls(writing, {"SCL_new": NOW})  # a writer is busy meanwhile
        assert connection is not None
        assert len(await store.calls(connection, limit=10)) == 3


async def test_nothing_recorded_is_no_error(settings: Settings) -> None:
    async with store.reading(settings.database) as connection:
        assert connection is None
