"""People and numbers of a plan that no outbound trunk calls. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.dialplan.model import Finding, Severity
from gateway.dialplan.plan import Plan
from gateway.dialplan.trunks import Trunks


def dialed(plan: Plan, trunks: Trunks) -> Iterator[Finding]:
    """A warning for whoever can't be called by these trunks."""
    for who, address, place in plan.addresses():
        if what := _wrong(who, address, trunks):
            remedy = "Add the trunk to outbound_trunks of the trunk file; without one, callers go on to 'unanswered'."
            yield Finding(place, what, remedy, Severity.WARNING)


def _wrong(who: str, address: str, trunks: Trunks) -> str:
    if address.casefold().startswith(("sip:", "sips:")):
        name = address.rpartition("@")[2]
        known = name.casefold() in trunks.outbound
        return "" if known else f"'{who}' can't be called: no outbound trunk of the trunk file is named '{name}'."
    if trunks.default:
        return ""
    return f"'{who}' can't be called: no outbound trunk of the trunk file is for plain numbers."
