"""What a process does for as long as it runs, each part on its own: one that ends by a bug is begun again, and the
process says that it isn't ready meanwhile."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

import structlog

from gateway.metrics import EDGE_ERRORS

PAUSE = 1.0
"""Seconds from a part's end until it is begun again."""
STEADY = 5.0
"""Seconds a part must have run since for the process to be ready again."""

log = structlog.get_logger(__name__)


class Lasting:
    """The parts of one process, and which of them don't run."""

    def __init__(self, where: str, clock: Callable[[], float] = time.monotonic) -> None:
        """`where` names the process in metrics. `clock`: seconds, never going back."""
        self._where, self._clock = where, clock
        self._failed: dict[str, float] = {}
        """When a part last ended, by its name."""

    def why_not_ready(self) -> str:
        """Which part doesn't run, or ""."""
        now = self._clock()
        return next((f"{name}: ended by an error" for name, at in self._failed.items() if now - at < STEADY), "")

    async def keep(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        """Do `work` until it ends by itself, or this is cancelled; again, after a pause, when it fails."""
        while True:
            try:
                await work()
            except Exception:  # the process's edge: one part's bug mustn't end it, nor leave it without that part
                EDGE_ERRORS.labels(self._where).inc()
                log.exception("a part of the process ended; it is begun again", part=name)
                self._failed[name] = self._clock()
                await asyncio.sleep(PAUSE)
            else:
                return
