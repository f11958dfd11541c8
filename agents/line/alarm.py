"""The running loop's clock for a machine that tells its next deadline."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable


class Alarm:
    """Calls `due` once the deadline that was set last has come, on `time.monotonic`. `close` it."""

    def __init__(self, due: Callable[[], None]) -> None:
        self._due = due
        self._timer: asyncio.TimerHandle | None = None

    def set(self, deadline: float) -> None:
        """From now on this one counts; infinity for none."""
        self.close()
        if deadline != float("inf"):
            left = max(0.0, deadline - time.monotonic())
            self._timer = asyncio.get_running_loop().call_later(left, self._due)

    def close(self) -> None:
        """None counts any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
