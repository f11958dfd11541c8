"""Who of a team, or which person, takes a call at a time. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from gateway.dialplan.model import Ref
from gateway.dialplan.people import Person, Rotation
from gateway.dialplan.plan import Plan
from gateway.dialplan.route import door_until, is_open
from gateway.dialplan.state import State


@dataclass(frozen=True, slots=True)
class Duty:
    """One person, and whether they take a call."""

    person: str
    there: bool
    why: str


def on_duty(plan: Plan, team: str, at: datetime, state: State) -> list[Duty]:
    """The members of a team in their order, each once; of those who take turns only whose turn it is. `at`: aware."""
    found = plan.teams[team]
    if found.hours is not None and not is_open(plan, found.hours.name, at, state):
        return [
            Duty(name, False, f"the team is closed: '{found.hours.name}'") for name in _people(plan, found.members, at)
        ]
    return [duty(plan, name, at, state) for name in dict.fromkeys(_people(plan, found.members, at))]


def duty(plan: Plan, name: str, at: datetime, state: State) -> Duty:
    """Whether a person takes a call; of a rotation, whose turn it is."""
    person = plan.people[name]
    if isinstance(person, Rotation):
        return duty(plan, person.order[person.turn(at)].name, at, state)
    if away := state.away.get(name):
        return Duty(name, False, f"away until {door_until(plan, away.until)}")
    if isinstance(person, Person) and person.hours is not None and not is_open(plan, person.hours.name, at, state):
        return Duty(name, False, "outside their hours")
    return Duty(name, True, "is rung")


def _people(plan: Plan, members: tuple[Ref, ...], at: datetime) -> Iterator[str]:
    for ref in members:
        person = plan.people[ref.name]
        while isinstance(person, Rotation):
            person = plan.people[person.order[person.turn(at)].name]
        yield person.name
