"""Keeps the steps of an act as the call's checkpoint, without letting a slow store hold the caller up."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import structlog

from gateway.calls.acts.machine import Machine
from gateway.errors import Unavailable

KEEP_WITHIN = 0.15
"""Seconds that keeping a step may hold its effects up; a store that is slower must not make the caller wait."""

AGAIN = 0.5
"""Seconds until a step that couldn't be kept is tried again."""

log = structlog.get_logger(__name__)


class Keeping:
    """One act's steps. While one is being kept only the newest waits: what an older one says, it says too. One that
    couldn't be kept is tried again, since no other may follow: two who talk take none."""

    def __init__(
        self, keep: Callable[[Machine, str, int], Awaitable[bool]], lost: Callable[[], None], again: float = AGAIN
    ) -> None:
        """`keep`: keeps a machine, the leg that talks with the caller, and the number of the last key that brought it
        there; False when another job has the call by now, of which `lost` is told. It may raise Unavailable. `again`:
        seconds until it is asked again then."""
        self._keep, self._lost, self._again = keep, lost, again
        self._newest: tuple[Machine, str, int] | None = None
        self._writing: asyncio.Task[None] | None = None
        self._hurry = asyncio.Event()
        self._ends = False

    async def step(self, machine: Machine, bridged: str, last_key: int = 0) -> None:
        """Keep a step, and return once it is kept, or KEEP_WITHIN later."""
        self._newest = machine, bridged, last_key
        self._hurry.set()
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write(), name="keep")
        await asyncio.wait({self._writing}, timeout=KEEP_WITHIN)

    async def settled(self) -> None:
        """Return once the last step is kept, or can't be by one more try: each is bounded by the store."""
        self._ends = True
        self._hurry.set()
        if self._writing is not None:
            await asyncio.wait({self._writing})

    async def _write(self) -> None:
        while (newest := self._newest) is not None:
            self._newest = None
            self._hurry.clear()
            try:
                if not await self._keep(*newest):
                    log.info("another job has the call by now")
                    self._lost()
            except Unavailable as bad:
                log.warning("a step of the call couldn't be kept", why=str(bad))
                if self._ends and self._newest is None:
                    return
                self._newest = self._newest or newest
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._again):
                        await self._hurry.wait()
