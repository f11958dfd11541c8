"""What nobody hears of, or nobody does by itself: messages and leads that are told to nobody, callbacks that the plan doesn't
let the gateway make. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.dialplan.actions import Agent, Message, Route
from gateway.dialplan.model import Callback, Finding, Place, Severity
from gateway.dialplan.plan import Plan

_NAMED = 3
"""Routes and teams that one finding tells by name."""


def untold(plan: Plan) -> Iterator[Finding]:
    """Messages and leads."""
    for route in plan.routes.values():
        action = route.action
        if isinstance(action, Message) and not action.notify:
            team = plan.teams.get(action.team.name) if action.team else None
            if team is None:
                yield _warn(
                    route.place, f"Nobody is told of a message left on '{route.name}'.", "Add notify: with a team."
                )
            elif not team.notify:
                what = f"Nobody is told of a message left on '{route.name}': '{team.name}' has no notify."
                yield _warn(route.place, what, f"Add notify: [\"mailto:…\"] to the team '{team.name}'.")
    if leads := [route for route in plan.routes.values() if _leads(route) and not plan.notified(route)]:
        what = (
            f"Nobody is told of the leads of {_some([route.name for route in leads])}, but who OFFHOOK_LEADS_TO names."
        )
        yield Finding(leads[0].place, what, 'Add notify: ["mailto:…"] to the route.', Severity.NOTE)


def unmade(plan: Plan) -> Iterator[Finding]:
    """Teams that are to call callers back, where nothing lets the gateway call them."""
    allowed = plan.outbound
    if allowed.countries or allowed.prefixes:
        return
    found = {one.team.name: place for one, place in _callbacks(plan) if one.team is not None}
    if found:
        what = f"{_some(list(found))} can't call anybody back by itself: 'outbound' lets no caller's number out."
        yield _warn(next(iter(found.values())), what, "Add outbound: {countries: [US]}, or make the callbacks by hand.")


def _leads(route: Route) -> bool:
    return isinstance(route.action, Agent) and route.action.talks


def _callbacks(plan: Plan) -> Iterator[tuple[Callback, Place]]:
    for route in plan.routes.values():
        for said in (route.human, *route.instead.values()):
            if isinstance(said, Callback):
                yield said, route.place
    for team in plan.teams.values():
        for said in team.untaken.values():
            if isinstance(said, Callback):
                yield said, team.place


def _some(names: list[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(f"'{name}'" for name in names[:_NAMED]) + more


def _warn(place: Place, what: str, remedy: str) -> Finding:
    return Finding(place, what, remedy, Severity.WARNING)
