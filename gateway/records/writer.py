"""The writer: reads the stream of events and keeps the rows. Each control runs one; replicas share the stream.

An event is acknowledged only after the transaction that holds its rows and its id has committed. If the process dies
between the two it is read again, found written, and skipped. If the database doesn't answer, the writer holds what
it has read and tries again until it does; the stream keeps the rest.
"""

from __future__ import annotations

import asyncio
import os
import socket
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

import structlog
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, SQLAlchemyError, StatementError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from gateway.errors import Unavailable
from gateway.metrics import counter, gauge, seconds
from gateway.records import bookings, donotcall, missed, notices, rows
from gateway.records.engine import whole
from gateway.records.model import BadEvent, Change, changes
from gateway.terms.event import Event, Kind

WRITTEN = counter("record_events", "Events that became rows", "kind")
SWITCHES = counter(
    "engine_switches", "Times that another provider began to serve a call", "engine", "provider", "reason"
)
"""`provider` is who served before, and `reason` why no longer: auth wants an operator."""
UNREADABLE = counter("record_events_unreadable", "Events that could not become rows", "kind")
RETRIES = counter("record_retries", "Times the stream or the database did not answer the record writer", "what")
WRITE_SECONDS = seconds("record_write", "One transaction of the record writer")
LAG = gauge("record_lag_seconds", "Age of the oldest event in the writer's last batch when its rows were committed")

_BATCH = 100
_WAIT = 1.0
"""Seconds one read waits for events."""
_STEPS = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
"""Seconds between tries, the last for ever."""
_TRANSACTION = 30.0
"""Seconds a transaction may take before it counts as hung."""
_REMEMBERED = 7 * 86400.0
"""Seconds the ids of written events are kept; the stream gives none again after that."""
_FORGET_EVERY = 3600.0


_ROWS_FAULT = (DataError, IntegrityError)
_REFUSING_STATES = frozenset({"22", "23", "54"})
"""SQLSTATE classes: data exception, integrity violation, program limit exceeded."""
_NO_ANSWER = (Unavailable, SQLAlchemyError, OSError, TimeoutError)
_T = TypeVar("_T")


class Stream(Protocol):
    """What the writer needs of `gateway.calls.store.port.CallStore`."""

    async def read(self, consumer: str, *, count: int, wait: float) -> Sequence[Event]:
        """The next events for the writers, those never acknowledged first."""
        ...

    async def ack(self, events: Sequence[Event]) -> None:
        """Say that the events are written."""
        ...


@dataclass(frozen=True, slots=True)
class _Readable:
    event: Event
    changes: Sequence[Change]


class Writer:
    """Turns the stream into rows. `run` until cancelled; `drain` once when the process stops."""

    def __init__(
        self,
        store: Stream,
        engine: AsyncEngine,
        *,
        clock: Callable[[], float] = time.time,
        consumer: str = "",
        wake: Callable[[], None] = lambda: None,
        leads_to: Sequence[str] = (),
    ) -> None:
        """`engine` is migrated (`gateway.app.records.open_records`). `clock`: seconds since the epoch. `consumer`:
        this writer's name in the stream's group; "" for host and process, which no other live process has. `wake` is
        called after a commit that put something in the outbox. `leads_to`: addresses that every lead is told to."""
        self._store = store
        self._engine = engine
        self._clock = clock
        self._consumer = consumer or f"{socket.gethostname()}-{os.getpid()}"
        self._forgot = float("-inf")
        self._wake, self._leads_to = wake, leads_to
        self._log = structlog.get_logger(__name__)

    async def run(self) -> None:
        """Write events as they come, until cancelled. Outlives any outage of the stream or the database."""
        while True:
            await self._store_to_rows(wait=_WAIT)

    async def drain(self) -> None:
        """Write what is in the stream now, and return; bound it with asyncio.timeout. `run` must have ended.

        Control calls it last when it stops, so that the calls which ended a moment before are in the records."""
        while await self._store_to_rows(wait=0.0):
            pass

    async def _store_to_rows(self, *, wait: float) -> bool:
        events = await self._steadily("stream", lambda: self._store.read(self._consumer, count=_BATCH, wait=wait))
        if not events:
            return False
        readable = [entry for event in events if (entry := self._read(event))]
        await self._steadily("database", lambda: self._write(readable))
        await self._steadily("stream", lambda: self._store.ack(events))
        LAG.set(max(0.0, self._clock() - min(event.at for event in events)))
        return True

    def _read(self, event: Event) -> _Readable | None:
        try:
            return _Readable(event, changes(event))
        except BadEvent as bad:
            self._give_up(event, bad)
            return None

    async def _write(self, readable: Sequence[_Readable]) -> None:
        if not readable:
            return
        try:
            await self._transaction(readable)
        except StatementError as bad:
            if not _is_rows_fault(bad):
                raise
            # One event holds what the database refuses: it must not keep the others out.
            for entry in readable:
                await self._write_alone(entry)

    async def _write_alone(self, entry: _Readable) -> None:
        try:
            await self._transaction([entry])
        except StatementError as bad:
            if not _is_rows_fault(bad):
                raise
            self._give_up(entry.event, bad)

    async def _transaction(self, readable: Sequence[_Readable]) -> None:
        started: dict[str, float] = {}
        for entry in readable:
            row = entry.changes[0].row
            call, at = str(row["id"]), float(str(row["started"]))
            started[call] = min(at, started.get(call, at))
        with WRITE_SECONDS.time():
            fresh, put_in = await whole(self._commit(readable, started))
        if put_in:
            self._wake()
        for entry in fresh:
            _count(entry.event)

    async def _commit(
        self, readable: Sequence[_Readable], started: Mapping[str, float]
    ) -> tuple[Sequence[_Readable], bool]:
        async with asyncio.timeout(_TRANSACTION), self._engine.begin() as connection:
            await rows.lock_calls(connection, started)
            return await self._apply(connection, readable)

    async def _apply(
        self, connection: AsyncConnection, readable: Sequence[_Readable]
    ) -> tuple[Sequence[_Readable], bool]:
        """Lay what isn't written yet on the rows, in the transaction that also notes it as written; what was laid, and
        whether something went to the outbox."""
        now = self._clock()
        known = await rows.applied(connection, [_key(entry.event) for entry in readable])
        fresh: dict[str, _Readable] = {}
        for number, entry in enumerate(readable):
            if (key := _key(entry.event)) not in known:
                fresh.setdefault(key or str(number), entry)  # told twice, it may be twice in one batch
        new = list(fresh.values())
        await rows.apply_changes(connection, [change for entry in new for change in entry.changes])
        events = [entry.event for entry in new]
        put_in = await notices.note(connection, events, now, self._leads_to)
        await bookings.note(connection, events, now)
        await donotcall.note(connection, events)  # which cancels what is booked
        await missed.note(connection, events)
        await rows.note_applied(connection, {_key(entry.event) for entry in new} - {""}, now)
        if now - self._forgot >= _FORGET_EVERY:
            await rows.forget_applied(connection, now - _REMEMBERED)
            self._forgot = now
        return new, put_in

    def _give_up(self, event: Event, why: Exception) -> None:
        UNREADABLE.labels(event.kind).inc()
        self._log.error(
            "an event could not become a row", call=event.call, kind=event.kind, id=event.id, error=_first_line(why)
        )

    async def _steadily(self, what: str, act: Callable[[], Awaitable[_T]]) -> _T:
        """`act`, again and again until it is done; an outage is told once and its end too."""
        tries = 0
        while True:
            try:
                done = await act()
            except _NO_ANSWER as bad:
                RETRIES.labels(what).inc()
                tell = self._log.debug if tries else self._log.warning
                tell("the record writer waits", of=what, error=_first_line(bad))
                await asyncio.sleep(_STEPS[min(tries, len(_STEPS) - 1)])
                tries += 1
            else:
                if tries:
                    self._log.info("the record writer goes on", of=what, tries=tries)
                return done


def _count(event: Event) -> None:
    WRITTEN.labels(event.kind).inc()
    if event.kind is Kind.ENGINE:
        engine, before, why = (str(event.data.get(part) or "") for part in ("engine", "before", "why"))
        SWITCHES.labels(engine, before, why).inc()


def _key(event: Event) -> str:
    """By what an event is known as written: its own id, however often it was told, else the stream's."""
    return event.uid or event.id


def _is_rows_fault(bad: StatementError) -> bool:
    """Whether the database, or its driver, refused a value: trying again would not help."""
    if isinstance(bad, _ROWS_FAULT) or not isinstance(bad, DBAPIError):
        return True  # what isn't a DBAPIError failed before it was sent
    state = getattr(bad.orig, "sqlstate", None) or ""
    # asyncpg's own check of a value is an interface error to SQLAlchemy, as a lost connection is.
    return state[:2] in _REFUSING_STATES or isinstance(bad.driver_exception, ValueError)


def _first_line(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"
