"""Keeps the steps of an act as the call's checkpoint, without letting a slow store hold the caller up."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from gateway.calls.acts.cues import Machine
from gateway.errors import Unavailable

KEEP_WITHIN = 0.15
"""Seconds that keeping a step may hold its effects up; a store that is slower must not make the caller wait."""

log = structlog.get_logger(__name__)


class Keeping:
    """One act's steps. While one is being kept only the newest waits: what an older one says, it says too."""

    def __init__(self, keep: Callable[[Machine, str], Awaitable[bool]], lost: Callable[[], None]) -> None:
        """`keep`: keeps a machine and the leg that talks with the caller; False when another job has the call by now,
        of which `lost` is told. It may raise Unavailable."""
        self._keep, self._lost = keep, lost
        self._newest: tuple[Machine, str] | None = None
        self._writing: asyncio.Task[None] | None = None

    async def step(self, machine: Machine, bridged: str) -> None:
        """Keep a step, and return once it is kept, or KEEP_WITHIN later."""
        self._newest = machine, bridged
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write(), name="keep")
        await asyncio.wait({self._writing}, timeout=KEEP_WITHIN)

    async def settled(self) -> None:
        """Return once the last step is kept, or can't be: each try is bounded by the store."""
        if self._writing is not None:
            await asyncio.wait({self._writing})

    async def _write(self) -> None:
        while (newest := self._newest) is not None:
            self._newest = None
            try:
                if not await self._keep(*newest):
                    log.info("another job has the call by now")
                    self._lost()
            except Unavailable as bad:
                log.warning("a step of the call couldn't be kept", why=str(bad))
