"""What an operator asks on the command line, as values: calls, times, headers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from gateway.dialplan.plan import Plan
from gateway.dialplan.route import ANYBODY, Ask
from gateway.dialplan.when import SAID, moment
from gateway.errors import SetupFault
from gateway.terms.number import normalise


def asked(plan: Plan, *, to: str, caller: str, at: str, headers: Sequence[str], now: datetime) -> Ask:
    """The call that is meant. Raises SetupFault with the remedy when it can't be read."""
    if not to:
        raise SetupFault("No number is dialed.", remedy="Add --to with one, such as --to '+1 510 555 0100'.")
    when = datetime.fromtimestamp(instant(at, plan.timezone, now), plan.zone) if at else now.astimezone(plan.zone)
    told = {}
    for header in headers:
        name, colon, value = header.partition(":")
        if not colon or not name.strip():
            raise SetupFault(f"--header can't be read: {header}.", remedy='Write "NAME: VALUE".')
        told[name.strip().casefold()] = value.strip()
    return Ask(to.removeprefix("sip:"), normalise(caller, plan.country) if caller else ANYBODY, when, told)


def instant(written: str, zone: str, now: datetime) -> float:
    """Seconds since the epoch that are meant. Raises SetupFault."""
    try:
        return moment(written, zone, now).timestamp()
    except ValueError as bad:
        raise SetupFault(str(bad), remedy=SAID) from None
