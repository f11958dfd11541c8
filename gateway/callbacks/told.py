"""What a call's events tell of callbacks. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from gateway.callbacks.machine import Booking, Ended, Event, Reached, Said, State, booked, booking_of
from gateway.records.reading import instant, name, text
from gateway.terms.call import CallId
from gateway.terms.callback import ANYBODY, Terms
from gateway.terms.emergency import callable_number
from gateway.terms.ending import Ending
from gateway.terms.event import Event as CallEvent
from gateway.terms.event import Kind
from gateway.terms.personal import Number

CALLEE = "callee"
"""The leg of whoever is called back."""
_WITHIN = 3600.0


def booking_from(event: CallEvent, caller: str | None) -> Booking | None:
    """The callback that a `callback` event books; None where there is nobody to call. `caller`: the call's, E.164."""
    data = event.data
    number = name(data.get("number")) or caller
    if not number or not callable_number(Number(number)):
        return None
    try:
        given = data.get("terms")
        terms = Terms.read(given) if isinstance(given, Mapping) else ANYBODY
    except (TypeError, ValueError):
        terms = ANYBODY
    by = instant(data.get("promised")) or event.at + _WITHIN
    at = instant(data.get("agreed")) or event.at
    made = booked(event.call, Number(number), at, max(0.0, by - at), event.at, terms)
    language = name(data.get("language")) or made.language
    return replace(
        made, reason=text(data.get("reason")) or "", consent=text(data.get("consent")) or "", language=language
    )


def happened(event: CallEvent) -> tuple[str, Event] | None:
    """The callback that an event of its run tells of, and the step; None where it tells of none."""
    which = booking_of(event.call)
    if not which:
        return None
    if event.kind is Kind.ENDED:
        talked = event.data.get("ending") == Ending.SERVED.value
        return which, Ended(event.call, talked, text(event.data.get("why")) or ("" if talked else "nobody was reached"))
    if event.kind is Kind.HANGUP:
        return which, Said(event.call, text(event.data.get("reason")) or "")
    if event.kind is not Kind.LEG:
        return None
    return _leg(which, event.call, event.data)


def _leg(which: str, run: CallId, data: Mapping[str, object]) -> tuple[str, Event] | None:
    theirs = data.get("leg") == CALLEE
    match data.get("event"):
        case "dialed":
            return which, Reached(run, State.CALLER if theirs else State.HUMAN)
        case "answered" if theirs:
            return which, Reached(run, State.TALKING)
    return None
