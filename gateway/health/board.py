"""What one process knows of the providers, in step with the others; never waited for while a caller waits.

What this process sees itself counts at once. What others have seen is asked for now and then, within a moment; when the
store doesn't answer, the process goes by what it knows.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import Any

import structlog

from gateway.errors import Unavailable
from gateway.health.circuit import Circuit, Reason, State, Use
from gateway.health.store import Change, HealthStore

FRESH = 1.0
"""Seconds for which what others know isn't asked for again."""
LOOK_WITHIN = 0.1
"""Seconds that asking may take while a caller waits."""
LATER = 5.0
"""Seconds for which a store that didn't answer isn't asked."""

log = structlog.get_logger(__name__)


class Board:
    """The circuits as `who` (a call's or process's name) sees them. Close it. `clock`: seconds since the epoch."""

    def __init__(self, store: HealthStore, who: str, clock: Callable[[], float]) -> None:
        self._store, self._who, self._clock = store, who, clock
        self._known: dict[str, Circuit] = {}
        self._look_again = 0.0
        self._writing: set[asyncio.Task[None]] = set()

    def circuit(self, name: str) -> Circuit:
        """What is known of the provider."""
        return self._known.get(name, Circuit())

    def may_use(self, name: str) -> bool:
        """Whether the provider may be used, as far as is known: it serves, or may be back."""
        return self.circuit(name).use(self._clock(), self._who) is not Use.NO

    async def usable(self, names: Sequence[str]) -> Sequence[str]:
        """Those of the providers that a call may use now, in their order; one that may be back is claimed for it."""
        await self._look(names)
        found = []
        for name in names:
            match self.circuit(name).use(self._clock(), self._who):
                case Use.YES:
                    found.append(name)
                case Use.CLAIM if not found and await self._claim(name):
                    # Nobody probes what they don't use: those behind a provider that serves are left alone.
                    found.append(name)
        return found

    def worked(self, name: str) -> None:
        """It has served a request."""
        if self.circuit(name).state is not State.CLOSED:
            self._change(name, Circuit.worked)

    def failed(self, name: str, reason: Reason, retry_after: float | None = None) -> None:
        """It has failed one."""
        now = self._clock()
        self._change(name, lambda circuit: circuit.failed(now, reason, retry_after))

    async def close(self, within: float = 1.0) -> None:
        """Let what this process has seen be told."""
        if self._writing:
            await asyncio.wait(self._writing, timeout=within)
        for task in self._writing:
            task.cancel()
        if self._writing:
            await asyncio.wait(self._writing)

    async def _look(self, names: Sequence[str]) -> None:
        now = self._clock()
        if now < self._look_again or self._writing:
            return
        self._look_again = now + FRESH
        try:
            async with asyncio.timeout(LOOK_WITHIN):
                self._known |= await self._store.look(names)
        except (Unavailable, TimeoutError):
            self._look_again = now + LATER

    async def _claim(self, name: str) -> bool:
        claim = partial(Circuit.claim, now=self._clock(), who=self._who)
        try:
            async with asyncio.timeout(LOOK_WITHIN):
                self._known[name] = await self._store.change(name, claim)
        except (Unavailable, TimeoutError):
            self._known[name] = claim(self.circuit(name))
        return self._known[name].use(self._clock(), self._who) is Use.YES

    def _change(self, name: str, change: Change) -> None:
        self._known[name] = change(self.circuit(name))
        self._start(self._tell(name, change))

    async def _tell(self, name: str, change: Change) -> None:
        try:
            self._known[name] = await self._store.change(name, change)
        except Unavailable as bad:
            log.warning("what is known of a provider isn't told to others", provider=name, why=str(bad))

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)
