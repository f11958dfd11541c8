"""The decision: what a call to this number gets. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.dialplan.model import Plan
from gateway.terms.call import Brief, Pool
from gateway.terms.number import normalise
from gateway.terms.personal import Number

NOT_FOUND = 404


@dataclass(frozen=True, slots=True)
class Answer:
    """An agent answers."""

    route: str
    pool: Pool
    brief: Brief


@dataclass(frozen=True, slots=True)
class Reject:
    """The caller is turned away with a SIP status."""

    status: int
    route: str
    """"" when no line of the plan is for the number."""
    why: str
    """For the record."""


Decision = Answer | Reject


def route(plan: Plan, dialed: str, caller: Number | None) -> Decision:
    """What a call to `dialed`, as the carrier wrote it, gets. `caller`: None when withheld; no rule of this language
    looks at it yet.
    """
    number = normalise(dialed, plan.country)
    key = number.reveal().casefold() if number else ""
    entry = next((entry for entry in plan.numbers if entry.pattern.fits(key)), None)
    if entry is None:
        return Reject(NOT_FOUND, "", "the plan has no line for the number, nor an 'otherwise'")
    chosen = plan.routes[entry.route]
    if chosen.reject is not None:
        return Reject(chosen.reject, chosen.name, f"the plan's route '{chosen.name}' rejects")
    return Answer(chosen.name, chosen.pool, plan.brief(chosen.name))
