"""Who of each team takes calls now, published for the jobs: hours, turns and absences stay with control."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

import structlog

from gateway.calls.roster import Roster, Rosters
from gateway.dialplan.duty import on_duty
from gateway.dialplan.people import Person
from gateway.dialplan.plan import Plan
from gateway.dialplan.state import State
from gateway.errors import Unavailable
from gateway.terms.act import Callee

PUBLISH = 1.0
"""Seconds between two looks at who is on duty."""

log = structlog.get_logger(__name__)


def rosters(plan: Plan, at: datetime, state: State) -> Mapping[str, Roster]:
    """Every team's roster, by its name. `at`: aware. Who is reached by a browser alone isn't rung yet. Pure."""
    return {name: _roster(plan, name, at, state) for name in plan.teams}


def _roster(plan: Plan, name: str, at: datetime, state: State) -> Roster:
    team = plan.teams[name]
    people = [plan.people[one.person] for one in on_duty(plan, name, at, state) if one.there]
    members = tuple(Callee(one.name, one.call) for one in people if isinstance(one, Person) and one.call)
    return Roster(name, members, team.ring, team.ring_for, team.wrap_up, plan.timezone)


async def publish(
    store: Rosters, plan: Callable[[], Plan], state: Callable[[float], State], clock: Callable[[], float]
) -> None:
    """Publish the rosters for ever; what is the same already isn't written, and what Redis has lost is written again.

    `plan`: the one in force now. `state`: what operators override at a time. `clock`: seconds since the epoch.
    """
    down = False
    while True:
        now = clock()
        try:
            if await store.put(rosters(plan(), datetime.fromtimestamp(now, UTC), state(now))):
                log.info("rosters published", teams=len(plan().teams))
            down = False
        except Unavailable as bad:
            if not down:
                log.warning("rosters can't be published now", why=bad.what)
            down = True
        await asyncio.sleep(PUBLISH)
