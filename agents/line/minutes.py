"""A route's minutes in a conversation: `gateway.calls.talk.minutes` on the running loop's clock."""

from __future__ import annotations

import time
from collections.abc import Callable, Coroutine
from typing import Any

from agents.line.alarm import Alarm
from gateway.calls.talk import minutes
from gateway.calls.talk.minutes import Then


class Minutes:
    """Tells of the end before it comes, from `begin` on. `close` it."""

    def __init__(
        self,
        start: Callable[[Coroutine[Any, Any, None]], None],
        warn: Callable[[], Coroutine[Any, Any, None]],
        end: Callable[[], Coroutine[Any, Any, None]],
    ) -> None:
        """`start` runs a coroutine beside the conversation: `warn` says that the end is near, `end` lets go."""
        self._start, self._then = start, {Then.WARN: warn, Then.END: end}
        self._minutes = minutes.Minutes(float("inf"))
        self._alarm = Alarm(self._due)

    def begin(self, ends: float) -> None:
        """The caller has answered. `ends`: seconds since the epoch; 0 for never."""
        self._minutes = minutes.Minutes.start(ends, time.time())
        self._set()

    def close(self) -> None:
        """Tell nothing any more."""
        self._alarm.close()

    def _set(self) -> None:
        self._alarm.set(self._minutes.deadline - time.time() + time.monotonic())

    def _due(self) -> None:
        self._minutes, then = self._minutes.due(time.time())
        self._set()
        if then is not None:
            self._start(self._then[then]())
