"""People and numbers of a plan that its own rules keep from being called, and rules that let out too much. Pure."""

from __future__ import annotations

from collections.abc import Iterator

import phonenumbers

from gateway.dialplan.model import Finding, Severity
from gateway.dialplan.plan import Plan
from gateway.guard.judge import Refusal, judge


def refused(plan: Plan) -> Iterator[Finding]:
    """An error for whoever would never be called."""
    rules = plan.rules()
    for who, address, place in plan.addresses():
        judged = judge(address, rules)
        if isinstance(judged, Refusal):
            yield Finding(place, f"'{who}' would never be called: {judged.what}", judged.remedy)


def open_wide(plan: Plan) -> Iterator[Finding]:
    """What lets out more than was meant, perhaps."""
    place = plan.outbound_place
    if place is None:
        return
    allowed = plan.outbound
    for prefix in allowed.prefixes:
        regions = phonenumbers.COUNTRY_CODE_TO_REGION_CODE.get(int(prefix[1:]), ()) if len(prefix) <= 4 else ()
        if len(regions) > 1:
            what = f"'{prefix}' lets calls out to {len(regions)} countries, some of them dear: {_some(regions)}."
            yield Finding(place, what, f"Name those you mean: countries: [{regions[0]}].", Severity.WARNING)
    if (allowed.countries or allowed.prefixes or allowed.costly) and not allowed.spend.a_day:
        what = "Nothing bounds what calls to the countries and prefixes of 'outbound' cost in a day."
        yield Finding(place, what, "Add spend: {a_day: 20, minute: {+1: 0.02, otherwise: 1}}.", Severity.NOTE)


def transfers(plan: Plan) -> Iterator[Finding]:
    """Routes whose agents may take numbers that nothing lets out."""
    allowed = plan.outbound
    for route in plan.routes.values():
        if route.transfer and route.transfer.numbers and not (allowed.countries or allowed.prefixes):
            what = f"'{route.name}' transfers to numbers that callers say, and 'outbound' allows none."
            yield Finding(route.place, what, "Add outbound: {countries: [US]}.", Severity.WARNING)


def _some(regions: tuple[str, ...]) -> str:
    return ", ".join(regions[:6]) + (" …" if len(regions) > 6 else "")
