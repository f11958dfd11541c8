"""What a plan may ask for and no call does yet. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from gateway.dialplan.actions import Privacy, Route
from gateway.dialplan.model import Finding, Severity
from gateway.dialplan.people import Person
from gateway.dialplan.plan import Plan

_ASKS: Mapping[str, Callable[[Route], bool]] = {
    "'privacy'": lambda route: route.privacy != Privacy(),
}
_NAMED = 3
"""Routes that a note tells by name."""


def unkept(plan: Plan) -> Iterator[Finding]:
    """A note for each."""
    for what, asks in _ASKS.items():
        if routes := [route for route in plan.routes.values() if asks(route)]:
            names = ", ".join(f"'{route.name}'" for route in routes[:_NAMED])
            more = f" and {len(routes) - _NAMED} more" if len(routes) > _NAMED else ""
            said = f"{what} isn't acted on yet; {names}{more} would have it."
            yield Finding(routes[0].place, said, "", Severity.NOTE)
    for person in plan.people.values():
        if isinstance(person, Person) and not person.call:
            said = f"'{person.name}' has no phone: agents' handoffs reach them, and no 'team', 'dial', 'third' or callback."
            yield Finding(person.place, said, "", Severity.NOTE)
