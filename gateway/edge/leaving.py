"""How the SDK leaves a room so that it keeps nothing of it: 0.3 MB as long as the process runs, else, of each.

Its native side holds a room, connections and all, by whatever RPC method is registered (github.com/livekit/rust-sdks/pull/1437), and
by whoever else in it still publishes a track: their participant and their publication hold each other, and the participant holds
the engine (pull 1435); only to learn that they have left parts them. It learns so from us, by `gateway.net.signalling`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from typing import cast

import structlog
from livekit import rtc

from gateway.net.signalling import Line

LEAVING = 5.0
"""Seconds that the SDK may take to leave, and to learn that nobody else is there."""
SOON = 0.3
"""Seconds of those, usually 3 ms, after which the server learns from us that we leave."""

log = structlog.get_logger(__name__)


async def leave(room: rtc.Room, line: Line, methods: Iterable[str], reason: int, call_id: str) -> None:
    """Leave for LiveKit's `reason`. `methods`: the RPCs that we have registered. Nothing of the room is to be looked at any more: as
    far as `room` knows, nobody is in it."""
    for method in methods:
        room.local_participant.unregister_rpc_method(method)
    try:
        if not await _emptied(room, line, reason):
            log.warning("room left as it is", call=call_id)
        async with asyncio.timeout(LEAVING):
            await room.disconnect(reason=cast("rtc.DisconnectReason.ValueType", reason))
    except TimeoutError:
        log.warning("room not left in time", call=call_id)
    finally:
        line.close()


async def _emptied(room: rtc.Room, line: Line, reason: int) -> bool:
    """Have the SDK learn that nobody else is in the room; whether it knows now, or can't be told."""
    known = asyncio.Event()
    room.on("moved", known.set)
    if not room.isconnected() or not line.empty():
        return True
    if await _within(SOON, known):
        return True
    line.leave(reason)  # it is busy, for which others needn't wait
    return await _within(LEAVING, known)


async def _within(seconds: float, known: asyncio.Event) -> bool:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await known.wait()
    return known.is_set()
