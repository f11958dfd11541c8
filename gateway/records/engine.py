"""The database of records: SQLite in the state directory by default, PostgreSQL by DATABASE_URL."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any, Protocol, TypeVar

import aiosqlite
from sqlalchemy import URL, Table, event, make_url
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from gateway.errors import SetupFault

_DRIVERS = {
    "sqlite": "sqlite+aiosqlite",
    "postgres": "postgresql+asyncpg",
    "postgresql": "postgresql+asyncpg",
}
_SUPPORTED = frozenset(_DRIVERS.values())
_WAIT_MS = 10_000
_BUSY = 0.02
_CONNECT_TIMEOUT = 5.0
_COMMAND_TIMEOUT = 15.0
_T = TypeVar("_T")


def connect(address: str, *, writes: bool) -> AsyncEngine:
    """An engine on `address`; nothing is opened yet. Dispose of it when done.

    `address`: SQLAlchemy's URL, or one as hosting services write it (`postgres://…?sslmode=require`). SQLite's file
    and its directory are made when `writes`, readable by their owner only. Errors of the engine hold no parameters.
    Raises SetupFault when the address can't be used.
    """
    url = _read(address)
    if url.drivername == "postgresql+asyncpg":
        timeouts = {"timeout": _CONNECT_TIMEOUT, "command_timeout": _COMMAND_TIMEOUT}
        return create_async_engine(url, hide_parameters=True, pool_pre_ping=True, connect_args=timeouts)
    if writes:
        _make_private(_on_disk(url.database))
    elif (file := _on_disk(url.database)) is not None and file.exists() and not os.access(file, os.R_OK):
        # SQLite's own complaint comes from a thread, and names no file.
        raise SetupFault(f"The record database {file} can't be read (Permission denied).", remedy=_RIGHTS)
    engine = create_async_engine(url, hide_parameters=True)
    _tune_sqlite(engine, writes=writes)
    return engine


def sqlite_file(address: str) -> Path | None:
    """The file of an SQLite database; None for other databases and those in memory."""
    url = _read(address)
    return _on_disk(url.database) if url.drivername.startswith("sqlite") else None


def shown(address: str) -> str:
    """`address` without its password, for an operator."""
    return _read(address).render_as_string(hide_password=True)


def _read(address: str) -> URL:
    try:
        url = make_url(address)
    except ArgumentError:
        raise SetupFault("DATABASE_URL is no database address.", remedy=_EXAMPLES) from None
    url = url.set(drivername=_DRIVERS.get(url.drivername, url.drivername))
    if url.drivername not in _SUPPORTED:
        raise SetupFault(f"DATABASE_URL names {url.drivername}, which offhook can't use.", remedy=_EXAMPLES)
    mode = url.query.get("sslmode")
    # libpq's name of what asyncpg calls ssl.
    return url.difference_update_query(["sslmode"]).update_query_dict({"ssl": mode}) if mode else url


_EXAMPLES = "Write sqlite:////path/of/offhook.db or postgresql://user:password@host/name."


_RIGHTS = "Run offhook as the user whose file it is, or set OFFHOOK_STATE or DATABASE_URL."


def _on_disk(database: str | None) -> Path | None:
    return Path(database) if database and database != ":memory:" else None


def _make_private(path: Path | None) -> None:
    """SQLite would make the file readable by all; it holds what callers said."""
    if path is None:
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as bad:
        raise SetupFault(
            f"The record database {path} can't be written ({bad.strerror}).",
            remedy="Make its directory writable, or set OFFHOOK_STATE or DATABASE_URL.",
        ) from bad


class _DriverConnection(Protocol):
    isolation_level: Any

    def cursor(self) -> Any: ...

    def run_async(self, fn: Callable[[aiosqlite.Connection], Awaitable[None]]) -> None: ...


async def _write_ahead(driver: aiosqlite.Connection) -> None:
    """SQLite doesn't wait for others to change the journal's mode, whatever its busy_timeout: two that open a new file at
    once would fail."""
    end = asyncio.get_running_loop().time() + _WAIT_MS / 1000
    while True:
        try:
            await driver.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError:
            if asyncio.get_running_loop().time() > end:
                raise
            await asyncio.sleep(_BUSY)
        else:
            return


def _tune_sqlite(engine: AsyncEngine, *, writes: bool) -> None:
    @event.listens_for(engine.sync_engine, "connect")
    def on_connect(connection: _DriverConnection, _record: object) -> None:
        # The driver would begin a transaction at its first INSERT only, and never one around DDL; see on_begin.
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout = {_WAIT_MS}")
        if writes:
            connection.run_async(_write_ahead)
            # An event is acknowledged once its row is committed: a commit must outlive a power cut.
            cursor.execute("PRAGMA synchronous = FULL")
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def on_begin(connection: Connection) -> None:
        # Taking the write lock at once makes two writers wait for each other instead of failing midway.
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def insert(connection: AsyncConnection, table: Table) -> postgresql.Insert | sqlite.Insert:
    """An INSERT in the words of the connection's database, which may say what happens on a conflict."""
    return postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite.insert(table)


async def whole(work: Coroutine[Any, Any, _T]) -> _T:
    """Do the work to its end even when cancelled meanwhile, and then be cancelled: a database's connection that is left
    in the middle of a transaction isn't given back, and SQLite's keeps the process from ending.
    """
    task = asyncio.create_task(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        if not task.cancelled():
            task.exception()
        raise
