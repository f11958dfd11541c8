"""Overriding the plan for a while: which hours, routes and people there are, and until when."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from gateway.dialplan.overrides import Override
from gateway.dialplan.people import Person
from gateway.dialplan.plan import Plan
from gateway.dialplan.reading.words import near
from gateway.dialplan.state import EVERYWHERE
from gateway.dialplan.when import SAID, moment
from gateway.errors import Refused
from gateway.records.plans import Overrides

LONGEST = 366 * 86400.0
"""Seconds that an override may last: it is for a while, a plan is for good."""
DOORS = ("close", "open")
"""Of these, one counts for a subject."""
_LONGEST_WORDS = 500
_NEITHER = "'{}' can't be closed or opened: the plan has no hours of that name, and no such route."
_NOT = {
    "away": "'{}' is nobody of the plan's people.",
    "notice": "'{}' is no route of the plan.",
    **dict.fromkeys(DOORS, _NEITHER),
}
_NO_DOOR = "Nothing in this plan can be: give a route 'hours', and 'closed' with where its callers go then."
_NONE = {
    "away": "The plan has none.",
    "notice": "The plan has none.",
    **dict.fromkeys(DOORS, _NO_DOOR),
}
"""What is said where there is nothing of the kind at all."""


def subjects(plan: Plan, kind: str) -> Collection[str]:
    """What an override of the kind may be about."""
    match kind:
        case "away":
            return [name for name, one in plan.people.items() if isinstance(one, Person)]
        case "notice":
            return [EVERYWHERE, *plan.routes]
        case _:
            named = [name for name in plan.hours if " " not in name]
            doors = (name for name, route in plan.routes.items() if "closed" in route.instead)
            return list(dict.fromkeys((*named, *doors)))


def until(written: str, plan: Plan, now: datetime) -> float:
    """Seconds since the epoch at which an override ends. Raises Refused."""
    if not written:
        raise Refused("An override always has an end.", remedy='Add --until "tomorrow 09:00", or --until 18:00.')
    try:
        end = moment(written, plan.timezone, now)
    except ValueError as bad:
        raise Refused(str(bad), remedy=SAID) from None
    if end <= now:
        raise Refused(f"'{written}' is past.", remedy="Write a time to come.")
    if (end - now).total_seconds() > LONGEST:
        raise Refused(f"'{written}' is more than a year ahead.", remedy="Change the plan for what is to last.")
    return end.timestamp()


async def override(
    plan: Plan, overrides: Overrides, *, kind: str, subject: str, end: str, say: str, author: str, now: datetime
) -> Override:
    """Override something; what was overridden of the same subject ends. Raises Refused, Unavailable."""
    known = subjects(plan, kind)
    if subject not in known and kind in ("close", "open") and subject in plan.routes:
        what = f"The route '{subject}' can't be closed: it says nothing for callers who come then."
        raise Refused(what, remedy="Add closed: with a route's name to it in the plan.")
    if kind in DOORS and subject in plan.teams and subject not in known:
        what = f"The team '{subject}' can't be closed or opened itself: hours and routes can."
        raise Refused(what, remedy=f"There are: {', '.join(known)}." if known else _NO_DOOR)
    if subject not in known:
        told = near(subject, known) or (f"There are: {', '.join(known)}." if known else _NONE[kind])
        raise Refused(_NOT[kind].format(subject), remedy=told)
    if len(say) > _LONGEST_WORDS:
        raise Refused(f"That is more than {_LONGEST_WORDS} characters to say.", remedy="Make it shorter.")
    ends = until(end, plan, now)
    kinds = DOORS if kind in DOORS else (kind,)
    return await overrides.add(kind, subject, ends, say, author, now.timestamp(), kinds)
