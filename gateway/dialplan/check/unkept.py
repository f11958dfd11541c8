"""What a plan may ask for and no call does yet. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.dialplan.actions import Privacy
from gateway.dialplan.model import Finding, Severity
from gateway.dialplan.people import Person
from gateway.dialplan.plan import Plan


def unkept(plan: Plan) -> Iterator[Finding]:
    """A note for each."""
    for route in plan.routes.values():
        asked = {
            "'minutes' of limits": bool(route.limits.minutes),
            "'handoff'": route.handoff is not None,
            "'dead_air'": "dead_air" in route.instead,
            "'privacy'": route.privacy != Privacy(),
        }
        for what in (name for name, here in asked.items() if here):
            yield Finding(route.place, f"{what} of '{route.name}' isn't acted on yet.", "", Severity.NOTE)
    for person in plan.people.values():
        if isinstance(person, Person) and not person.call:
            what = f"'{person.name}' isn't rung: browsers can't take calls yet."
            yield Finding(person.place, what, "", Severity.NOTE)
