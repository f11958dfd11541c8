"""The event that books a callback. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from gateway.callbacks.times import fitting, zones_of
from gateway.terms.call import Brief
from gateway.terms.personal import Number


@dataclass(frozen=True, slots=True)
class Chosen:
    """What the caller has agreed to."""

    at: float = 0.0
    """The time (seconds since the epoch); 0 for as soon as can be."""
    consent: str = field(default="", repr=False)
    """The words that they agreed to."""


AS_SOON_AS_CAN_BE = Chosen()


def booking(
    on: Number | None,
    number: Number | None,
    reason: str,
    chosen: Chosen,
    brief: Brief,
    within: float | None,
    now: float,
) -> Mapping[str, object]:
    """The data of the `callback` event. `on`: whom to call; `number`: the same where it isn't the caller's own. `within`:
    seconds from the chosen time; None for as the brief says. Who chose no time is called as soon as they can be, and
    nobody is called at a time when they can't be: then it is the next one."""
    terms = brief.callback
    agreed = fitting(terms, zones_of(on, terms.zone), chosen.at or now, now) if terms.team else None
    at = agreed if agreed is not None else chosen.at or now
    told = asdict(terms)
    told.pop("open")  # the plan that is in force at the time says so then
    return {
        "number": number.reveal() if number else None,
        "reason": reason,
        "agreed": at,
        "promised": at + (brief.callback_within if within is None else within),
        "terms": told,
        "language": brief.language,
        **({"consent": chosen.consent} if chosen.consent else {}),
    }
