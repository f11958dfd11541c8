"""What the gateway of the tests has recorded, read as `offhook calls` reads it, without the second a command takes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.cli.calls import record_json
from gateway.cli.shown import as_json
from gateway.phone.call import Call
from gateway.records import store
from tests.e2e.gateway import Stack

RECORDED_WITHIN = 15.0
LOOK = 0.2


def sip_id(call: Call) -> str:
    """The record's key of an answered call: our edge's tag."""
    assert call.dialog
    return call.dialog.id.remote_tag


async def record(stack: Stack, call_id: str, **wanted: object) -> dict[str, Any]:
    """A call's record once it is ended and has these values."""

    async def look(connection: AsyncConnection) -> dict[str, Any] | None:
        if not any(row["id"] == call_id and row["ended"] for row in await store.calls(connection, limit=200)):
            return None
        found: dict[str, Any] = _shown(record_json(await store.record(connection, call_id)))
        return found if all(found.get(name) == value for name, value in wanted.items()) else None

    return await _until(stack, look)


async def latest(stack: Stack, dialed: str) -> dict[str, Any]:
    """The last call to a number, as a list shows it, once it is ended."""

    async def look(connection: AsyncConnection) -> dict[str, Any] | None:
        rows: Sequence[Any] = await store.calls(connection, limit=200)
        found = [row for row in rows if row["dialed"] == dialed and row["ended"]]
        return _shown(found[0]) if found else None

    return await _until(stack, look)


def _shown(found: object) -> dict[str, Any]:
    """As `--json` prints it."""
    read: dict[str, Any] = json.loads(json.dumps(as_json(found)))
    return read


async def _until(stack: Stack, look: Callable[[AsyncConnection], Awaitable[dict[str, Any] | None]]) -> dict[str, Any]:
    async with asyncio.timeout(RECORDED_WITHIN):
        while True:
            async with store.reading(f"sqlite+aiosqlite:///{stack.state / 'offhook.db'}") as connection:
                if connection is not None and (found := await look(connection)) is not None:
                    return found
            await asyncio.sleep(LOOK)
