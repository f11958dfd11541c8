"""People and numbers of a plan that no outbound trunk calls. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.dialplan.actions import Dial
from gateway.dialplan.model import Finding, Place, Severity
from gateway.dialplan.people import Person
from gateway.dialplan.plan import Plan
from gateway.dialplan.trunks import Trunks


def dialed(plan: Plan, trunks: Trunks) -> Iterator[Finding]:
    """A warning for whoever can't be called by these trunks."""
    for who, address, place in _addresses(plan):
        if what := _wrong(who, address, trunks):
            remedy = "Add the trunk to outbound_trunks of the trunk file; without one, callers go on to 'unanswered'."
            yield Finding(place, what, remedy, Severity.WARNING)


def _addresses(plan: Plan) -> Iterator[tuple[str, str, Place]]:
    for person in plan.people.values():
        if isinstance(person, Person) and person.call:
            yield person.name, person.call, person.place
    for route in plan.routes.values():
        if isinstance(route.action, Dial) and route.action.number:
            yield route.name, route.action.number, route.place


def _wrong(who: str, address: str, trunks: Trunks) -> str:
    if address.casefold().startswith(("sip:", "sips:")):
        name = address.rpartition("@")[2]
        known = name.casefold() in trunks.outbound
        return "" if known else f"'{who}' can't be called: no outbound trunk of the trunk file is named '{name}'."
    if trunks.default:
        return ""
    return f"'{who}' can't be called: no outbound trunk of the trunk file is for plain numbers."
