"""Whether somebody of a team could be rung for a caller now, before anybody promises it."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable

from gateway.calls.people.members import Members, Stage
from gateway.calls.people.roster import Rosters
from gateway.conduct.talk.port import Person


def looker(
    members: Members, rosters: Rosters, *, clock: Callable[[], float] = time.time
) -> Callable[[str], Awaitable[Person]]:
    """Looks at a team by its name: TEAM where somebody is free, else BUSY, NOBODY or CLOSED. What is asked raises Unavailable.
    `clock`: seconds since the epoch."""

    async def look(team: str) -> Person:
        roster = await rosters.get(team)
        if roster is None:
            return Person.TEAM  # control writes it again in a moment
        if not roster.members:
            return Person.NOBODY if roster.open else Person.CLOSED
        now = clock()
        stages = [one.stage(now) for one in await members.look([one.name for one in roster.members], now)]
        if Stage.FREE in stages:
            return Person.TEAM
        return Person.BUSY if {Stage.TALKING, Stage.RINGING, Stage.WRAP_UP} & {*stages} else Person.NOBODY

    return look
