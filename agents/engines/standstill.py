"""Who isn't to blame for being late: a process that stood still, as one that was stopped, or whose loop was blocked, runs
its time-outs out the moment it goes on, whatever was answered meanwhile."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

STILL, EXCUSED = 1.0, 3.0
"""Seconds without a sign of what goes on steadily after which it stood still, and for which nobody is to blame for being
late afterwards."""
BEAT = 0.25
"""Seconds between two signs of a loop."""


@dataclass
class Standstill:
    """What goes on steadily, and whether it stood still. Pure; times are any steady clock's."""

    _last: float | None = None
    """The last sign."""
    _went_on: float | None = None
    """When it went on after it stood still; None: it never did."""

    def sign(self, at: float) -> None:
        """It goes on at `at`."""
        if self._last is not None and at - self._last >= STILL:
            self._went_on = at
        self._last = at

    def excuses(self, at: float) -> bool:
        """Whether it stands still at `at`, or did just before: who is late then may not be."""
        still = self._last is not None and at - self._last >= STILL
        return still or (self._went_on is not None and at - self._went_on < EXCUSED)


class Pulse:
    """The standstills of the running loop, from `start` to `stop`."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._next: asyncio.TimerHandle | None = None
        self._known = Standstill()

    def start(self) -> None:
        """Begin, in the loop that runs."""
        self.stop()
        self._loop, self._known = asyncio.get_running_loop(), Standstill()
        self._beat(self._loop)

    def stop(self) -> None:
        """End: nothing is known of standstills any more."""
        if self._next is not None:
            self._next.cancel()
        self._loop = self._next = None

    @property
    def excuses(self) -> bool:
        """Whether the loop stood still just before."""
        return self._loop is not None and self._known.excuses(self._loop.time())

    def _beat(self, loop: asyncio.AbstractEventLoop) -> None:
        self._known.sign(loop.time())
        self._next = loop.call_later(BEAT, self._beat, loop)
