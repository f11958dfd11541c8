"""Who of each team takes calls now, published for the jobs: hours, turns and absences stay with control."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from gateway.calls.people.roster import Roster, Rosters
from gateway.dialplan.duty import on_duty
from gateway.dialplan.people import Person
from gateway.dialplan.plan import Plan
from gateway.dialplan.route import is_open
from gateway.dialplan.state import State
from gateway.terms.act import Callee

PUBLISH = 1.0
"""Seconds between two looks at who is on duty."""


def rosters(plan: Plan, at: datetime, state: State) -> Mapping[str, Roster]:
    """Every team's roster, by its name. `at`: aware. Pure."""
    return {name: _roster(plan, name, at, state) for name in plan.teams}


def _roster(plan: Plan, name: str, at: datetime, state: State) -> Roster:
    team = plan.teams[name]
    people = [plan.people[one.person] for one in on_duty(plan, name, at, state) if one.there]
    members = tuple(Callee(one.name, one.call) for one in people if isinstance(one, Person))
    opened = team.hours is None or is_open(plan, team.hours.name, at, state)
    return Roster(
        name, members, team.ring, team.ring_for, team.wrap_up, plan.timezone, opened, owner_first=team.owner_first
    )


async def publish(store: Rosters, plan: Plan, state: State, now: float) -> bool:
    """Publish the rosters of a time (seconds since the epoch); control does it each PUBLISH seconds. Whether any was
    written: what is the same already isn't, and what the store has lost is written again. Raises Unavailable.

    `plan`: the one in force. `state`: what operators override.
    """
    return await store.put(rosters(plan, datetime.fromtimestamp(now, UTC), state))
