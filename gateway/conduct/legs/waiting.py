"""A call's place in a team's line, for as long as a job has the call: what `Enter`, `Exit` and `Release` ask for."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from types import TracebackType
from typing import Self

import structlog

from gateway.calls.acts.cues import Offered, Standing
from gateway.calls.acts.deeds import Enter, Exit, Release
from gateway.calls.people.line import expected
from gateway.calls.people.members import Members, Place, Stage
from gateway.calls.people.owners import owner_first
from gateway.calls.people.ring import Candidate, all_at_once, order
from gateway.calls.people.roster import Roster, Rosters
from gateway.errors import OurFault, Unavailable
from gateway.tasks import Tasks
from gateway.terms.act import Callee
from gateway.terms.call import CallId

LOOK = 0.4
"""Seconds between two looks at the line."""
FRESH = 5.0
"""Seconds after which a standing is told again though nothing has changed."""
LOST = 5.0
"""Seconds without a roster after which the team counts as one where nobody takes calls; control writes a roster that
Redis has lost within a second."""
SETTLED = 1.0
"""Seconds after the store was away in which nobody takes a turn: calls that have waited longer come back too."""
OWNER_WITHIN = 0.5
"""Seconds that the store may take to tell whose the caller is."""
LEAVE_WITHIN = 2.0
"""Seconds at the end to do what is still asked for."""

log = structlog.get_logger(__name__)


async def _nobodys() -> str:
    """The caller is nobody's."""
    return ""


class Line:
    """One call's places in lines. Use it as a context manager.

    `happened` is told Standing and Offered on the loop's thread, from `enter` until `exit`. What is asked for is done in
    its order; what the store can't do now is done when it answers again. Leaving the context leaves no line: that is
    `exit`'s, or another job goes on waiting.
    """

    def __init__(
        self,
        members: Members,
        rosters: Rosters,
        call: CallId,
        epoch: int,
        happened: Callable[[Standing | Offered], None],
        *,
        owner: Callable[[], Awaitable[str]] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`owner`: who has talked with the caller last, and is rung first; may raise Unavailable. `clock`: seconds since
        the epoch."""
        self._of = owner or _nobodys
        self._owner: str | None = None
        """Who that is; None until it was asked."""
        self._members, self._rosters, self._call, self._epoch = members, rosters, call, epoch
        self._happened, self._clock = happened, clock
        self._tasks = Tasks("line")
        self._task: asyncio.Task[None] | None = None
        self._wake = asyncio.Event()
        self._closing = False
        self._asked: deque[Exit | Release] = deque()
        self._entered: Enter | None = None
        self._offered: set[str] = set()
        """Who was offered and not released since."""
        self._past: set[str] = set()
        """Who was offered at all, since the line was entered, or before that."""
        self._standing: tuple[Standing, float] | None = None
        self._lost = 0.0
        self._down = False
        self._away, self._back = False, float("-inf")
        """Whether the store was away at the last look, and since when it is back."""

    async def __aenter__(self) -> Self:
        self._task = self._tasks.start(self._run(), f"line of {self._call}")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing, self._entered = True, None
        self._wake.set()
        try:
            if self._task is not None:
                await asyncio.wait([self._task], timeout=LEAVE_WITHIN)
        finally:
            await self._tasks.__aexit__(kind, error, trace)

    def enter(self, enter: Enter) -> None:
        """Wait in the team's line; whom the call holds already is offered again."""
        self._entered, self._standing, self._lost = enter, None, 0.0
        self._offered.clear()
        self._past = set(enter.past)
        self._wake.set()

    def exit(self, team: str) -> None:
        """Leave it; nothing is told from now on."""
        self._entered = None
        self._ask(Exit(team))

    def release(self, release: Release) -> None:
        """Give a member back."""
        self._ask(release)

    async def claim(self) -> bool:
        """Whether the call is still this job's, who is to connect somebody with the caller; False where another has it: nothing
        is to be done then. Raises Unavailable."""
        return await self._members.claim(self._call, self._epoch)

    def _ask(self, what: Exit | Release) -> None:
        self._asked.append(what)
        self._wake.set()

    async def _run(self) -> None:
        while True:
            self._wake.clear()
            try:
                await self._do_asked()
                if self._entered is not None:
                    await self._look(self._entered)
                self._down = False
            except Unavailable as bad:
                if not self._down:
                    log.warning("a line can't be looked at now", call=self._call, why=bad.what)
                self._down = self._away = True
            if self._closing and not self._asked:
                return  # whoever woke us to close did so while we worked
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK):
                    await self._wake.wait()

    async def _do_asked(self) -> None:
        while self._asked:
            now = self._clock()
            match self._asked[0]:
                case Exit(team):
                    await self._members.leave(self._call, self._epoch, team, now)
                case Release(team, name, took, missed):
                    await self._members.release(self._call, self._epoch, team, name, now, took=took, missed=missed)
                    self._offered.discard(name)
            self._asked.popleft()

    async def _look(self, enter: Enter) -> None:
        now = self._clock()
        roster = await self._roster(enter.team)
        members = roster.members if roster is not None else ()
        known = {one.name: one for one in members if one.address or one.name in enter.browsers}
        place = await self._members.beat(self._call, self._epoch, enter.team, enter.since, list(known), now)
        if place is None:
            # It has ended, or another job has it, of which the lease tells us; or a store that has come back empty gets
            # the call from us in a moment.
            log.debug("the call has no place in the line now", call=self._call)
            self._away = True
            return
        if self._away:
            self._away, self._back = False, now
        if roster is None:
            self._lost = self._lost or now
            if now - self._lost >= LOST:
                self._stand(enter, Standing(place.position, None, staffed=False), now)
            return
        self._lost = 0.0
        got = await self._turn(enter, roster, place, now)
        fresh = [name for name in (*sorted(place.mine), *got) if name not in self._offered]
        for name in fresh:
            if name not in known or self._entered is not enter:  # off duty by now, or we have left meanwhile
                self._ask(Release(enter.team, name, took=False))
        if self._entered is enter:
            stands = standing(place, roster.wrap_up, now)
            left = len(self._left(place, now) | set(fresh))
            self._stand(enter, replace(stands, free=left) if enter.once else stands, now)
            self._offer(enter, roster, [known[name] for name in fresh if name in known])

    def _left(self, place: Place, now: float) -> set[str]:
        """Who could be rung, and wasn't."""
        return {one.name for one in place.members if one.stage(now) is Stage.FREE and one.name not in self._past}

    async def _roster(self, team: str) -> Roster | None:
        try:
            return await self._rosters.get(team)
        except OurFault as bad:  # another version's: control writes ours
            log.warning("a roster can't be read", team=team, why=bad.what)
            return None

    async def _turn(self, enter: Enter, roster: Roster, place: Place, now: float) -> tuple[str, ...]:
        everyone, day = all_at_once(roster.ring), roster.day(now)
        if now - self._back < SETTLED:
            return ()
        if (place.mine and not everyone) or all(one.stage(now) is not Stage.FREE for one in place.members):
            return ()
        if enter.once and not self._left(place, now):
            return ()
        asked = [one for one in place.members if not (enter.once and one.name in self._past)]
        names = order(
            roster.ring,
            [Candidate(one.name, one.ended, one.taken_on(day)) for one in asked],
            last=place.last,
            tried=place.tried,
            draw=f"{self._call} {sum(place.tried.values())}",
        )
        free = [one.name for one in asked if one.stage(now) is Stage.FREE]
        owner = await self._owned_by() if roster.owner_first else ""
        names, everyone = owner_first(names, owner, everyone=everyone, mine=place.mine, free=free, tried=place.tried)
        if not names:
            return ()
        return await self._members.reserve(
            self._call, self._epoch, enter.team, names, now, everyone=everyone, wrap_up=roster.wrap_up, day=day
        )

    async def _owned_by(self) -> str:
        """Who has talked with the caller last; nobody where that can't be had: no caller waits for it."""
        if self._owner is None:
            self._owner = ""
            with suppress(Unavailable, TimeoutError):
                async with asyncio.timeout(OWNER_WITHIN):
                    self._owner = await self._of()
        return self._owner

    def _stand(self, enter: Enter, now_stands: Standing, now: float) -> None:
        if self._entered is not enter:
            return
        if self._standing is None or self._standing[0] != now_stands or now - self._standing[1] >= FRESH:
            self._standing = now_stands, now
            self._happened(now_stands)

    def _offer(self, enter: Enter, roster: Roster, callees: Sequence[Callee]) -> None:
        if not callees:
            return
        names = [one.name for one in callees]
        if self._entered is not enter:  # told of its standing, the machine has left
            for name in names:
                self._ask(Release(enter.team, name, took=False))
            return
        self._offered.update(names)
        self._past.update(names)
        self._happened(Offered(tuple(callees), roster.ring_for))


def standing(place: Place, wrap_up: float, now: float) -> Standing:
    """What a caller may be told of a place; whoever rings counts as free, because callers at the front are theirs.

    `wrap_up`: seconds for which a talk keeps a member from the next one once it has ended.
    """
    stages = [one.stage(now) for one in place.members]
    serving = sum(stage is not Stage.PAUSED for stage in stages)
    free = sum(stage in (Stage.FREE, Stage.RINGING) for stage in stages)
    each = place.talk + wrap_up if place.talk is not None else None
    return Standing(place.position, expected(place.position, each, serving, free), staffed=serving > 0)
