"""Records get their end when the store has lost the call, and no other do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from sqlalchemy import select

from gateway.app.records import open_records
from gateway.calls.store.memory import MemoryStore
from gateway.config import Settings
from gateway.dispatch.sweep import OLD, WHY, Sweep
from gateway.records.schema import CALLS
from gateway.records.unended import Unended, unended
from gateway.records.writer import Writer
from gateway.terms.call import CallId
from gateway.terms.event import Event, Kind
from tests.contract.calls import a_call

BEGAN = 1_800_000_000.0


async def test_a_call_that_nobody_knows_any_more_is_ended_by_what_is_written_of_it(tmp_path: Path) -> None:
    engine = await open_records(Settings.model_validate({"OFFHOOK_STATE": str(tmp_path)}))
    now, settled = BEGAN + OLD, False
    store = MemoryStore(lambda: now)
    live = replace(a_call(), id=CallId("SCL_live"))
    await store.open(live)
    calls = ["SCL_talked", "SCL_silent", "SCL_booked", "SCL_waited", "SCL_through"]
    for call in (*map(CallId, calls), live.id):
        await store.tell(Event(call, Kind.OPENED, BEGAN, {"room": f"call-{call}"}))
    for name in ("SCL_talked", "SCL_booked", "SCL_waited", "SCL_through"):
        await store.tell(Event(CallId(name), Kind.TURN, BEGAN + 1, {"seq": 1, "speaker": "agent", "text": "Hello"}))
    await store.tell(Event(CallId("SCL_booked"), Kind.CALLBACK, BEGAN + 2, {"number": "+15105550177", "reason": "x"}))
    for name in ("SCL_waited", "SCL_through"):
        await store.tell(Event(CallId(name), Kind.WAITING, BEGAN + 2, {"team": "sales", "event": "entered"}))
    left = {"team": "sales", "event": "left", "why": "was put through"}
    await store.tell(Event(CallId("SCL_through"), Kind.WAITING, BEGAN + 3, left))
    writer = Writer(store, engine)
    await writer.drain()

    async def records(since: float, before: float) -> Sequence[Unended]:
        async with engine.connect() as connection:
            return await unended(connection, since, before)

    sweep = Sweep(store, records, lambda: settled, lambda: now)
    await sweep.look()
    assert await store.read("test", count=10, wait=0.0) == [], "the store isn't believed"
    settled = True
    await sweep.look()
    assert await store.read("test", count=10, wait=0.0) == [], "they have only just begun"
    now += 1.0
    await sweep.look()
    await sweep.look()  # as another control does at the same time
    await writer.drain()
    async with engine.connect() as connection:
        found = {row.id: row for row in await connection.execute(select(CALLS))}
    endings = {call: row.ending for call, row in found.items()}
    became = dict(zip(calls, ["served", "lost", "callback", "lost", "served"], strict=True))
    assert endings == {**became, "SCL_live": None}
    assert found["SCL_silent"].hung_up_reason == WHY
    await engine.dispose()
