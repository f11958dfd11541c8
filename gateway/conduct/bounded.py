"""The minutes of a route: what is done for a caller ends with them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from typing import Any, TypeVar

from gateway.tasks import cancelled
from gateway.terms.act import Because, Onward, Talk
from gateway.terms.call import Call

GRACE = 15.0
"""Seconds that an agent has beyond the end, to finish its sentence: it knows by itself when it must let go."""

T = TypeVar("T")


async def bounded(call: Call, work: Coroutine[Any, Any, T]) -> T | Onward:
    """What the work returns, or, where the call's minutes are up before, where it goes on; the work is cancelled then."""
    if not call.ends:
        return await work
    until = call.ends + (GRACE if isinstance(call.act, Talk) else 0.0)
    task = asyncio.ensure_future(work)
    try:
        await asyncio.wait({task}, timeout=max(0.0, until - time.time()))
        return task.result() if task.done() else Onward(Because.MINUTES)
    finally:
        if not task.done():
            await cancelled(task)
