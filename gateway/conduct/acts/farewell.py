"""Whether whoever hangs up on the caller has said goodbye: found out before the act's machine is told that they have gone."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import structlog

from gateway.calls.acts.cues import LegLeft
from gateway.conduct.acts.tools import LastWords
from gateway.tasks import Tasks

log = structlog.get_logger(__name__)


class Farewell:
    """Of one act. `happened` is told LegLeft, which may be a few seconds after they have gone."""

    def __init__(self, tasks: Tasks, happened: Callable[[LegLeft], None]) -> None:
        self.words: LastWords | None = None
        """None for an act in which nobody is remembered."""
        self._tasks, self._happened = tasks, happened
        self._remembered = ""
        self._left: LegLeft | None = None
        """Who has gone and isn't told of yet."""

    def remember(self, leg: str) -> None:
        """See `deeds.Remember`."""
        assert self.words is not None
        self._remembered = leg
        self.words.remember(leg)

    def left(self, left: LegLeft) -> None:
        """Somebody has gone: told at once, unless whether they have said goodbye can be found out."""
        if left.lost or left.leg != self._remembered or self.words is None:
            self._happened(left)
        elif self._left is None:
            self._left = replace(left, at=left.at or time.time())
            self._tasks.start(self._understand(self.words, left.leg), f"goodbye of {left.leg}")

    def at_once(self) -> None:
        """Nobody has time for it any more: whoever has gone is told of now."""
        self._tell(None)

    async def _understand(self, words: LastWords, leg: str) -> None:
        try:
            goodbye = await words.goodbye()
        except Exception:
            self._tell(None)  # the caller mustn't wait for ever for what is our bug
            raise
        log.info("a human has hung up early", leg=leg, goodbye=goodbye)
        self._tell(goodbye)

    def _tell(self, goodbye: bool | None) -> None:
        left, self._left = self._left, None
        if left is not None:
            self._happened(replace(left, goodbye=goodbye))
