"""What was found in a database, remembered for as long as nobody writes to it. Whoever looks every second or quicker, and
mostly finds nothing new, asks here first: a query costs control some milliseconds, to know that there is no need of one
some microseconds.

SQLite tells it at once, without a transaction (PRAGMA data_version). Other databases don't, and are asked each time.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, Generic, TypeVar

from sqlalchemy import Select
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.records.engine import sqlite_file

_T = TypeVar("_T")
Mark = tuple[int, int]
"""The state of a database: equal to the last one while nothing was committed in between."""


class Changes:
    """Whether a database has changed. Close it."""

    def __init__(self, address: str = "") -> None:
        """`address`: of the database, as `gateway.records.engine.connect` has it; "" for one of which nothing is known."""
        self._file = sqlite_file(address) if address else None
        self._connection: sqlite3.Connection | None = None
        self._opened = 0

    def mark(self) -> Mark | None:
        """The state of now; None where it isn't known. Take it before what is to be remembered is read."""
        if self._file is None:
            return None
        try:
            if self._connection is None:
                self._opened += 1
                self._connection = sqlite3.connect(f"{self._file.absolute().as_uri()}?mode=rw", uri=True, timeout=0.0)
            [(version,)] = self._connection.execute("PRAGMA data_version").fetchall()
        except sqlite3.Error:  # who asks the database itself says what is wrong with it
            self.close()
            return None
        return self._opened, int(version)

    def close(self) -> None:
        """Give the file back."""
        if self._connection is not None:
            with suppress(sqlite3.Error):
                self._connection.close()
            self._connection = None


UNKNOWN = Changes()
"""Of a database of which nothing is known."""


class Empty:
    """Whether a query finds nothing, asked again once the database has changed."""

    def __init__(self, looking: AsyncEngine, query: Select[Any], changes: Changes) -> None:
        """`query` mustn't hold a time: what it finds may only change with the database."""
        self._looking, self._query, self._changes = looking, query.limit(1), changes
        self._seen: Mark | None = None
        self._empty = False

    async def __call__(self) -> bool:
        """False also where it would have to be asked each time. Raises SQLAlchemy's errors."""
        mark = self._changes.mark()
        if mark is None:
            return False
        if mark != self._seen:
            async with self._looking.connect() as connection:
                self._empty = (await connection.execute(self._query)).first() is None
            self._seen = mark
        return self._empty


class Remembered(Generic[_T]):
    """What was found at a time, until the database changes, or time alone changes what it would give."""

    def __init__(self, changes: Changes) -> None:
        self._changes = changes
        self._kept: tuple[Mark, float, float, _T] | None = None

    async def at(self, now: float, ask: Callable[[], Awaitable[tuple[_T, float]]]) -> _T:
        """What there is at `now` (seconds since the epoch). `ask` gives it, and the time from which it may be otherwise
        though nothing is written. Raises what `ask` raises."""
        mark = self._changes.mark()
        if self._kept is not None:
            seen, since, until, found = self._kept
            if mark == seen and since <= now < until:
                return found
        found, until = await ask()
        self._kept = (mark, now, until, found) if mark is not None else None
        return found
