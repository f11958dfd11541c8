"""When SIP services are told which phones nobody hears by LiveKit, and which somebody does: the former once all is calm, the latter at
once, and again until they know (`gateway.conduct.sfu.sparing`)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from functools import partial

from livekit import rtc

from gateway.calls.hearing import Ledger
from gateway.conduct.sfu.direct import process_of
from gateway.conduct.sfu.sparing import Sparing
from gateway.tasks import Tasks

SPARED = (1.5, 6.0, 12.0)
"""Seconds after the room's latest event when SIP services are told of phones that nobody hears by LiveKit; but for the first time of those
of whom that wasn't believed: LiveKit tells of jobs up to three seconds late, and counts who is in a room each five."""
SOON = 0.25
"""Seconds for which somebody who is to hear a phone waits until it is surely heard: it may have been all along."""


class Telling:
    """One job's."""

    def __init__(
        self,
        room: rtc.Room,
        sparing: Sparing,
        tasks: Tasks,
        known: Callable[[], tuple[Ledger, Mapping[str, frozenset[str]]]],
        again: Callable[[], None],
    ) -> None:
        """`known`: who is to hear whom, and whom listeners surely hear directly. `again`: somebody couldn't be told that they are
        heard: `heard` is to be called after a while."""
        self._room, self._sparing, self._tasks, self._known, self._again = room, sparing, tasks, known, again
        self.due: list[float] = []
        """When to tell of those whom nobody hears by LiveKit, on the loop's clock: `calm` is to be called then."""
        self._lifting: set[str] = set()
        """Those who are being had heard in the room again."""

    def later(self) -> None:
        """Something has happened in the room."""
        now = asyncio.get_running_loop().time()
        self.due = [now + after for after in SPARED]
        self._sparing.happened()

    def calm(self) -> None:
        """Nothing has happened since: tell of those whom nobody hears by LiveKit."""
        self.due.pop(0)
        for who in self._unheard():
            self._tasks.start(self._sparing.unheard(who, partial(self._is_unheard, who)), "tell who isn't heard")

    def heard(self, before: str = "") -> None:
        """Have those heard in the room whom somebody is to hear there, whether they publish already or will. `before`: whom we hear
        before anything is said of who hears whom."""
        ledger, direct = self._known()
        doubtful = self._sparing.doubtful(ledger.present) - self._lifting
        if doubtful and (doubtful := doubtful & (ledger.by_livekit(direct) | {before})):
            self._lifting |= doubtful
            self._tasks.start(self._lift(doubtful), "tell that they are heard")

    async def before(self, whom: frozenset[str]) -> None:
        """Return once all of them are heard in the room, after SOON at most: to be awaited before anybody is let hear them."""
        if self._sparing.doubtful(whom):
            await asyncio.wait([self._tasks.start(self._lift(whom), "tell that they are heard")], timeout=SOON)

    async def _lift(self, whom: frozenset[str]) -> None:
        done = await self._sparing.heard(whom)
        self._lifting -= whom
        if not done:
            self._again()

    def _unheard(self) -> frozenset[str]:
        """Whom nobody hears by LiveKit, where none but us and phones of one process is there."""
        processes = {process_of(who) for who in self._room.remote_participants.values()}
        if not self._room.isconnected() or len(processes) != 1 or "" in processes:
            return frozenset()
        ledger, direct = self._known()
        return ledger.unheard(direct)

    def _is_unheard(self, who: str) -> bool:
        return who in self._unheard()
