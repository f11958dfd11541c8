"""The record writer and its schema: one suite, held by SQLite, and by PostgreSQL where it is installed."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import func, select, text
from sqlalchemy.engine import Connection
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from gateway.app.records import open_records
from gateway.config import Settings
from gateway.errors import SetupFault, Unavailable
from gateway.records import model, rows
from gateway.records.migrate import current, migrate, newest
from gateway.records.schema import APPLIED, CALLS, METADATA, TABLES, TURNS
from gateway.records.writer import Writer
from gateway.terms.call import CallId
from gateway.terms.event import Event, Kind

CALL, OTHER = CallId("SCL_aaaaaaaa1111"), CallId("SCL_bbbbbbbb2222")
NOW = 1_800_000_000.0


class Tape:
    """A stream as the store's port describes it: what isn't acknowledged is read again."""

    def __init__(self, events: Sequence[Event]) -> None:
        self.waiting = list(events)
        self.failures: list[Exception] = []

    async def read(self, consumer: str, *, count: int, wait: float) -> Sequence[Event]:
        self._fail()
        return self.waiting[:count]

    async def ack(self, events: Sequence[Event]) -> None:
        self._fail()
        done = {event.id for event in events}
        self.waiting = [event for event in self.waiting if event.id not in done]

    def _fail(self) -> None:
        if self.failures:
            raise self.failures.pop()


def tell(number: int, kind: Kind, /, call: CallId = CALL, **data: object) -> Event:
    return Event(call, kind, NOW + number / 7, data, f"{number}-{call[4]}")


def conversation(call: CallId) -> list[Event]:
    def say(number: int, kind: Kind, /, **data: object) -> Event:
        return tell(number, kind, call, **data)

    return [
        say(1, Kind.OPENED, room="call-x", dialed="+15105550100", caller="+15105550142", trunk="ST_1", route="sales",
            plan="v1", agent="sales", pool="agents"),
        say(2, Kind.DISPATCHED, epoch=1, dispatch="AD_1"),
        say(3, Kind.TAKEN, epoch=1, job="AJ_1"),
        say(4, Kind.ANSWERED),
        say(5, Kind.TURN, seq=1, speaker="agent", text="Hello", interrupted=True, latencies={"tts_node_ttfb": 0.1}),
        say(6, Kind.TURN, seq=2, speaker="caller", text="I need «phones» 📞", latencies={"e2e_latency": 0.7}),
        say(7, Kind.FACTS, kind="lead", fields={"need": "phones", "budget": None}, complete=False),
        say(8, Kind.FACTS, kind="lead", fields={"name": "Ada", "size": 12}, complete=True),
        say(9, Kind.FACTS, kind="ticket", fields={"problem": "no tone"}, complete=False),
        say(10, Kind.SWITCHED, agent="human", reason="asked"),
        say(11, Kind.CALLBACK, number=None, reason="asked", promised=NOW + 3600),
        say(20, Kind.STOP, number=0, route="front", act="choose", because=""),
        say(21, Kind.STOP, number=1, route="queue", act="wait", because="key"),
        say(22, Kind.WAITING, team="sales", event="entered"),
        say(23, Kind.LEG, leg="1", member="anna", number="+15105550177", event="dialed"),
        say(24, Kind.LEG, leg="1", member="anna", number="+15105550177", event="ringing", status=180),
        say(25, Kind.LEG, leg="1", event="failed", status=486, reason="Busy «Here»"),
        say(26, Kind.WAITING, team="sales", event="left", why="no_answer"),
        say(27, Kind.MESSAGE, id=f"m-{call}", file=f"m-{call}.ogg", seconds=7.25, size=20480, because="unanswered",
            team="sales", notify=["mailto:sales@example.com", "https://example.com/hook"]),
        say(28, Kind.TRANSCRIBED, id=f"m-{call}", text="Call me 📞"),
        say(29, Kind.MESSAGE_DONE, id=f"m-{call}", by="ada"),
        say(12, Kind.HANGUP, by="caller"),
        say(13, Kind.SIP, status=200, text="OK", by="unknown", codec="PCMU"),
        say(14, Kind.ENDED, ending="callback"),
    ]  # fmt: skip


BOTH = [*conversation(CALL), *conversation(OTHER)]


async def open_records_at(address: str) -> AsyncEngine:
    return await open_records(Settings.model_validate({"DATABASE_URL": address}))


async def everything(engine: AsyncEngine) -> dict[str, list[dict[str, object]]]:
    async with engine.connect() as connection:
        return {
            kind: [
                dict(row) for row in (await connection.execute(select(table).order_by(*table.primary_key))).mappings()
            ]
            for kind, table in TABLES.items()
        }


def expected(events: Sequence[Event]) -> dict[str, list[dict[str, object]]]:
    """What the model alone says."""
    folded: dict[model.Table, dict[tuple[object, ...], dict[str, object]]] = {kind: {} for kind in model.Table}
    for event in events:
        for change in model.changes(event):
            place = folded[change.table]
            place[change.key] = model.merge_change(place.get(change.key), change)
    return {
        kind: [rows._to_columns(TABLES[kind], found[key]) for key in sorted(found, key=str)]
        for kind, found in folded.items()
    }


async def test_the_database_holds_what_the_model_says(engine: AsyncEngine) -> None:
    tape = Tape(BOTH)
    await Writer(tape, engine).drain()
    assert tape.waiting == []
    assert await everything(engine) == expected(BOTH)


async def test_late_doubled_and_scattered_events_leave_the_same_rows(engine: AsyncEngine) -> None:
    scattered = random.Random(7).sample([*BOTH, *BOTH[3:9]], len(BOTH) + 6)
    retold = [Event(event.call, event.kind, event.at, event.data, f"again-{event.id}") for event in BOTH[5:12]]
    for start in range(0, len(scattered), 4):
        await Writer(Tape(scattered[start : start + 4]), engine).drain()
    await Writer(Tape(retold), engine).drain()
    assert await everything(engine) == expected(BOTH)


async def test_an_event_that_was_written_but_not_acknowledged_is_not_written_again(engine: AsyncEngine) -> None:
    tape = Tape(BOTH)
    tape.ack = _dies  # type: ignore[method-assign] # the process dies between commit and acknowledgement
    with pytest.raises(Died):
        await Writer(tape, engine).drain()
    async with engine.begin() as connection:
        await connection.execute(TURNS.delete())
    await Writer(Tape(BOTH), engine).drain()
    async with engine.connect() as connection:
        assert await connection.scalar(select(func.count()).select_from(TURNS)) == 0
        assert await connection.scalar(select(func.count()).select_from(APPLIED)) == len(BOTH)


class Died(BaseException):
    """The process's death: nothing handles it."""


async def _dies(events: Sequence[Event]) -> None:
    raise Died


async def test_a_transaction_is_whole_or_not_at_all(engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    async def dies(*_: object) -> None:
        raise Died

    with monkeypatch.context() as patch:
        patch.setattr(rows, "note_applied", dies)
        with pytest.raises(Died):
            await Writer(Tape(BOTH), engine).drain()
    assert await everything(engine) == expected([])
    await Writer(Tape(BOTH), engine).drain()
    assert await everything(engine) == expected(BOTH)


async def test_a_writer_that_is_stopped_ends_its_transaction(
    engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside, go, note = asyncio.Event(), asyncio.Event(), rows.note_applied

    async def slowly(connection: AsyncConnection, events: set[str], at: float) -> None:
        inside.set()
        await go.wait()
        await note(connection, events, at)

    monkeypatch.setattr(rows, "note_applied", slowly)
    writing = asyncio.create_task(Writer(Tape(BOTH), engine).drain())
    await inside.wait()
    writing.cancel()
    await asyncio.sleep(0)
    go.set()
    with pytest.raises(asyncio.CancelledError):
        await writing
    assert await everything(engine) == expected(BOTH)


async def test_an_outage_of_the_database_loses_and_doubles_nothing(
    engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    failures = [OperationalError("", {}, OSError("gone")), TimeoutError(), ConnectionRefusedError()]
    note = rows.note_applied

    async def sometimes(connection: AsyncConnection, events: set[str], at: float) -> None:
        await note(connection, events, at)
        if failures:
            raise failures.pop()

    monkeypatch.setattr(rows, "note_applied", sometimes)
    tape = Tape(BOTH)
    await Writer(tape, engine).drain()
    assert (failures, tape.waiting) == ([], [])
    assert await everything(engine) == expected(BOTH)


async def test_an_outage_of_the_stream_loses_and_doubles_nothing(engine: AsyncEngine) -> None:
    tape = Tape(BOTH)
    tape.failures = [Unavailable("Redis does not answer."), Unavailable("Redis does not answer.")]
    await Writer(tape, engine).drain()
    assert tape.waiting == []
    assert await everything(engine) == expected(BOTH)


async def test_an_event_that_is_told_twice_is_written_once(engine: AsyncEngine) -> None:
    told = replace(tell(1, Kind.ANSWERED), uid="job-1")
    tape = Tape([told, replace(told, id="9-x")])
    await Writer(tape, engine, consumer="a").drain()
    tape.waiting = [replace(told, id="10-x")]
    await Writer(tape, engine, consumer="a").drain()
    async with engine.connect() as connection:
        assert list(await connection.scalars(select(APPLIED.c.event))) == ["job-1"]


async def test_replicas_that_get_the_same_events_write_them_once(settings: Settings, engine: AsyncEngine) -> None:
    other = await open_records(settings)
    try:
        async with asyncio.TaskGroup() as group:
            for number, where in enumerate([engine, other, engine, other]):
                mixed = random.Random(number).sample(BOTH, len(BOTH))
                group.create_task(Writer(Tape(mixed), where, consumer=str(number)).drain())
    finally:
        await other.dispose()
    assert await everything(engine) == expected(BOTH)


NASTY = ["a\x00b", "\ud800", "x" * 20_000, "'; DROP TABLE calls; --", "🦒" * 900, 10**40, float("nan"), float("inf"),
         -(2**40), True, None, [1, {"a": "\x00"}], {"\x00": [float("nan")]}, "\x1b[2J", ""]  # fmt: skip
NAMES = """room dialed caller trunk route plan agent pool dispatch job status reason text latencies fields number
    promised by codec ending complete interrupted"""


async def test_whatever_an_event_holds_the_next_ones_are_written(engine: AsyncEngine) -> None:
    values = [{"epoch": at, "seq": at, "speaker": "caller", "kind": "lead", **dict.fromkeys(NAMES.split(), value)}
              for at, value in enumerate(NASTY)]  # fmt: skip
    events = [Event(CALL, kind, NOW + at, data, f"{kind}-{at}") for kind in Kind for at, data in enumerate(values)]
    unreadable = [Event(CALL, Kind.TURN, NOW, {}, "u1"), Event(CallId("x" * 3000), Kind.ANSWERED, NOW, {}, "u2"),
                  Event(CALL, Kind.ANSWERED, float("nan"), {}, "u3")]  # fmt: skip
    tape = Tape([*unreadable, *events, tell(20, Kind.ENDED, OTHER, ending="served")])
    await Writer(tape, engine).drain()
    assert tape.waiting == []
    found = await everything(engine)
    assert len(found["turns"]) == len(NASTY)
    assert [row["ending"] for row in found["calls"] if row["id"] == OTHER] == ["served"]


@pytest.mark.parametrize("refusal", [{"text": None}, {"text": 5}, {"seq": 2**40}, {"at": 1e300}, {"speaker": "\x00"}])
async def test_one_event_that_the_database_refuses_keeps_no_other_out(
    engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch, refusal: dict[str, object]
) -> None:
    """Not every database refuses each: then it is a row."""
    refused = tell(30, Kind.TURN, seq=9, speaker="caller", text="refused")
    real = model.changes

    def spoilt(event: Event) -> Sequence[model.Change]:
        if event.id != refused.id:
            return real(event)
        call, turn = real(event)
        return call, model.Change(turn.table, {**turn.row, **refusal})

    monkeypatch.setattr("gateway.records.writer.changes", spoilt)
    tape = Tape([refused, *BOTH])
    async with asyncio.timeout(10):
        await Writer(tape, engine).drain()
    assert tape.waiting == []
    async with engine.begin() as connection:
        await connection.execute(TURNS.delete().where(TURNS.c.seq > 2))
    assert await everything(engine) == expected(BOTH)


async def test_run_writes_as_events_come_and_stops_when_cancelled(engine: AsyncEngine) -> None:
    tape = Tape([])
    came, empty = asyncio.Event(), asyncio.Event()
    read = tape.read

    async def patient(consumer: str, *, count: int, wait: float) -> Sequence[Event]:
        if not tape.waiting:
            empty.set()
            await came.wait()
        return await read(consumer, count=count, wait=wait)

    tape.read = patient  # type: ignore[method-assign] # a stream that waits
    running = asyncio.create_task(Writer(tape, engine).run())
    async with asyncio.timeout(20):
        await empty.wait()
        empty.clear()
        tape.waiting.extend(BOTH)
        came.set()
        came = asyncio.Event()
        await empty.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert await everything(engine) == expected(BOTH)


async def test_notes_of_written_events_are_forgotten_after_a_week(engine: AsyncEngine) -> None:
    await Writer(Tape(BOTH[:3]), engine, clock=lambda: NOW).drain()
    await Writer(Tape(BOTH[3:5]), engine, clock=lambda: NOW + 8 * 86400).drain()
    async with engine.connect() as connection:
        kept = (await connection.scalars(select(APPLIED.c.event))).all()
    assert sorted(kept) == sorted(event.id for event in BOTH[3:5])


async def test_migrations_go_up_down_and_up(engine: AsyncEngine) -> None:
    await Writer(Tape(BOTH), engine).drain()
    await migrate(engine, "base")
    async with engine.connect() as connection:
        assert await connection.run_sync(lambda c: c.dialect.get_table_names(c)) == ["alembic_version"]
    await migrate(engine)
    async with engine.connect() as connection:
        assert await connection.run_sync(current) == newest()
    await Writer(Tape(BOTH), engine).drain()
    assert await everything(engine) == expected(BOTH)


@pytest.mark.parametrize(
    ("waits", "becomes"),
    [
        ([], "served"),
        ([(3, "entered", None)], "abandoned"),
        ([(3, "entered", None), (9, "left", "the caller has hung up")], "abandoned"),
        ([(3, "entered", None), (9, "left", "was put through")], "served"),
        ([(3, "entered", None), (9, "left", "nobody took the call")], "served"),
        ([(3, "entered", None), (9, "left", "was put through"), (30, "entered", None)], "abandoned"),
    ],
)
async def test_records_of_who_hung_up_while_a_team_was_rung_are_put_right(
    engine: AsyncEngine, waits: list[tuple[float, str, str | None]], becomes: str
) -> None:
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '0010'"))
    told = [Event(CallId("SCL_a"), Kind.OPENED, NOW, {"room": "call-a"}, id="1-0")]
    for at, event, why in waits:
        data = {"team": "sales", "event": event, "why": why}
        told.append(Event(CallId("SCL_a"), Kind.WAITING, NOW + at, data, id=f"{at}-1"))
    told.append(Event(CallId("SCL_a"), Kind.ENDED, NOW + 40, {"ending": "served"}, id="40-0"))
    await Writer(Tape(told), engine).drain()
    await migrate(engine)
    async with engine.connect() as connection:
        assert await connection.scalar(select(CALLS.c.ending)) == becomes
        assert await connection.run_sync(current) == newest()


async def test_migrations_and_schema_are_one(engine: AsyncEngine) -> None:
    def drift(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        return list(compare_metadata(context, METADATA))

    async with engine.connect() as connection:
        assert await connection.run_sync(drift) == []


async def test_replicas_that_start_together_migrate_once(settings: Settings) -> None:
    engines = await asyncio.gather(*(open_records(settings) for _ in range(3)))
    for engine in engines:
        assert await everything(engine) == expected([])
        await engine.dispose()


async def test_a_newer_database_is_refused_with_a_remedy(settings: Settings, engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = 'f00d'"))
    with pytest.raises(SetupFault, match="f00d") as caught:
        await open_records(settings)
    assert caught.value.remedy


async def test_erasing_a_call_erases_all_of_it(engine: AsyncEngine) -> None:
    await Writer(Tape(BOTH), engine).drain()
    async with engine.begin() as connection:
        await connection.execute(CALLS.delete().where(CALLS.c.id == CALL))
    assert await everything(engine) == expected(conversation(OTHER))


@pytest.mark.parametrize("address", [
    "nonsense", "mysql://host/db", "postgresql://user:hunter2@127.0.0.1:27001/none", "sqlite:////proc/none/offhook.db",
])  # fmt: skip
async def test_a_database_that_cannot_be_used_is_told_with_a_remedy(address: str) -> None:
    with pytest.raises(SetupFault) as caught:
        await open_records_at(address)
    assert caught.value.remedy
    assert "hunter2" not in str(caught.value)


async def test_a_file_that_is_no_database_is_told_with_a_remedy(tmp_path: Path) -> None:
    file = tmp_path / "offhook.db"
    file.write_text("this is no database, " * 100)
    with pytest.raises(SetupFault, match="not a database"):
        await open_records_at(f"sqlite:///{file}")


async def test_the_file_is_its_owners_alone(tmp_path: Path) -> None:
    engine = await open_records(Settings.model_validate({"OFFHOOK_STATE": tmp_path / "new" / "state"}))
    await Writer(Tape(BOTH), engine).drain()
    files = list((tmp_path / "new" / "state").iterdir())
    assert "offhook.db" in [file.name for file in files]
    assert all(file.stat().st_mode & 0o077 == 0 for file in files)
    await engine.dispose()
