"""How the teams stand now: who is on duty, what each of them does, and who waits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.calls.people.members import Member, Members, Stage
from gateway.calls.people.roster import Roster, Rosters


@dataclass(frozen=True, slots=True)
class OnDuty:
    """One member."""

    name: str
    stage: Stage
    seconds: float | None
    """For how long they have talked; for how long yet they are left in peace or paused. None while free or rung."""
    taken: int
    """Calls that they took today."""
    missed: int
    """Calls missed in a row."""


@dataclass(frozen=True, slots=True)
class TeamNow:
    """One team."""

    name: str
    ring: str
    members: Sequence[OnDuty]
    waiting: int
    """Calls in the line."""
    longest: float | None
    """Seconds that the first of the line waits; None when nobody does."""


async def teams(members: Members, rosters: Rosters, now: float) -> Sequence[TeamNow]:
    """All teams, by name. `now`: seconds since the epoch. Raises Unavailable."""
    found = []
    for name, roster in sorted((await rosters.all()).items()):
        people = await members.look([one.name for one in roster.members], now)
        line = await members.waiting(name, now)
        longest = max(0.0, now - line.since) if line.since is not None else None
        found.append(TeamNow(name, roster.ring, [_on_duty(one, roster, now) for one in people], line.calls, longest))
    return found


def _on_duty(member: Member, roster: Roster, now: float) -> OnDuty:
    stage = member.stage(now)
    match stage:
        case Stage.TALKING:
            seconds: float | None = max(0.0, now - member.since)
        case Stage.WRAP_UP:
            seconds = member.rest - now
        case Stage.PAUSED:
            seconds = member.paused - now
        case _:
            seconds = None
    return OnDuty(member.name, stage, seconds, member.taken_on(roster.day(now)), member.missed)
