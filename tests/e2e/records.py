"""What the gateway of the tests has recorded, read as `offhook calls` reads it, without the second a command takes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.cli.calls import record_json
from gateway.cli.shown import as_json
from gateway.phone.call import Call
from gateway.records import store
from tests.e2e.gateway import Stack

RECORDED_WITHIN = 15.0
LOOK = 0.2
UNHEARD = 10
"""Looks after which nobody tells the SIP status any more."""


def sip_id(call: Call) -> str:
    """The record's key of an answered call: our edge's tag."""
    assert call.dialog
    return call.dialog.id.remote_tag


async def record(stack: Stack, call_id: str, **wanted: object) -> dict[str, Any]:
    """A call's record once it is ended, has these values, and nothing more is told of it."""

    async def look(connection: AsyncConnection) -> dict[str, Any] | None:
        if not any(row["id"] == call_id and row["ended"] for row in await store.calls(connection, limit=200)):
            return None
        found = _shown(record_json(await store.record(connection, call_id)))
        return found if _fits(found, wanted) else None

    return await _until(stack, look)


async def latest(stack: Stack, dialed: str, **wanted: object) -> dict[str, Any]:
    """The last call to a number that has these values, as a list shows it, once it is ended."""

    async def look(connection: AsyncConnection) -> dict[str, Any] | None:
        rows = [row for row in await store.calls(connection, limit=200) if row["dialed"] == dialed and row["ended"]]
        return next((_shown(row) for row in rows if _fits(row, wanted)), None)

    return await _until(stack, look)


def _fits(found: Mapping[str, Any], wanted: Mapping[str, object]) -> bool:
    return all(found.get(name) == value for name, value in wanted.items())


def _shown(found: object) -> dict[str, Any]:
    """As `--json` prints it."""
    read: dict[str, Any] = json.loads(json.dumps(as_json(found)))
    return read


async def _until(stack: Stack, look: Callable[[AsyncConnection], Awaitable[dict[str, Any] | None]]) -> dict[str, Any]:
    """What is found, twice alike: the SIP service's last word and a job's may come after the call's end."""
    before: dict[str, Any] | None = None
    silent = 0
    async with asyncio.timeout(RECORDED_WITHIN):
        while True:
            async with store.reading(f"sqlite+aiosqlite:///{stack.state / 'offhook.db'}") as connection:
                found = await look(connection) if connection is not None else None
            if found is not None and found == before:
                # A control that was killed may not have heard the SIP service.
                silent += found["sip_status"] is None
                if found["sip_status"] is not None or silent > UNHEARD:
                    return found
            before = found
            await asyncio.sleep(LOOK)
