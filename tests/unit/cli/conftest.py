"""Records for the commands to show."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from gateway.app.records import open_records
from gateway.config import Settings
from gateway.records.writer import Writer
from gateway.terms.call import CallId
from gateway.terms.event import Event, Kind
from gateway.up import runfile

SERVED, CALLBACK, REJECTED = "SCL_AbCdEfGh1234", "SCL_AbXyEfGh1234", "SCL_qqqqEfGh1234"


class Tape:
    """A stream that is read once."""

    def __init__(self, events: Sequence[Event]) -> None:
        self.events = events

    async def read(self, consumer: str, *, count: int, wait: float) -> Sequence[Event]:
        events, self.events = self.events, []
        return events

    async def ack(self, events: Sequence[Event]) -> None:
        pass


def told(start: float) -> list[Event]:
    """A served call an hour ago, a callback three days ago, a rejected call now; `start` is now."""
    events: list[Event] = []

    def tell(call: str, kind: Kind, at: float, /, **data: object) -> None:
        events.append(Event(CallId(call), kind, start + at, data, f"{len(events)}-0"))

    for call, at, caller in ((SERVED, -3600.0, "+15105550142"), (CALLBACK, -3 * 86400.0, None)):
        tell(
            call,
            Kind.OPENED,
            at,
            room="call-x",
            dialed="+15105550100",
            caller=caller,
            trunk="ST_1",
            route="front",
            plan="3f2a99e1c0ffee00",
            agent="sales",
            pool="agents",
        )
        tell(call, Kind.DISPATCHED, at + 0.02, epoch=1, dispatch="AD_1")
        tell(call, Kind.TAKEN, at + 0.1, epoch=1, job="AJ_1")
        tell(call, Kind.ANSWERED, at + 0.3)
        tell(
            call,
            Kind.TURN,
            at + 4,
            seq=1,
            speaker="agent",
            text="Your name?",
            interrupted=True,
            latencies={"llm_node_ttft": 0.21, "tts_node_ttfb": 0.1, "e2e_latency": 0.92},
        )
        tell(call, Kind.TURN, at + 6, seq=2, speaker="caller", text="It's \x1b[31mAda [red]Lovelace[/red]")
        tell(call, Kind.TURN, at + 7, seq=3, speaker="keypad", text="48213#")
        tell(
            call,
            Kind.FACTS,
            at + 7,
            kind="lead",
            complete=True,
            fields={"name": "Ada Lovelace", "team_size": 40, "tools": ["phone", "mail"], "decides": True},
        )
        tell(call, Kind.HANGUP, at + 30, by="caller")
    tell(SERVED, Kind.SIP, -3570.0, status=200, text="OK", codec="PCMU")
    tell(SERVED, Kind.ENDED, -3569.0, ending="served")
    tell(
        CALLBACK,
        Kind.FACTS,
        -3 * 86400.0 + 9,
        kind="ticket",
        fields={"problem": "no dial tone", "ticket_number": "sealed:1:q83v"},
        complete=False,
    )
    tell(CALLBACK, Kind.CALLBACK, -3 * 86400.0 + 9, number="+15105550177", reason="asked for a person", promised=start)
    tell(CALLBACK, Kind.SWITCHED, -3 * 86400.0 + 9, agent="human", reason="asked for a person")
    tell(CALLBACK, Kind.ENDED, -3 * 86400.0 + 31, ending="callback")
    tell(REJECTED, Kind.REJECTED, -1.0, status=404, reason="no trunk or rule", dialed="+15105550900")
    return events  # fmt: skip


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty state directory that the commands use, at 80 columns, in a zone of its own."""
    for name, value in {"OFFHOOK_STATE": str(tmp_path), "COLUMNS": "80", "TZ": "America/Los_Angeles"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("DATABASE_URL", raising=False)
    time.tzset()
    yield tmp_path
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def records(state: Path) -> Path:
    """The state directory with three calls in its database."""
    write(state, told(time.time()))
    return state


def runs(state: Path, records: Path) -> None:
    """A gateway runs on a state directory, and keeps its records in another."""
    runfile.write(state, runfile.RunFile(
        pid=os.getpid(), sip="", livekit_url="", livekit_api_key="", livekit_api_secret="", redis_url="",
        database_url=f"sqlite+aiosqlite:///{records}/offhook.db", speech_url="", http={}, started=0.0))  # fmt: skip


def write(state: Path, events: Sequence[Event]) -> None:
    """Put events into the database of a state directory."""

    async def fill() -> None:
        engine = await open_records(Settings.model_validate({"OFFHOOK_STATE": state}))
        await Writer(Tape(events), engine).drain()
        await engine.dispose()

    asyncio.run(fill())
