"""Who calls a route's callers back, and when they can. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

from gateway.callbacks.times import AHEAD
from gateway.dialplan.model import Callback
from gateway.dialplan.plan import Plan
from gateway.terms.callback import Terms


def terms_of(plan: Plan, said: Callback, at: datetime) -> Terms:
    """How callers are called back: by the team that the plan names for it, or by hand. `at`: aware, the call's time."""
    return team_terms(plan, said.team.name if said.team else "", said, at)


def team_terms(plan: Plan, team: str, said: Callback, at: datetime) -> Terms:
    """The terms of a team of the plan's; of no team where it has none of that name."""
    found = plan.teams.get(team)
    if found is None:
        return Terms(zone=plan.timezone, tries=said.tries, every=said.every)
    hours = plan.hours.get(found.hours.name) if found.hours else None
    spans = None
    if hours is not None:
        ends = at + timedelta(seconds=AHEAD)
        spans = tuple((first.timestamp(), last.timestamp()) for first, last in hours.spans(at, ends))
    return Terms(team, plan.timezone, spans, said.tries, said.every)
