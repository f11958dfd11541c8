"""Tasks that live as long as their owner.

Unlike asyncio.TaskGroup, leaving the context ends what still runs instead of waiting for it, a task's failure ends no
sibling, and an error of the body stays the plain error that it is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from types import TracebackType
from typing import Any, Self

import structlog

from gateway.metrics import EDGE_ERRORS

Look = tuple[str, float, Callable[[], Awaitable[None]]]
"""Something that is looked at again and again: its name, the seconds between two looks, the look."""

log = structlog.get_logger(__name__)


class Tasks:
    """Use it as a context manager. `where` names the owner in logs and metrics."""

    def __init__(self, where: str) -> None:
        self._where = where
        self._running: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        return len(self._running)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._running:
            task.cancel()
        if self._running:
            await asyncio.wait(self._running)

    def start(self, work: Coroutine[Any, Any, None], name: str = "") -> asyncio.Task[None]:
        """Run `work` until it ends or the owner does. It handles its own errors: one that escapes is our bug."""
        task = asyncio.create_task(work, name=name or self._where)
        self._running.add(task)
        task.add_done_callback(self._ended)
        return task

    async def settled(self, within: float) -> None:
        """Return once nothing runs any more, or after `within` seconds."""
        if self._running:
            await asyncio.wait(self._running, timeout=within)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        try:
            bug = task.exception()
        except asyncio.CancelledError:
            # Asked for it, a task keeps no longer what ended it, and with it its frames: whoever is in those may keep the task.
            return
        if bug is not None:
            EDGE_ERRORS.labels(self._where).inc()
            log.error("task failed", task=task.get_name(), exc_info=bug)


async def cancelled(*tasks: asyncio.Task[Any] | None) -> None:
    """Cancel tasks and wait for their end, which is all that is wanted of them."""
    there = {task for task in tasks if task is not None}
    for task in there:
        task.cancel()
    if there:
        await asyncio.wait(there)
        for task in there:
            if not task.cancelled() and (error := task.exception()) is not None:
                log.warning("a task ended badly", task=task.get_name(), why=type(error).__name__)
