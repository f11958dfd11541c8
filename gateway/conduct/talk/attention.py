"""Watches what comes out of the mouth while an agent talks, from outside of whatever the agent is made of: where nothing
does for too long after the caller has spoken, the call goes on without it (the plan's `dead_air`)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import structlog

from gateway.calls.talk.dead_air import DeadAir
from gateway.metrics import counter
from gateway.tasks import cancelled
from gateway.terms.act import Because, Onward
from gateway.terms.call import Brief

log = structlog.get_logger(__name__)

DEAD_AIR = counter("dead_air", "Calls in which an agent wasn't heard for too long")
LET_GO_WITHIN = 0.5
"""Seconds that an agent of which nothing is heard gets to let go."""
REASON = "nothing could be heard"


class Attention:
    """What `port.Attention` says, on the process's clock."""

    def __init__(self) -> None:
        self._air = DeadAir(0.0)
        self._changed = asyncio.Event()
        self._fillers = 0

    def owed(self) -> None:
        """See the port."""
        self._now(self._air.owed(time.monotonic()))

    def caller(self, *, talking: bool) -> None:
        """See the port."""
        self._now(self._air.caller(talking=talking, now=time.monotonic()))

    def settled(self) -> None:
        """See the port."""
        self._now(self._air.settled())

    @contextmanager
    def filling(self) -> Iterator[None]:
        """See the port."""
        self._fillers += 1
        self._now(self._air.fills(filling=True))
        try:
            yield
        finally:
            self._fillers -= 1
            self._now(self._air.fills(filling=self._fillers > 0))

    def sounds(self, until: float) -> None:
        """The mouth was given something that can be heard, until then (`time.monotonic`)."""
        self._air = self._air.heard(until)

    def begin(self, after: float) -> None:
        """An agent is to speak: the caller is owed its first words. `after`: seconds; 0 to watch nothing."""
        self._now(DeadAir(after, filling=self._fillers > 0).owed(time.monotonic()))

    def waited(self) -> float:
        """Seconds for which the caller has been waiting for an answer of which nothing has sounded; 0 where they don't."""
        return self._air.waited(time.monotonic())

    async def dead(self) -> None:
        """Return once it is."""
        while not self._air.dead(time.monotonic()):
            self._changed.clear()
            left = self._air.deadline - time.monotonic()
            try:
                async with asyncio.timeout(None if left == float("inf") else max(left, 0.0)):
                    await self._changed.wait()
            except TimeoutError:
                continue

    def _now(self, air: DeadAir) -> None:
        self._air = air
        self._changed.set()


class Attended(Protocol):
    """The part of a stage that is needed."""

    brief: Brief
    onward: Onward | None
    attention: Attention

    def in_vain(self, after: float) -> None:
        """Note that the caller has waited so many seconds for an answer that never came."""
        ...


async def attended(stage: Attended, work: Coroutine[Any, Any, str]) -> str:
    """Why the agent's work ended. Where nothing is heard of it for too long, it is cancelled, and the call goes on. How long
    a caller has waited for an answer of one that is given up, or gives up itself, is noted."""
    if not stage.brief.dead_air:
        return await work
    attention = stage.attention
    attention.begin(stage.brief.dead_air)
    task = asyncio.ensure_future(work)
    dead = asyncio.create_task(attention.dead(), name="dead air")
    try:
        await asyncio.wait({task, dead}, return_when=asyncio.FIRST_COMPLETED)
        if (not task.done() or task.exception() is not None) and (after := attention.waited()):
            stage.in_vain(after)
        if task.done():
            return task.result()
        DEAD_AIR.inc()
        log.error("nothing was heard of the agent; the plan says what comes instead", agent=stage.brief.agent)
        stage.onward = Onward(Because.DEAD_AIR)
        return REASON
    finally:
        await cancelled(dead)
        if not task.done():  # what hangs may hang at its end too; the caller doesn't wait for it
            task.cancel()
            await asyncio.wait({task}, timeout=LET_GO_WITHIN)
