"""A person who is rung directly, held for the call so that no team rings them meanwhile: as its own members are."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from types import TracebackType
from typing import Self

import structlog

from gateway.calls.people.members import TTL, Members
from gateway.errors import Unavailable
from gateway.tasks import Tasks
from gateway.terms.call import CallId

RENEW = TTL / 3
"""Seconds between two holds of somebody who is rung: a job that dies holds nobody for long."""
FREE_WITHIN = 1.0
"""Seconds that freeing may hold the call up; they are free with the call's end otherwise."""

log = structlog.get_logger(__name__)


async def _nothing() -> None:
    """Nobody wants to know."""


class Holding:
    """Use it as a context. Leaving it frees nobody, as another job may go on with the call: `free` does."""

    def __init__(
        self,
        members: Members,
        call: CallId,
        epoch: int,
        name: str,
        *,
        talks: bool,
        remember: Callable[[], Awaitable[None]] = _nothing,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`name`: the person's; `talks`: whether they talk with the caller already. `remember`: has the caller be theirs, once
        they talk; may raise Unavailable. `clock`: seconds since the epoch."""
        self._remember, self._remembered = remember, False
        self._members, self._call, self._epoch, self._name = members, call, epoch, name
        self._talks, self._free, self._clock = talks, False, clock
        self._news = asyncio.Event()
        self._tasks = Tasks("holding")
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = self._tasks.start(self._run(), "hold who is rung")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._free and self._task is not None:
            await asyncio.wait({self._task}, timeout=FREE_WITHIN)
        await self._tasks.__aexit__(kind, error, trace)

    def connected(self) -> None:
        """They talk with the caller from now on."""
        self._talks = True
        self._news.set()

    def free(self) -> None:
        """They are done with the call."""
        self._free = True
        self._news.set()

    async def _run(self) -> None:
        while True:
            self._news.clear()
            try:
                if self._free:
                    await self._members.release(
                        self._call, self._epoch, "", self._name, self._clock(), took=self._talks, missed=False
                    )
                    return
                await self._members.hold(self._call, self._epoch, self._name, self._clock(), talks=self._talks)
            except Unavailable as bad:
                log.warning("who is rung can't be held", why=bad.what)
            await self._note()
            with suppress(TimeoutError):
                async with asyncio.timeout(RENEW):
                    await self._news.wait()

    async def _note(self) -> None:
        """Whose caller it is from now on."""
        if self._talks and not self._remembered:
            with suppress(Unavailable):
                await self._remember()
                self._remembered = True
